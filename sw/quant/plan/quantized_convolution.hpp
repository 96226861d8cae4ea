// A convolution's operands on integer grids, and what one step of its accumulator is worth.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sw/quant/activations/activation_quantizer.hpp"
#include "sw/quant/weights/weight_quantizer.hpp"
#include "tlm/element_table.hpp"
#include "tlm/operand_format.hpp"

namespace abacus::quant {

// The layer's real output (before BatchNorm) is, for output channel o,
// accumulator_step[o] · accumulator + offset[o]; with an adapter
// accumulator_step[o] · β · accumulator + offset[o].
struct QuantizedConvolution : hw::OperandFormat {
  std::vector<std::int16_t> weights;                // output channel × input channel × ky × kx
  std::shared_ptr<const hw::ElementTable> element;  // where taps are those of a described element
  // What the weights stand for, in an accumulator of `fraction_bits` below the binary point.
  WeightCode code;
  int fraction_bits = 0;            // of all codes but integers
  AdapterParameters adapter;        // of ASQ: activation_step is to be multiplied by an image's β
  std::vector<std::int32_t> group;  // one an output channel
  std::vector<double> activation_step;   // one a group: what one activation operand step is worth
  std::vector<double> accumulator_step;  // one an output channel; negative for adder layers
  std::vector<double> offset;            // one an output channel: clamp's bias, convolution's bias
};

// The integers that `bits` two's-complement or unsigned bits hold.
constexpr int lowest_integer(int bits, bool is_signed) {
  return is_signed ? -(1 << (bits - 1)) : 0;
}
constexpr int highest_integer(int bits, bool is_signed) {
  return is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
}

}  // namespace abacus::quant
