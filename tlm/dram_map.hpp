// Where an address stands in a DRAM: channel, bank, row, by the mapping's name (fields from the highest
// address bits to the lowest):
//
//   row-bank-column         a row is filled before the next bank's begins
//   row-column-bank         neighbouring bursts stand in different banks
//   bank-group-interleaved  row, bank of its group, column, group: neighbouring bursts stand in different
//                           groups
//
// Channels take turns every channel_bytes. Bank b is of group b % bank_groups.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tlm/dram_config.hpp"

namespace abacus::hw {

class DramMap {
 public:
  // Neighbouring bursts of one row.
  struct Run {
    int channel;
    int bank;
    std::int64_t row;
    int bursts;
    std::uint64_t end;  // address behind it
  };

  explicit DramMap(const DramConfig& config)
      : channels_(unsigned_of(config.channels)),
        channel_bytes_(unsigned_of(config.channel_bytes)),
        banks_(unsigned_of(config.banks)),
        groups_(unsigned_of(config.bank_groups)),
        row_bytes_(unsigned_of(config.row_bytes)),
        burst_bytes_(
            std::max<std::uint64_t>(static_cast<std::uint64_t>(config.burst_bits()) / 8, 1)),
        kind_(config.mapping == "row-column-bank"          ? Kind::banks_lowest
              : config.mapping == "bank-group-interleaved" ? Kind::groups_lowest
                                                           : Kind::columns_lowest) {}

  // Of the bytes from `address` to `end`, the first ones.
  Run run(std::uint64_t address, std::uint64_t end) const {
    std::uint64_t local = address;
    std::uint64_t channel = 0;
    std::uint64_t left = end - address;
    if (channels_ > 1) {
      const std::uint64_t chunk = address / channel_bytes_;
      const std::uint64_t offset = address % channel_bytes_;
      channel = chunk % channels_;
      local = chunk / channels_ * channel_bytes_ + offset;
      left = std::min(left, channel_bytes_ - offset);
    }
    Run run{};
    run.channel = static_cast<int>(channel);
    if (kind_ == Kind::columns_lowest) {
      const std::uint64_t page = local / row_bytes_;
      left = std::min(left, (page + 1) * row_bytes_ - local);
      run.bank = static_cast<int>(page % banks_);
      run.row = static_cast<std::int64_t>(page / banks_);
    } else {
      const std::uint64_t burst = local / burst_bytes_;
      left = std::min(left, (burst + 1) * burst_bytes_ - local);
      const std::uint64_t columns = row_bytes_ / burst_bytes_;
      if (kind_ == Kind::banks_lowest) {
        run.bank = static_cast<int>(burst % banks_);
        run.row = static_cast<std::int64_t>(burst / banks_ / columns);
      } else {
        const std::uint64_t in_group = banks_ / groups_;
        const std::uint64_t rows = burst / groups_ / columns;
        run.bank = static_cast<int>(rows % in_group * groups_ + burst % groups_);
        run.row = static_cast<std::int64_t>(rows / in_group);
      }
    }
    run.bursts = static_cast<int>((local + left - 1) / burst_bytes_ - local / burst_bytes_ + 1);
    run.end = address + left;
    return run;
  }

 private:
  enum class Kind { columns_lowest, banks_lowest, groups_lowest };
  static std::uint64_t unsigned_of(int value) { return static_cast<std::uint64_t>(value); }

  std::uint64_t channels_, channel_bytes_, banks_, groups_, row_bytes_, burst_bytes_;
  Kind kind_;
};

}  // namespace abacus::hw
