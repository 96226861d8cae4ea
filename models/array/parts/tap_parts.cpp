#include "models/array/parts/tap_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "models/elements/processing_element.hpp"

namespace abacus::models {
namespace {

constexpr int largest_digit = 127;
constexpr int largest_word = 32767;
constexpr int largest_byte = 255;
constexpr std::size_t most_entries = 32;

struct Range {
  int low = 0;
  int high = 0;
};

Range range_of(const std::vector<int>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

bool are_opposite(const std::vector<int>& a, const std::vector<int>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](int x, int y) { return x == -y; });
}

}  // namespace

// The taps of a weight w ≥ 0 and of −w, which are each other's negatives.
struct TapParts::Taps {
  int field;
  int negative_field;  // −1 without one
  Function values;
  double slope;  // a tap for an activation of 1, but for what is dropped or rounded
  int multiple;  // the nearest whole one
  bool exact;    // the values are this multiple
};

std::optional<TapParts> TapParts::split(const TapFormat& format, const Limits& limits, int zero) {
  TapParts parts(format, limits, zero);
  const std::vector<Taps> all = parts.all_taps(format);
  if (!parts.split_multiples(all) || !parts.add_rests(all)) return std::nullopt;
  parts.fill_passes();
  return parts;
}

TapParts::TapParts(const TapFormat& format, const Limits& limits, int zero)
    : limits_(limits),
      lowest_(format.lowest_activation()),
      highest_(format.highest_activation()),
      zero_(zero) {}

std::vector<TapParts::Taps> TapParts::all_taps(const TapFormat& format) {
  const ProcessingElement& element = processing_element(format.kind);
  const int fields = 1 << format.weight_bits;
  std::vector<Function> values(static_cast<std::size_t>(fields));
  for (int field = 0; field < fields; ++field) {
    const auto at = static_cast<std::size_t>(field);
    for (int a = lowest_; a <= highest_; ++a) {
      values[at].push_back(element.tap(format, a, format.decode_weight(field)));
      bounds_[at] = std::max(bounds_[at], std::abs(values[at].back()));
    }
  }
  std::vector<Taps> all;
  std::vector<bool> taken(values.size(), false);
  for (int field = 0; field < fields; ++field) {
    if (taken[static_cast<std::size_t>(field)]) continue;
    Taps taps{field, -1, values[static_cast<std::size_t>(field)], 0, 0, true};
    const auto opposite = static_cast<std::size_t>((fields - field) % fields);
    if (format.decode_weight(field) > 0 && are_opposite(taps.values, values[opposite])) {
      taps.negative_field = static_cast<int>(opposite);
      taken[opposite] = true;
    }
    const int farthest = -lowest_ > highest_ ? lowest_ : highest_;
    taps.slope =
        static_cast<double>(taps.values[static_cast<std::size_t>(farthest - lowest_)]) / farthest;
    taps.multiple = static_cast<int>(std::lround(taps.slope));
    for (int a = lowest_; a <= highest_; ++a) {
      taps.exact =
          taps.exact && taps.values[static_cast<std::size_t>(a - lowest_)] == taps.multiple * a;
    }
    // Small values without any order are bytes as they are.
    const Range range = range_of(taps.values);
    if (!taps.exact && range.high - range.low <= largest_byte) {
      Function left = taps.values;
      for (int a = lowest_; a <= highest_; ++a) {
        left[static_cast<std::size_t>(a - lowest_)] -= taps.multiple * a;
      }
      const Range of_left = range_of(left);
      if (of_left.high - of_left.low > largest_byte) taps.slope = taps.multiple = 0;
    }
    all.push_back(taps);
  }
  return all;
}

void TapParts::set_digit(std::size_t digit, const Taps& taps, int value) {
  digits_[digit].value[static_cast<std::size_t>(taps.field)] = static_cast<std::int16_t>(value);
  if (taps.negative_field >= 0) {
    digits_[digit].value[static_cast<std::size_t>(taps.negative_field)] =
        static_cast<std::int16_t>(-value);
  }
}

