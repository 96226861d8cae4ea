// The units whose work a timeline shows, and whose idle time is counted.
#pragma once

namespace abacus::models {

enum class Unit { load, compute_array, compute_edge, compute_vector, store, step_adapter };
inline constexpr int unit_count = 6;

}  // namespace abacus::models
