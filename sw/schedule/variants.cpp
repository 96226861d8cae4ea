#include "sw/schedule/variants.hpp"

#include <cstdint>

namespace abacus::schedule {
namespace {

// A smaller memory is not worth planning for.
constexpr std::uint32_t least_bytes = 512;
// The first one: time that is hardly shorter is not worth more traffic, which costs energy.
constexpr std::array<double, 2> tolerances = {1.05, 1.0};
// At which weights come at once.
constexpr int wide_port = 1 << 20;

int halvings(std::uint32_t value, std::uint32_t least) {
  int times = 0;
  while (value / 2 >= least) {
    value /= 2;
    ++times;
  }
  return times;
}

}  // namespace

PlanSteps most_plan_steps(const hw::HardwareConfig& hardware) {
  return {static_cast<int>(tolerances.size()) - 1,
          halvings(hardware.activation_sram.bytes, least_bytes),
          halvings(hardware.weight_sram.bytes, least_bytes),
          halvings(hardware.parameter_sram.bytes, least_bytes),
          halvings(static_cast<std::uint32_t>(hardware.array.rows), 1),
          1};
}

PlanVariant plan_variant(const hw::HardwareConfig& hardware, const PlanSteps& steps) {
  PlanVariant variant{hardware, tolerances[static_cast<std::size_t>(steps[0])]};
  variant.hardware.activation_sram.bytes >>= steps[1];
  variant.hardware.weight_sram.bytes >>= steps[2];
  variant.hardware.parameter_sram.bytes >>= steps[3];
  variant.hardware.array.rows >>= steps[4];
  if (steps[5] != 0) variant.hardware.weight_sram.port_bytes = wide_port;
  return variant;
}

}  // namespace abacus::schedule
