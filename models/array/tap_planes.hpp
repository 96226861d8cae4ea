// Taps of any function as sums of products, so that the kernel of 16-bit products adds them up.
//
// A weight of magnitude m and sign s makes a function of the activation a that is a multiple of a and
// a rest; of exponent weights the rest is what the shift drops (docs/arithmetic.md, "Exponent weights"):
//
//   s · tap(a, s·m) = multiple(m) · a + rest(s·m, a)
//
// Plane 0 of the operands is a itself and meets s · multiple(m). Each different rest is a plane of its
// own, that of a weight's rest meets the weight's sign, all others meet 0. Where no rest is left,
// plane 0 is the only one. Planes lie one behind the other in a pixel, as if they were further input
// channels. Multiples and rests must fit 16 bits.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/array/kernels.hpp"

namespace abacus::models {

class TapPlanes {
 public:
  explicit TapPlanes(const TapFormat& format);

  int planes() const { return static_cast<int>(weights_.size()); }
  // 16-bit weight that a weight's field has in a plane.
  std::int16_t weight(int plane, int field) const {
    return weights_[static_cast<std::size_t>(plane)][static_cast<std::size_t>(field)];
  }
  // Operand that an activation has in a plane.
  std::int16_t operand(int plane, int activation) const {
    return operands_[static_cast<std::size_t>(plane)][static_cast<std::uint8_t>(activation)];
  }
  // Largest |tap| of a weight's field.
  std::int32_t bound(int field) const { return bounds_[static_cast<std::size_t>(field)]; }

 private:
  // By the activation's low byte: a format's activations have 256 values at most.
  std::vector<std::array<std::int16_t, 256>> operands_;
  std::vector<std::array<std::int16_t, 256>> weights_;  // by field
  std::array<std::int32_t, 256> bounds_{};              // by field
};

// Packed fields → blocks as kernels.hpp has them, with channel_groups × planes groups a tap. bounds:
// a value for each column, the largest |sum| that its weights can make.
void unpack_planes(const TapPlanes& taps, int weight_bits, const WeightShape& shape,
                   const std::uint8_t* packed, std::int16_t* blocks, std::int64_t* bounds);

// Activations of `positions` neighbouring positions, `channels` each (a multiple of 8) → their planes.
void spread_planes(const TapPlanes& taps, std::size_t positions, int channels,
                   const std::int16_t* activations, std::int16_t* operands);

}  // namespace abacus::models
