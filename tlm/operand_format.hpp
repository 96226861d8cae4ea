// The operands of a convolution's taps: widths, signs, and the shifts in front of a subtraction. The one form
// in which they go from the quantizers through package and schedule to the arrays' kernels; in between, a
// command holds them as bytes (ConvolveFields).
#pragma once

namespace abacus::hw {

struct OperandFormat {
  int weight_bits = 8;
  bool weight_signed = true;
  int activation_bits = 8;
  bool activation_signed = false;
  int weight_shift = 0;  // absolute differences only, as the other
  int activation_shift = 0;

  // Ranges before the shift, of operands that are integers.
  int lowest_weight() const { return lowest(weight_bits, weight_signed); }
  int highest_weight() const { return highest(weight_bits, weight_signed); }
  int lowest_activation() const { return lowest(activation_bits, activation_signed); }
  int highest_activation() const { return highest(activation_bits, activation_signed); }

  bool same_operands(const OperandFormat& other) const {
    return weight_bits == other.weight_bits && weight_signed == other.weight_signed &&
           activation_bits == other.activation_bits &&
           activation_signed == other.activation_signed && weight_shift == other.weight_shift &&
           activation_shift == other.activation_shift;
  }
  void set_operands(const OperandFormat& other) { *this = other; }

 private:
  static constexpr int lowest(int bits, bool is_signed) {
    return is_signed ? -(1 << (bits - 1)) : 0;
  }
  static constexpr int highest(int bits, bool is_signed) {
    return (1 << (is_signed ? bits - 1 : bits)) - 1;
  }
};

}  // namespace abacus::hw
