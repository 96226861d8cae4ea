// Taps of exponent weights in integers, for the simulation.
#pragma once

#include <optional>

#include "sw/quant/weights/weight_quantizer.hpp"

namespace abacus::quant {

// As many as the smallest of the magnitudes needs, so that nothing is dropped, but at most `asked`, or
// default_fraction_bits. Of POST, where nothing is ever exact, those asked for, or
// usual_table_fraction_bits(). 0 for integers.
int fraction_bits(const WeightCode& code, std::optional<int> asked);

// An activation times the value of a stored weight, in units of 2^−fraction_bits: the tap of
// docs/arithmetic.md, "Exponent weights".
int exponent_tap(const WeightCode& code, int fraction_bits, int activation, int stored);

}  // namespace abacus::quant
