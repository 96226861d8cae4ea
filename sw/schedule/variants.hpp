// Hardware to plan a program for: what there is, and less of it. A program that was planned for less runs on
// what there is as well, in the same time or less, so that the fastest of all of them never gets slower with more
// hardware. What a chip of half the memory would do is also what the estimates of tilings did not see.
#pragma once

#include <array>
#include <cstddef>

#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

// Of each axis, how far from what there is.
inline constexpr std::size_t plan_axes = 6;
using PlanSteps = std::array<int, plan_axes>;

struct PlanVariant {
  hw::HardwareConfig hardware;
  // How much more estimated time a tiling may take that moves fewer bytes.
  double time_tolerance = 1;
};

PlanSteps most_plan_steps(const hw::HardwareConfig& hardware);
PlanVariant plan_variant(const hw::HardwareConfig& hardware, const PlanSteps& steps);

}  // namespace abacus::schedule
