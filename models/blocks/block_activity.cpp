#include "models/blocks/block_activity.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "models/blocks/blocks.hpp"

namespace abacus::models {
namespace {

class BlockCounter {
 public:
  explicit BlockCounter(Activity& activity) : activity_(activity) {}

  // A component leaks once, however many blocks it has.
  void leaks(Component component, std::int64_t nanoseconds) {
    if (leaking_.insert(component).second) count(component, Action::leakage, nanoseconds, 0);
  }
  void clocked(const Block& block, std::int64_t worked, std::int64_t idle) {
    // A width is an int; the largest arrays have more flip-flops.
    constexpr std::int64_t most_at_once = std::int64_t{1} << 30;
    for (std::int64_t left = std::llround(block.register_bits()); left > 0; left -= most_at_once) {
      const int bits = static_cast<int>(std::min(left, most_at_once));
      count(block.component, Action::clock_cycle, worked, bits);
      count(block.component, Action::idle_cycle, idle, bits);
    }
  }
  void count(Component component, Action action, std::int64_t times, int bits) {
    if (times != 0) activity_.count(-1, component, action, times, bits);
  }

 private:
  Activity& activity_;
  std::set<Component> leaking_;
};

}  // namespace

void count_blocks(Activity& activity, const hw::HardwareConfig& hardware, std::int64_t cycles,
                  const std::array<std::int64_t, unit_count>& busy) {
  const std::int64_t nanoseconds =
      std::llround(static_cast<double>(cycles) * 1e3 / hardware.clock_mhz);
  BlockCounter counter(activity);
  for (const Block& block : accelerator_blocks(hardware)) {
    counter.leaks(block.component, nanoseconds);
    const std::int64_t worked = block.unit ? busy[static_cast<std::size_t>(*block.unit)] : cycles;
    counter.clocked(block, worked, cycles - worked);
  }
}

void count_between_programs(Activity& activity, const hw::HardwareConfig& hardware,
                            std::int64_t nanoseconds, Action dram_state) {
  const std::int64_t cycles =
      std::llround(static_cast<double>(nanoseconds) * hardware.clock_mhz / 1e3);
  BlockCounter counter(activity);
  for (const Block& block : accelerator_blocks(hardware)) {
    counter.leaks(block.component, nanoseconds);
    counter.clocked(block, 0, cycles);
  }
  const std::int64_t channels = hardware.dram.channels;
  counter.count(Component::dram, dram_state, nanoseconds * channels, 0);
  if (dram_state == Action::dram_self_refresh) return;
  counter.count(Component::dram, Action::dram_refresh,
                channels * std::llround(static_cast<double>(nanoseconds) / hardware.dram.t_refi),
                0);
}

}  // namespace abacus::models
