// Step adapter: a factor β of a layer's activation step for each image, from the means of its input's
// channels (ASQ, "Precision Neural Network Quantization via Learnable Adaptive Modules", section 3.2;
// docs/arithmetic.md, "Step adapter").
//
// | property     | unit   | value                                                                    |
// | ------------ | ------ | ------------------------------------------------------------------------ |
// | channel sums | sums   | StepAdapterConfig::channels, of 32 bits; they grow as results are stored |
// | hidden       | values | StepAdapterConfig::hidden, of 16 bits                                    |
// | lanes        | a cycle| StepAdapterConfig::lanes: multiplications, 8 × 16 bits (a mean takes 4)  |
// | registers    | steps  | StepAdapterConfig::registers: β and read multiplier, 16 bits each        |
// | divider      | cycles | 28: one bit of (read multiplier · 2^12) / β a cycle                      |
//
// Time of an adapt command, cycles: ⌈4 · channels / lanes⌉ (means: a sum has 4 bytes), ⌈channels · hidden
// / lanes⌉, ⌈hidden / lanes⌉ (one layer: ⌈channels / lanes⌉), 28 (divider) and 4 (pipeline); longer where
// the weight SRAM's ports do not keep up. The compute unit executes it, in order: what its tensor's next
// reader waits is that time, and the timeline has a row of its own for it. Gathering costs no time.
// Function: at once, when the command starts. What leaves its range is saturated and counted
// (Context::step_saturations).
// Actions: an addition of 32 bits, a register read and write a stored element that is gathered; for a mean
// a register read (32), 4 multiplications (16 × 8), 3 additions (48) and a register write (16); for a weight
// a register read (16), a multiplication (16 × 8) and an addition (40); for a hidden value a register write
// (16); 28 additions of 28 bits for the division; a register write of 32 bits for β and read multiplier. Of
// each command that uses a step a register read of these, and for each column a multiplication (16 × 16) and
// an addition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/context.hpp"
#include "models/timing/compute_time.hpp"
#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

// What a layer reads its activations with.
struct AdaptedStep {
  int factor = 1 << 12;     // β, 12 fraction bits
  int read_multiplier = 1;  // of the layer's read quantizer, 1/β in it
  bool set = false;         // by this program
};

class StepAdapter {
 public:
  static constexpr int factor_bits = 12;
  static constexpr int smallest_factor = 1 << 8;  // 1/16
  static constexpr int largest_factor = 1 << 15;  // 8
  // Of means and hidden values, and of a scale unit's multiplier.
  static constexpr int smallest_value = -32768;
  static constexpr int largest_value = 32767;
  static constexpr int largest_read_multiplier = 65535;
  static constexpr int divider_cycles = adapter_divider_cycles;
  static constexpr int passes_of_mean = adapter_passes_of_mean;

  // Throws std::invalid_argument naming the field.
  explicit StepAdapter(const hw::StepAdapterConfig& config);

  const hw::StepAdapterConfig& config() const { return config_; }
  // Forgets sums and steps.
  void forget();

  // Function --------------------------------------------------------------------------------------

  // Before the elements of a command are added.
  void begin(hw::ChannelSums sums);
  void add(int channel, std::int64_t value) { sums_[static_cast<std::size_t>(channel)] += value; }
  // `parameters`: as AdaptFields says. Returns what was saturated.
  StepSaturations adapt(const hw::AdaptFields& fields, const std::uint8_t* parameters);
  const AdaptedStep& step(int number) const { return steps_[static_cast<std::size_t>(number)]; }

  // The multiplier of an output channel, with β in it.
  static std::int32_t scaled(std::int32_t multiplier, int factor, std::int64_t& saturations);

  // Time and energy -------------------------------------------------------------------------------

  std::int64_t cycles(const hw::AdaptFields& fields) const;
  static void count_sums(Activity& activity, int layer, std::int64_t elements);
  static void count_adapt(Activity& activity, int layer, const hw::AdaptFields& fields);
  static void count_scaling(Activity& activity, int layer, int columns);

 private:
  hw::StepAdapterConfig config_;
  std::vector<std::int64_t> sums_;
  std::vector<std::int64_t> values_;  // means, then hidden values
  std::vector<std::int64_t> hidden_;
  std::vector<AdaptedStep> steps_;
};

}  // namespace abacus::models
