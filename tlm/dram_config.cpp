#include "tlm/dram_config.hpp"

#include <cmath>

namespace abacus::hw {

const std::vector<std::string>& dram_controllers() {
  static const std::vector<std::string> names = {"in-order", "fr-fcfs"};
  return names;
}

const std::vector<std::string>& dram_mappings() {
  static const std::vector<std::string> names = {"row-bank-column", "row-column-bank",
                                                 "bank-group-interleaved"};
  return names;
}

const std::vector<std::string>& dram_page_policies() {
  static const std::vector<std::string> names = {"open", "closed"};
  return names;
}

const std::vector<std::string>& dram_refreshes() {
  static const std::vector<std::string> names = {"all-bank", "per-bank"};
  return names;
}

std::optional<BrokenDramRule> broken_rule(const DramConfig& c) {
  const auto given_below = [](double value, double least) { return value != 0 && value < least; };
  const std::int64_t bits = c.burst_bits();
  if (c.t_refi <= c.t_rfc) {
    return BrokenDramRule{{"t_refi", "t_rfc"},
                          "t_refi of more than t_rfc, else the device does nothing but refresh"};
  }
  if (bits % 8 != 0 || c.row_bytes % (bits / 8) != 0) {
    return BrokenDramRule{
        {"burst_length", "data_bits", "row_bytes"},
        "whole bytes a burst (burst_length × data_bits / 8), of which row_bytes is a multiple"};
  }
  if (c.t_ras < c.t_rcd) {
    return BrokenDramRule{{"t_ras", "t_rcd"},
                          "t_ras of at least t_rcd, else a row closes before it is open"};
  }
  if (c.burst_ns() < c.t_ck) {
    return BrokenDramRule{{"burst_length", "transfers_per_clock"},
                          "bursts of at least one t_ck: burst_length of at least "
                          "transfers_per_clock"};
  }
  // A hundredth of a clock: the device's own numbers are rounded.
  if (given_below(c.t_ccd_l, c.burst_ns() - 0.01 * c.t_ck)) {
    return BrokenDramRule{
        {"t_ccd_l", "burst_length", "transfers_per_clock", "t_ck"},
        "t_ccd_l of at least a burst's time (burst_length / transfers_per_clock × "
        "t_ck), or 0"};
  }
  if (given_below(c.t_rrd_l, c.t_rrd_s)) {
    return BrokenDramRule{{"t_rrd_l", "t_rrd_s"}, "t_rrd_l of at least t_rrd_s, or 0"};
  }
  if (given_below(c.t_faw, c.t_rrd_s)) {
    return BrokenDramRule{{"t_faw", "t_rrd_s"}, "t_faw of at least t_rrd_s, or 0"};
  }
  if (given_below(c.t_wtr_l, c.t_wtr)) {
    return BrokenDramRule{{"t_wtr_l", "t_wtr"}, "t_wtr_l of at least t_wtr, or 0"};
  }
  if (c.banks % c.bank_groups != 0) {
    return BrokenDramRule{{"bank_groups", "banks"}, "banks a multiple of bank_groups"};
  }
  if (c.mapping == "bank-group-interleaved" && c.bank_groups == 1) {
    return BrokenDramRule{{"mapping", "bank_groups"},
                          "bank-group-interleaved with more than one of bank_groups"};
  }
  if (c.refresh == "per-bank" && (c.t_rfc_pb == 0 || c.t_refi / c.banks <= c.t_rfc_pb)) {
    return BrokenDramRule{{"refresh", "t_rfc_pb", "t_refi", "banks"},
                          "per-bank with a t_rfc_pb above 0 and below t_refi / banks, so that one "
                          "bank refreshes at a time"};
  }
  if (c.power_down_after != 0 && c.t_xp == 0) {
    return BrokenDramRule{{"power_down_after", "t_xp"}, "power_down_after with a t_xp above 0"};
  }
  if (c.write_low >= c.write_high || c.write_high > c.queue_depth) {
    return BrokenDramRule{{"write_low", "write_high", "queue_depth"},
                          "write_low below write_high, and that at most queue_depth"};
  }
  if (c.channels > 1 && c.channel_bytes % (bits / 8) != 0) {
    return BrokenDramRule{{"channel_bytes", "burst_length", "data_bits"},
                          "channel_bytes a multiple of a burst's bytes (burst_length × data_bits / "
                          "8)"};
  }
  constexpr double rounding = 0.01;  // 3.2 GB/s is said of 3.1999
  if (c.bandwidth != 0 &&
      std::abs(c.bandwidth - c.peak_bandwidth()) > rounding * c.peak_bandwidth()) {
    return BrokenDramRule{{"bandwidth", "channels", "data_bits", "transfers_per_clock", "t_ck"},
                          "channels × data_bits / 8 × transfers_per_clock / t_ck GB/s"};
  }
  return std::nullopt;
}

}  // namespace abacus::hw