bool TapParts::split_multiples(const std::vector<Taps>& all) {
  int largest = 0;
  bool exact = true;
  for (const Taps& taps : all) {
    largest = std::max(largest, std::abs(taps.multiple));
    exact = exact && taps.exact;
  }
  digits_.resize(1);
  const bool words = limits_.digit_bits == 16;
  if (largest <= (words ? largest_word : largest_digit)) {
    for (const Taps& taps : all) set_digit(0, taps, taps.multiple);
    return true;
  }
  if (words) return false;
  // Where there are bytes anyway, they may take the last bit of a multiple, too.
  if (!exact) {
    pass_shift_ = 1;
    bool enough = true;
    for (const Taps& taps : all) {
      set_digit(
          0, taps,
          std::clamp(static_cast<int>(std::lround(taps.slope / 2)), -largest_digit, largest_digit));
      const Range range = range_of(rest(taps));
      enough =
          enough && (taps.exact ? std::abs(taps.multiple - multiple(taps.field)) <= largest_digit
                                : range.high - range.low <= largest_byte);
    }
    if (enough) return true;
    pass_shift_ = 0;
  }
  constexpr int shift = 7;
  if (largest > largest_digit << shift) return false;
  digits_.resize(2);
  digits_[1].shift = shift;
  for (const Taps& taps : all) {
    const int upper = (taps.multiple + (1 << (shift - 1))) >> shift;
    set_digit(0, taps, upper);
    set_digit(1, taps, taps.multiple - upper * (1 << shift));
  }
  return true;
}

std::int64_t TapParts::multiple(int field) const {
  std::int64_t sum = 0;
  for (const Digit& digit : digits_) {
    sum = sum * (std::int64_t{1} << digit.shift) + digit.value[static_cast<std::size_t>(field)];
  }
  return sum * (std::int64_t{1} << pass_shift_);
}

TapParts::Function TapParts::rest(const Taps& taps) const {
  Function rest = taps.values;
  const auto taken = static_cast<int>(multiple(taps.field));
  for (int a = lowest_; a <= highest_; ++a) {
    rest[static_cast<std::size_t>(a - lowest_)] -= taken * a;
  }
  return rest;
}

bool TapParts::add_rests(const std::vector<Taps>& all) {
  for (const Taps& taps : all) {
    const Function left = rest(taps);
    const Range range = range_of(left);
    if (range.low == 0 && range.high == 0) continue;
    const auto times = static_cast<int>(taps.multiple - multiple(taps.field));
    if (taps.exact && std::abs(times) <= largest_digit) {
      Function activations;
      for (int a = lowest_; a <= highest_; ++a) activations.push_back(a);
      if (!add_bytes(taps, times, activations)) return false;
      continue;
    }
    if (range.high - range.low > largest_byte || !add_bytes(taps, 1, left)) return false;
  }
  return true;
}

void TapParts::fill_passes() {
  for (std::size_t i = 0; i < passes_.size(); ++i) {
    Pass& pass = passes_[i];
    pass.entries = limits_.least_entries;
    while (static_cast<std::size_t>(pass.entries) < entries_[i].size()) pass.entries *= 2;
    pass.bytes.assign(static_cast<std::size_t>(256) * pass.entries, 0);
    for (int a = lowest_; a <= highest_; ++a) {
      const auto operand = static_cast<std::size_t>(static_cast<std::uint8_t>(a + zero_));
      for (std::size_t entry = 0; entry < entries_[i].size(); ++entry) {
        pass.bytes[operand * pass.entries + entry] =
            static_cast<std::uint8_t>(entries_[i][entry][static_cast<std::size_t>(a - lowest_)]);
      }
    }
  }
  entries_.clear();
}

bool TapParts::add_bytes(const Taps& taps, int multiplier, const Function& values) {
  // Not negative; of a function and its negative, the same one.
  Range range = range_of(values);
  const bool negated = -range.low > range.high;
  Function bytes = values;
  if (negated) {
    for (int& value : bytes) value = -value;
    range = {-range.high, -range.low};
    multiplier = -multiplier;
  }
  for (int& value : bytes) value -= range.low;

  const auto field = static_cast<std::size_t>(taps.field);
  std::size_t pass = 0;
  for (;; ++pass) {
    if (pass == passes_.size()) {
      if (pass == limits_.passes) return false;
      passes_.emplace_back();
      entries_.emplace_back();
    }
    const auto& entries = entries_[pass];
    if (entries.size() < most_entries ||
        std::find(entries.begin(), entries.end(), bytes) != entries.end()) {
      break;
    }
  }
  auto& entries = entries_[pass];
  const auto found = std::find(entries.begin(), entries.end(), bytes);
  const auto entry = static_cast<std::uint8_t>(found - entries.begin());
  if (found == entries.end()) entries.push_back(bytes);
  Pass& into = passes_[pass];
  into.entry[field] = entry;
  into.multiplier[field] = static_cast<std::int8_t>(multiplier);
  into.largest_multiplier = std::max(into.largest_multiplier, std::abs(multiplier));
  constants_[field] = multiplier * range.low;
  if (taps.negative_field >= 0) {
    const auto negative = static_cast<std::size_t>(taps.negative_field);
    into.entry[negative] = entry;
    into.multiplier[negative] = static_cast<std::int8_t>(-multiplier);
    constants_[negative] = -constants_[field];
  }
  has_constants_ = has_constants_ || constants_[field] != 0;
  return true;
}

}  // namespace abacus::models
