// Quantization steps tried by hindsight on stored integers, and what each of them loses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace abacus {

// Factors on a layer's own step: 2^(i/32 − 2), from a quarter to four times.
constexpr int tried_steps_an_octave = 32;
constexpr std::size_t tried_steps = 4 * tried_steps_an_octave + 1;
double tried_factor(std::size_t i);

// Σ (v − v̂)² over stored integers v, one sum a factor tried, with v̂ = s·clamp(round(v/s), lowest,
// highest) and s = step·tried_factor(i). counts[j]: how many v are first + j. `step`: in units of v.
std::vector<double> errors_of_tried_steps(const std::vector<std::int64_t>& counts,
                                          std::int64_t first, double step, int lowest, int highest);

}  // namespace abacus
