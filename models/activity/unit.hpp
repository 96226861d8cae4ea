// Whose time is accounted for.
#pragma once

namespace abacus::models {

// All but the sequencer execute commands. The three compute units and the step adapter are the compute
// unit's, of which one works at a time.
enum class Unit {
  load,
  compute_array,
  compute_edge,
  compute_vector,
  store,
  step_adapter,
  sequencer
};
inline constexpr int unit_count = 7;

}  // namespace abacus::models
