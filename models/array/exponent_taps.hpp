// Taps with exponent weights (docs/arithmetic.md, "Exponent weights") as sums of products, so that
// the kernel of 16-bit products adds them up.
//
// A weight's code of magnitude m makes a function of the activation a, odd in a, that is a multiple of
// a but for what the shift drops:
//
//   tap(a, m) = multiple(m) · a + rest(m, a)
//
// Plane 0 of the operands is a itself and meets multiple(m). Each different rest is a plane of its
// own, that of a code's rest meets the code's sign, all others meet 0. Where nothing is dropped,
// plane 0 is the only one. Planes lie one behind the other in a pixel, as if they were further input
// channels.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/array/kernels.hpp"

namespace abacus {

class ExponentTaps {
 public:
  explicit ExponentTaps(const TapFormat& format);

  int planes() const { return static_cast<int>(weights_.size()); }
  // 16-bit weight that a code's field has in a plane.
  std::int16_t weight(int plane, int field) const {
    return weights_[static_cast<std::size_t>(plane)][static_cast<std::size_t>(field)];
  }
  // Operand that an activation has in a plane.
  std::int16_t operand(int plane, int activation) const {
    return operands_[static_cast<std::size_t>(plane)][static_cast<std::uint8_t>(activation)];
  }
  // Largest |tap| of a code's field.
  std::int32_t bound(int field) const { return bounds_[static_cast<std::size_t>(field)]; }
  // The tap of an activation and a code.
  std::int32_t tap(int activation, int code) const {
    return taps_[static_cast<std::size_t>(static_cast<std::uint8_t>(code)) * 256 +
                 static_cast<std::uint8_t>(activation)];
  }

 private:
  // By the activation's low byte: a format's activations have 256 values at most.
  std::vector<std::array<std::int16_t, 256>> operands_;
  std::vector<std::array<std::int16_t, 256>> weights_;  // by field
  std::array<std::int32_t, 256> bounds_{};              // by field
  std::vector<std::int32_t> taps_;  // by the code's low byte and the activation's
};

// Packed fields → blocks as kernels.hpp has them, with channel_groups × planes groups a tap. bounds:
// a value for each column, the largest |sum| that its weights can make.
void unpack_exponents(const ExponentTaps& taps, int weight_bits, const WeightShape& shape,
                      const std::uint8_t* packed, std::int16_t* blocks, std::int64_t* bounds);

// Activations of `positions` neighbouring positions, `channels` each (a multiple of 8) → their planes.
void spread_planes(const ExponentTaps& taps, std::size_t positions, int channels,
                   const std::int16_t* activations, std::int16_t* operands);

}  // namespace abacus
