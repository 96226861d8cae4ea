#include "sw/quant/plan/fixed_point.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

#include "sw/network/integer_limits.hpp"

namespace abacus::quant {
namespace {

struct LeftShifted {
  std::int32_t multiplier = 0;
  std::int32_t shift = 0;
  bool fits = true;
};

// value ≈ multiplier · 2^shift, with as small a shift as the multiplier allows.
LeftShifted left_shifted(double value, int largest_shift_here = network::largest_left_shift) {
  for (int shift = 0; shift <= largest_shift_here; ++shift) {
    const double multiplier = std::floor(std::ldexp(value, -shift) + 0.5);
    if (multiplier <= network::largest_vector_multiplier) {
      return {static_cast<std::int32_t>(multiplier), shift, true};
    }
  }
  return {0, 0, false};
}

[[noreturn]] void fail(const std::string& what, double value) {
  throw std::range_error(what + " of " + std::to_string(value) +
                         " does not fit the fixed-point fields of docs/arithmetic.md");
}

bool try_shift(const std::vector<AffineChannel>& channels, double residual_gain, int fraction_bits,
               int largest_multiplier, int shift, ScaleUnit& unit) {
  const double most_bias = std::ldexp(static_cast<double>(network::largest_bias), -fraction_bits);
  unit = ScaleUnit{};
  unit.shift = shift;
  for (const AffineChannel& channel : channels) {
    const double multiplier = std::floor(std::ldexp(channel.gain, shift) + 0.5);
    const double bias =
        std::floor(std::ldexp(channel.offset, shift) - multiplier * channel.center + 0.5);
    // Written so that a NaN does not fit.
    if (!(std::abs(multiplier) <= largest_multiplier && std::abs(bias) <= most_bias)) {
      return false;
    }
    unit.multipliers.push_back(static_cast<std::int32_t>(multiplier));
    unit.biases.push_back(static_cast<std::int64_t>(bias));
  }
  const LeftShifted residual =
      left_shifted(std::ldexp(residual_gain, shift), network::largest_left_shift - fraction_bits);
  unit.residual_multiplier = residual.multiplier;
  unit.residual_shift = residual.shift;
  return residual.fits;
}

}  // namespace

network::ReadQuantizer read_quantizer(double ratio) {
  for (int shift = network::largest_read_shift; shift >= 0; --shift) {
    const double multiplier = std::floor(std::ldexp(ratio, shift) + 0.5);
    if (!(multiplier <= network::largest_read_multiplier)) continue;
    if (multiplier < 1) break;
    network::ReadQuantizer quantizer{static_cast<int>(multiplier), shift};
    // Trailing zeros carry nothing; without them a power of two reads as a plain shift.
    while (quantizer.shift > 0 && quantizer.multiplier % 2 == 0) {
      quantizer.multiplier /= 2;
      --quantizer.shift;
    }
    return quantizer;
  }
  fail("read quantizer's ratio", ratio);
}

double ratio(const network::ReadQuantizer& quantizer) {
  return std::ldexp(static_cast<double>(quantizer.multiplier), -quantizer.shift);
}

ScaleUnit scale_unit(const std::vector<AffineChannel>& channels, double residual_gain,
                     int fraction_bits, int largest_multiplier) {
  ScaleUnit unit;
  for (int shift = network::largest_shift - fraction_bits; shift >= 0; --shift) {
    if (try_shift(channels, residual_gain, fraction_bits, largest_multiplier, shift, unit))
      return unit;
  }
  double largest = residual_gain;
  for (const AffineChannel& channel : channels) {
    if (!(std::abs(channel.gain) <= largest)) largest = channel.gain;
  }
  fail("scale unit's largest gain", largest);
}

PoolScale pool_scale(double gain) {
  const ScaleUnit unit = scale_unit({{gain, 0, 0}}, 0);
  PoolScale scale{unit.multipliers[0], unit.shift};
  while (scale.shift > 0 && scale.multiplier % 2 == 0) {
    scale.multiplier /= 2;
    --scale.shift;
  }
  return scale;
}

AddScale add_scale(double gain, double second_gain) {
  // 30 bits of shift leave room for gains from 2^-14 up to 2^9 at full precision.
  for (int shift = 30; shift >= 0; --shift) {
    const LeftShifted first = left_shifted(std::ldexp(gain, shift));
    const LeftShifted second = left_shifted(std::ldexp(second_gain, shift));
    if (first.fits && second.fits) {
      return {first.multiplier, first.shift, second.multiplier, second.shift, shift};
    }
  }
  fail("addition's larger gain", std::max(gain, second_gain));
}

}  // namespace abacus::quant
