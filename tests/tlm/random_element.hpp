// Described elements for tests: of any function, of none in particular.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include "tlm/element_table.hpp"

namespace abacus::test {

struct ElementOperands {
  int weight_bits = 4;
  bool weight_signed = true;
  int activation_bits = 4;
  bool activation_signed = false;
};

// The table of a function of activation and weight; tap_bits as few as hold it.
inline hw::ElementTable element_of(const ElementOperands& operands,
                                   const std::function<std::int32_t(int, int)>& tap) {
  hw::ElementTable table;
  table.name = "element of a test";
  table.weight_bits = operands.weight_bits;
  table.weight_signed = operands.weight_signed;
  table.activation_bits = operands.activation_bits;
  table.activation_signed = operands.activation_signed;
  table.tap_bits = 1;
  for (int w = table.lowest_weight(); w <= table.highest_weight(); ++w) {
    for (int a = table.lowest_activation(); a <= table.highest_activation(); ++a) {
      table.taps.push_back(tap(a, w));
      while (table.taps.back() < table.lowest_tap() || table.taps.back() > table.highest_tap()) {
        ++table.tap_bits;
      }
    }
  }
  return table;
}

inline hw::ElementTable product_element(const ElementOperands& operands) {
  return element_of(operands, [](int a, int w) { return a * w; });
}
inline hw::ElementTable difference_element(const ElementOperands& operands) {
  hw::ElementTable table = element_of(operands, [](int a, int w) { return std::abs(a - w); });
  table.scales = hw::StepRule::shared;
  table.accumulate = -1;
  return table;
}

// What a multiplier makes of operands whose partial products below 2^dropped are left out.
inline std::int32_t truncated_product(int a, int w, int dropped) {
  std::int32_t sum = 0;
  for (int bit = 0; bit < 8; ++bit) {
    if ((std::abs(w) >> bit & 1) != 0) sum += ((std::abs(a) << bit) >> dropped) << dropped;
  }
  return (a < 0) == (w < 0) ? sum : -sum;
}

// Widths from 1 bit, signs, and a function of one of several kinds: without any order, of full 24 bits, a
// product of rounded operands, a truncated product, a difference, 0.
inline hw::ElementTable random_element(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<std::uint64_t>(high - low + 1));
  };
  const ElementOperands operands{pick(1, 8), pick(0, 1) == 1, pick(1, 8), pick(0, 1) == 1};
  const int kind = pick(0, 6);
  const int dropped = pick(0, 7);
  hw::ElementTable table = element_of(operands, [&](int a, int w) -> std::int32_t {
    switch (kind) {
      case 0:
        return 0;
      case 1:
        return (a >> dropped) * (1 << dropped) * (w | 1);
      case 2:
        return truncated_product(a, w, dropped);
      case 3:
        return std::abs(a - w);
      case 4:
        return pick(-(1 << 23), (1 << 23) - 1);
      default:
        return pick(-(1 << dropped), 1 << dropped);
    }
  });
  table.accumulate = pick(0, 1) == 1 ? 1 : -1;
  table.scales = pick(0, 1) == 1 ? hw::StepRule::shared : hw::StepRule::product;
  return table;
}

}  // namespace abacus::test
