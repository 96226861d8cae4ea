// Operands of a tap as a command states them: their kind, widths, signs, shifts, ranges; and the table of
// the array that executes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tlm/command.hpp"
#include "tlm/element_table.hpp"
#include "tlm/operand_format.hpp"
#include "tlm/tap_kinds.hpp"

namespace abacus::models {

struct TapFormat : hw::OperandFormat {
  hw::TapKind kind = hw::TapKind::absolute_difference;
  int fraction_bits = 0;    // exponent weights only
  int levels = 0;           // exponent weights only: a weight is a code −levels … levels
  int first_term_bits = 1;  // twice_shifted only, as the exponents: see ConvolveFields
  std::array<std::int8_t, 2 * hw::term_exponents> terms{};
  const hw::ElementTable* element =
      nullptr;  // tabulated only: the array's, which outlives the format

  // Those of signs are −1 and 1.
  int highest_activation() const { return signs() ? 1 : OperandFormat::highest_activation(); }
  int highest_weight() const { return signs() ? 1 : OperandFormat::highest_weight(); }
  // Value of a weight's field of weight_bits bits, before the shift.
  int decode_weight(int field) const {
    if (signs()) return field == 0 ? -1 : 1;
    return weight_signed && field > highest_weight() ? field - (1 << weight_bits) : field;
  }
  // The activation that a padded position has.
  int padding() const { return signs() ? -1 : 0; }
  bool exponents() const { return hw::has_exponent_weights(kind); }

  bool operator==(const TapFormat& other) const {
    return kind == other.kind && same_operands(other) && fraction_bits == other.fraction_bits &&
           levels == other.levels && first_term_bits == other.first_term_bits &&
           terms == other.terms && element == other.element;
  }

 private:
  // Operands −1 and +1: of one bit and signed.
  bool signs() const { return hw::row_of(kind).operands == hw::OperandForm::signs; }
};

}  // namespace abacus::models
