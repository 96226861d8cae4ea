// The integer grid that an adder layer's two operands share.
#pragma once

#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus::quant {

// The steps of a group's two grids: activations' and weights' steps are one unit times powers of
// two, so that |(a << activation_shift) − (w << weight_shift)| · unit is their distance.
struct AdderGrid {
  double unit = 1;
  int activation_shift = 0;
  int weight_shift = 0;
  int activation_lowest = 0, activation_highest = 0;  // operands before the shift
  int weight_lowest = 0, weight_highest = 0;

  double activation_step() const;
  double weight_step() const;
};

// The finest such grids with which both operands reach the range s. A signed operand's step is at
// least 2s/(2^bits − 1) (AdderQuant's eq. 3), an unsigned one's s/(2^bits − 1). The exponent between
// the two steps is the one for which both are nearest to these, the same for every range: for equal
// widths 0 where both are signed or both unsigned, weight_shift 1 for unsigned activations.
// Throws std::invalid_argument for widths outside 2 … 8 or a range that is not above 0.
AdderGrid adder_grid(double range, int weight_bits, int activation_bits, OperandGrid grid);

}  // namespace abacus::quant
