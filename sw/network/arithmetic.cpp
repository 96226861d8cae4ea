#include "sw/network/arithmetic.hpp"

#include <stdexcept>

namespace abacus::network {
namespace {

const std::vector<Arithmetic>& all_arithmetics() {
  static const std::vector<Arithmetic> all = [] {
    std::vector<Arithmetic> arithmetics;
    for (const hw::TapKindRow& row : hw::tap_kinds) {
      arithmetics.emplace_back(row.kind);
      // Beside the kind of its first layers.
      if (row.kind == Arithmetic::shiftaddnet.first()) {
        arithmetics.push_back(Arithmetic::shiftaddnet);
      }
    }
    return arithmetics;
  }();
  return all;
}

}  // namespace

std::string to_string(Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::shiftaddnet) return "shiftaddnet";
  return std::string(hw::row_of(arithmetic.first()).arithmetic);
}

const std::vector<std::string>& arithmetic_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Arithmetic arithmetic : all_arithmetics()) all.push_back(to_string(arithmetic));
    return all;
  }();
  return names;
}

Arithmetic arithmetic_from_string(const std::string& text) {
  for (const Arithmetic arithmetic : all_arithmetics()) {
    if (text == to_string(arithmetic)) return arithmetic;
  }
  std::string allowed;
  for (const std::string& name : arithmetic_names()) {
    allowed += (allowed.empty() ? "" : ", ") + name;
  }
  throw std::invalid_argument("unknown arithmetic \"" + text + "\"; allowed: " + allowed);
}

Arithmetic checkpoint_arithmetic(Arithmetic arithmetic, const hw::ElementTable* element) {
  if (element != nullptr) {
    return element->scales == hw::StepRule::shared ? Arithmetic::adder : Arithmetic::cnn;
  }
  if (arithmetic.composite()) return arithmetic;
  return hw::row_of(arithmetic.first()).trained_as;
}

}  // namespace abacus::network
