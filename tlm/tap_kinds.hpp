// Taps and the processing elements that compute them: one row a kind, from which everything else that
// names, reads, writes or tells them apart is derived. A new kind of tap is an enumerator with its row
// in `tap_kinds`; a new kind of lane is a row of `processing_elements`. docs/arithmetic.md defines what
// each tap computes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace abacus::hw {

// What a tap makes of an activation a and a weight w. The value travels in commands (ConvolveFields).
enum class TapKind : std::uint8_t {
  product = 0,              // a·w
  absolute_difference = 1,  // |a − w|
  sign_product = 2,         // a·w of −1 and +1
  shifted = 3,              // ±a·2^−p
  half_shifted = 4,         // ±a·2^(−n/2), by shift or table
  twice_shifted = 5,        // ±a·(2^−p + 2^−q)
  tabulated = 6             // what the element's own table says (element_table.hpp)
};

// What the operands' bits stand for.
enum class OperandForm {
  integers,
  signs,     // one bit each: 1 for +1, 0 for −1; a padded activation is −1
  exponents  // activations are integers, weights codes of exponents ("Exponent weights")
};

struct TapKindRow {
  TapKind kind;
  OperandForm operands;
  // Of layers with such taps, in files and on command lines.
  std::string_view arithmetic;
  // Of the layers in the float checkpoint from which such layers are quantized.
  // (tabulated: of the element's steps, which decide; see its StepRule)
  TapKind trained_as;
};

inline constexpr std::array<TapKindRow, 7> tap_kinds = {{
    {TapKind::product, OperandForm::integers, "cnn", TapKind::product},
    {TapKind::absolute_difference, OperandForm::integers, "adder", TapKind::absolute_difference},
    {TapKind::sign_product, OperandForm::signs, "bnn", TapKind::sign_product},
    {TapKind::shifted, OperandForm::exponents, "shift", TapKind::shifted},
    {TapKind::half_shifted, OperandForm::exponents, "post", TapKind::product},
    {TapKind::twice_shifted, OperandForm::exponents, "apot", TapKind::product},
    {TapKind::tabulated, OperandForm::integers, "table", TapKind::product},
}};

constexpr const TapKindRow& row_of(TapKind kind) {
  return tap_kinds[static_cast<std::size_t>(kind)];
}

namespace tap_kinds_check {
constexpr bool rows_stand_at_their_values() {
  for (std::size_t i = 0; i < tap_kinds.size(); ++i) {
    if (static_cast<std::size_t>(tap_kinds[i].kind) != i) return false;
  }
  return true;
}
static_assert(rows_stand_at_their_values());
}  // namespace tap_kinds_check

// Weights are codes of exponents, not integers.
constexpr bool has_exponent_weights(TapKind kind) {
  return row_of(kind).operands == OperandForm::exponents;
}

// What one lane of an array is. Its unit, area and actions: models/elements.
struct ProcessingElementRow {
  std::string_view name;  // in scenarios
  // A layer's taps are of one of them; where they are equal, the lane has one unit.
  std::array<TapKind, 2> taps;
};

// Where several compute a kind of tap, the first one is what such layers ask for.
inline constexpr std::array<ProcessingElementRow, 8> processing_elements = {{
    {"adder", {TapKind::absolute_difference, TapKind::absolute_difference}},
    {"mac", {TapKind::product, TapKind::product}},
    {"xnor", {TapKind::sign_product, TapKind::sign_product}},
    {"shift", {TapKind::shifted, TapKind::shifted}},
    {"shift-add", {TapKind::shifted, TapKind::absolute_difference}},
    {"post", {TapKind::half_shifted, TapKind::half_shifted}},
    {"apot", {TapKind::twice_shifted, TapKind::twice_shifted}},
    {"table", {TapKind::tabulated, TapKind::tabulated}},
}};

// A kind of processing element: a row of the table, found by its name or by what it computes.
class ProcessingElementKind {
 public:
  // Throws std::invalid_argument naming the text and the allowed names.
  constexpr ProcessingElementKind(const char* name)
      : ProcessingElementKind(std::string_view(name)) {}
  constexpr explicit ProcessingElementKind(std::string_view name) : row_(find(name)) {}
  // The first one whose lanes compute both kinds of taps.
  constexpr explicit ProcessingElementKind(TapKind tap) : ProcessingElementKind(tap, tap) {}
  constexpr ProcessingElementKind(TapKind one, TapKind other) : row_(find(one, other)) {}

  constexpr std::string_view name() const { return row().name; }
  // Whether its lanes compute taps of that kind.
  constexpr bool computes(TapKind tap) const {
    return row().taps[0] == tap || row().taps[1] == tap;
  }
  // Whether its lanes compute all that the lanes of another kind compute.
  constexpr bool computes(ProcessingElementKind other) const {
    return computes(other.row().taps[0]) && computes(other.row().taps[1]);
  }
  constexpr bool has_exponent_weights() const {
    return abacus::hw::has_exponent_weights(row().taps[0]) ||
           abacus::hw::has_exponent_weights(row().taps[1]);
  }
  constexpr bool operator==(ProcessingElementKind other) const { return row_ == other.row_; }
  constexpr bool operator!=(ProcessingElementKind other) const { return row_ != other.row_; }

 private:
  constexpr const ProcessingElementRow& row() const { return processing_elements[row_]; }
  static constexpr std::size_t find(TapKind one, TapKind other) {
    for (std::size_t i = 0; i < processing_elements.size(); ++i) {
      const std::array<TapKind, 2>& taps = processing_elements[i].taps;
      if ((taps[0] == one || taps[1] == one) && (taps[0] == other || taps[1] == other)) return i;
    }
    throw std::invalid_argument("no processing elements compute the taps of " +
                                std::string(row_of(one).arithmetic) + " and " +
                                std::string(row_of(other).arithmetic));
  }
  static constexpr std::size_t find(std::string_view name) {
    for (std::size_t i = 0; i < processing_elements.size(); ++i) {
      if (processing_elements[i].name == name) return i;
    }
    throw std::invalid_argument(unknown(name));
  }
  static std::string unknown(std::string_view name) {
    std::string names;
    for (const ProcessingElementRow& row : processing_elements) {
      names += (names.empty() ? "" : ", ") + std::string(row.name);
    }
    return "unknown kind of processing element \"" + std::string(name) + "\"; allowed: " + names;
  }

  std::size_t row_;
};

inline std::string to_string(ProcessingElementKind kind) { return std::string(kind.name()); }

}  // namespace abacus::hw
