// A processing element that a user describes: its tap is any function of two codes, given as a table of
// their pairs. Hardware has it in its lanes (PeArrayConfig), a package of a network that was quantized for
// it carries it; sw/network/element_file.hpp reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tlm/operand_format.hpp"

namespace abacus::hw {

// How the steps of weights and activations make the step of a tap's result.
enum class StepRule {
  product,  // the product of both: as in a CNN, each operand has a step of its own
  shared    // the operands' one common step: as in an AdderNet
};
inline constexpr const char* step_rule_names[] = {"product", "shared"};
inline std::string to_string(StepRule rule) {
  return step_rule_names[static_cast<std::size_t>(rule)];
}

// Its operands: a code of b bits is the integer that it stands for, −2^(b−1) … 2^(b−1) − 1 if signed, else
// 0 … 2^b − 1; no shifts.
struct ElementTable : OperandFormat {
  static constexpr int most_operand_bits = 8;
  static constexpr int most_tap_bits = 24;

  std::string name;
  int tap_bits = 16;  // of a tap, two's complement
  StepRule scales = StepRule::product;
  // −1: the layer's output is minus the sum, as an AdderNet's. The sign is in the scale unit's multiplier.
  int accumulate = 1;
  // A row for each weight, a column for each activation, ascending codes.
  std::vector<std::int32_t> taps;

  int rows() const { return 1 << weight_bits; }
  int columns() const { return 1 << activation_bits; }
  std::int32_t lowest_tap() const { return -(std::int32_t{1} << (tap_bits - 1)); }
  std::int32_t highest_tap() const { return (std::int32_t{1} << (tap_bits - 1)) - 1; }

  // Of codes in their ranges.
  std::int32_t tap(int activation, int weight) const {
    return taps[static_cast<std::size_t>(weight - lowest_weight()) *
                    static_cast<std::size_t>(columns()) +
                static_cast<std::size_t>(activation - lowest_activation())];
  }

  // What an array computes: everything but the name.
  bool same_element(const ElementTable& other) const {
    return same_operands(other) && tap_bits == other.tap_bits && scales == other.scales &&
           accumulate == other.accumulate && taps == other.taps;
  }
};

}  // namespace abacus::hw
