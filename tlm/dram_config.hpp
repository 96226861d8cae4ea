// What a DRAM and its controller are built of: the parameters of tlm/hardware_fields.hpp under `dram`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abacus::hw {

// Names as in the data sheets (JESD79, JESD209, JESD235), times in nanoseconds. Defaults: Micron
// MT41K128M16 (DDR3L-1600, -125 speed grade), 16-bit device. Further devices: tlm/dram_devices.hpp.
struct DramConfig {
  std::string device = "MT41K128M16JT-125";
  std::uint64_t bytes = 256ull * 1024 * 1024;  // of all channels together
  int banks = 8;                               // of a channel, all groups together
  int row_bytes = 2048;
  int data_bits = 16;
  int burst_length = 8;
  double t_ck = 1.25;
  double t_rcd = 13.75;
  double t_rp = 13.75;
  double t_cl = 13.75;
  double t_cwl = 10.0;
  double t_ras = 35.0;
  double t_wr = 15.0;
  double t_wtr = 7.5;
  double t_rtp = 7.5;
  double t_rfc = 160.0;  // 2 Gbit
  double t_refi = 7800.0;

  // What a device need not have. 0: no such constraint, or as the line says.
  int transfers_per_clock = 2;  // of the data bus in a t_ck
  int bank_groups = 1;
  double t_ccd_l = 0;  // 0: a burst's time
  double t_rrd_s = 0;
  double t_rrd_l = 0;  // 0: t_rrd_s
  double t_faw = 0;
  double t_wtr_l = 0;  // 0: t_wtr
  double t_rfc_pb = 0;
  double t_xp = 0;

  // Choices of the controller.
  std::string controller = "in-order";
  std::string mapping = "row-bank-column";
  std::string page_policy = "open";
  std::string refresh = "all-bank";
  int channels = 1;
  int channel_bytes = 256;
  double bandwidth = 0;  // GB/s that were asked for; 0: nobody asked
  double controller_latency = 0;
  int queue_depth = 64;
  int write_high = 48;
  int write_low = 16;
  double power_down_after = 0;  // 0: never

  std::int64_t burst_bits() const { return std::int64_t{burst_length} * data_bits; }
  double burst_ns() const { return t_ck * burst_length / transfers_per_clock; }
  // Of all channels, in GB/s.
  double peak_bandwidth() const { return data_bits / 8.0 * transfers_per_clock / t_ck * channels; }
};

// Lists of names, the default first.
const std::vector<std::string>& dram_controllers();
const std::vector<std::string>& dram_mappings();
const std::vector<std::string>& dram_page_policies();
const std::vector<std::string>& dram_refreshes();

// A rule between several parameters that a configuration breaks.
struct BrokenDramRule {
  std::vector<std::string> keys;
  std::string allowed;
};
// The first one. Each parameter by itself is in its range.
std::optional<BrokenDramRule> broken_rule(const DramConfig& config);

}  // namespace abacus::hw
