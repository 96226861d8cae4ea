// Rounding of an adder layer's weights to the levels that leave the least error in its output.
#pragma once

#include <cstdint>
#include <vector>

namespace abacus::quant {

// What a layer's taps read at some places of some images: tap × sample, tap = (input channel, ky,
// kx). Integers, shifted as docs/arithmetic.md says.
struct OperandSamples {
  std::int64_t taps = 0;
  std::int64_t samples = 0;
  std::vector<float> values;

  const float* tap(std::int64_t t) const { return values.data() + t * samples; }
};

struct WeightLevels {
  int lowest = 0;
  int highest = 0;
  int shift = 0;  // weight_shift
};

// Accumulators of one output channel: Σ over taps of |a − (w << shift)|, one a sample.
std::vector<float> accumulate_samples(const OperandSamples& operands, const std::int16_t* weights,
                                      int shift);

// Coordinate descent: goes over the channel's weights `sweeps` times, each time moving each weight by
// one level, up or down, if that lowers Σ (gain · accumulator + b − target)² over the samples, where
// b is free (BatchNorm adjusts it). Up or down by one from where they are, they find a level several
// steps away in as many sweeps. `target`: one a sample. Returns whether any weight moved; a gain of 0
// moves none.
bool round_to_output(const OperandSamples& operands, const std::vector<float>& target, double gain,
                     const WeightLevels& levels, int sweeps, std::int16_t* weights);

}  // namespace abacus::quant
