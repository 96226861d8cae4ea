// Quantization steps tried by hindsight on stored integers, and what each of them loses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sw/quant/activations/activation_quantizer.hpp"

namespace abacus::quant {

// Factors on a layer's own step: 2^(i/16), over all that an adapter's β can be, both ends included.
constexpr int tried_steps_an_octave = 16;
constexpr int tried_octaves_below = 4, tried_octaves_above = 3;
constexpr std::size_t tried_step_count =
    (tried_octaves_below + tried_octaves_above) * tried_steps_an_octave + 1;
static_assert(AdapterParameters::smallest == 1.0 / (1 << tried_octaves_below) &&
              AdapterParameters::largest == 1 << tried_octaves_above);
double tried_factor(std::size_t i);

// Σ (v − v̂)² over stored integers v, one sum a factor tried, with v̂ = s·clamp(round(v/s), lowest,
// highest) and s = step·tried_factor(i). counts[j]: how many v are first + j. `step`: in units of v.
std::vector<double> errors_of_tried_steps(const std::vector<std::int64_t>& counts,
                                          std::int64_t first, double step, int lowest, int highest);

// The index of the least of them; of equal ones that whose factor is nearest to 1.
std::size_t least_error(const std::vector<double>& errors);

}  // namespace abacus::quant
