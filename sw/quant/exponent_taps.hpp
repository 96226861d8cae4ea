// Taps of exponent weights in integers, for the simulation.
#pragma once

#include "sw/quant/weight_quantizer.hpp"

namespace abacus {

// As many as the smallest of the magnitudes needs, so that nothing is dropped, but at most `most`; as
// many as that where nothing is ever exact (POST). 0 for integers.
int fraction_bits(const WeightCode& code, int most);

// An activation times the value of a stored weight, in units of 2^−fraction_bits: the tap of
// docs/arithmetic.md, "Exponent weights".
int exponent_tap(const WeightCode& code, int fraction_bits, int activation, int stored);

}  // namespace abacus
