// Taps of any function as products and looked-up bytes, so that vectors add them up:
//
//   tap(a, w) = Σ digits  digit(w) · a · 2^scale
//             + Σ passes  multiplier(w) · byte(entry(w), a) + constant(w)
//
// An exponent weight's tap is nearly a multiple of the activation (docs/arithmetic.md, "Exponent
// weights"): what a shift drops and a lookup table rounds is a byte, and of bytes that differ as
// functions of a there are few: one for each exponent whose tap is no exact multiple, whatever its sign.
// A pass holds up to 32 of them, and a weight names one. The digits are weights of the kernels of
// products (kernels.hpp), the passes those of pass_kernels.hpp.
//
// The parts are found by trying every pair of operands; nothing here knows what a tap means.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/elements/tap_format.hpp"

namespace abacus::models {

class TapParts {
 public:
  // In front of each digit and of the first pass, what has been summed so far is shifted left by
  // `shift`.
  struct Digit {
    int shift = 0;
    std::array<std::int16_t, 256> value{};  // by the weight's field
  };
  struct Pass {
    int entries = 0;                        // 8, 16 or 32
    std::vector<std::uint8_t> bytes;        // [low byte of the operand][entry]
    std::array<std::uint8_t, 256> entry{};  // by the weight's field
    std::array<std::int8_t, 256> multiplier{};
    int largest_multiplier = 0;
  };

  struct Limits {
    int digit_bits = 8;  // 8: digits −127 … 127, one or two of them; 16: one
    std::size_t passes = 4;
    int least_entries = 8;  // of a pass
  };
  // zero: operand of a = 0. Nothing where the taps are too far from multiples of the activation, or differ
  // from them by too many functions.
  static std::optional<TapParts> split(const TapFormat& format, const Limits& limits, int zero);

  const std::vector<Digit>& digits() const { return digits_; }
  const std::vector<Pass>& passes() const { return passes_; }
  int pass_shift() const { return pass_shift_; }
  // By the weight's field; where none is other than 0, has_constants() is false.
  const std::array<std::int32_t, 256>& constants() const { return constants_; }
  bool has_constants() const { return has_constants_; }
  // Largest |tap|, by the weight's field.
  const std::array<std::int32_t, 256>& bounds() const { return bounds_; }

 private:
  TapParts(const TapFormat& format, const Limits& limits, int zero);
  using Function = std::vector<int>;  // of the activation, from the lowest on
  struct Taps;
  std::vector<Taps> all_taps(const TapFormat& format);
  bool split_multiples(const std::vector<Taps>& all);
  void set_digit(std::size_t digit, const Taps& taps, int value);
  // What the digits leave of a weight's taps.
  Function rest(const Taps& taps) const;
  bool add_rests(const std::vector<Taps>& all);
  void fill_passes();
  bool add_bytes(const Taps& taps, int multiplier, const Function& values);
  std::int64_t multiple(int field) const;

  Limits limits_;
  int lowest_;
  int highest_;
  int zero_;
  std::vector<Digit> digits_;
  std::vector<Pass> passes_;
  std::vector<std::vector<Function>> entries_;  // of the passes, while they grow
  int pass_shift_ = 0;
  std::array<std::int32_t, 256> constants_{};
  bool has_constants_ = false;
  std::array<std::int32_t, 256> bounds_{};
};

}  // namespace abacus::models
