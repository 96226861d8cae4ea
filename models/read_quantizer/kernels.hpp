// The read quantizer's arithmetic (docs/arithmetic.md, "Convolution", step 1) on the simulating
// machine, without SystemC: stored bytes in, zero-padded operands of the PE array's kernels out.
#pragma once

#include <cstdint>

#include "models/array/operand_layout.hpp"
#include "models/simd/cpu_target.hpp"
#include "tlm/command.hpp"

namespace abacus::models {

struct ReadFormat {
  hw::ElementFormat stored{8, 0};
  int multiplier = 1;
  int shift = 0;
  int activation_bits = 8;
  bool activation_signed = false;
  bool sign = false;     // operands are −1 where the stored value is negative, else +1
  bool adapted = false;  // the multiplier is a step adapter's: another one for each image

  int lowest() const { return activation_signed ? -(1 << (activation_bits - 1)) : 0; }
  int highest() const {
    if (sign) return 1;
    return activation_signed ? (1 << (activation_bits - 1)) - 1 : (1 << activation_bits) - 1;
  }
  // The activation a of stored value v.
  int quantize(std::int64_t v) const;
  // True if it passes every value of the stored format through.
  bool identity() const;
  // True if no quantizer is needed: the sign is a stored integer's top bit.
  bool wired() const { return !adapted && (sign || identity()); }
};

// How stored elements become operands.
struct ReadPlan {
  ReadFormat format;
  int activation_shift = 0;
  int zero = 0;
  int padding = 0;
  bool wide = false;    // 16-bit operands
  bool copies = false;  // bytes pass unchanged
  // By the stored byte, where elements are bytes.
  alignas(64) std::uint8_t operand8[256] = {};
  std::int16_t operand16[256] = {};
};

ReadPlan plan_read(const ReadFormat& format, const OperandLayout& layout, CpuTarget target);

// The part of the input that a tile of output rows sees. Rows and columns count in the whole input
// tensor; those outside it are padding.
struct ReadTile {
  int input_height;
  int input_width;
  int channels;
  int first_stored_row;  // row of the tensor at `input`
  int first_row;         // of the windows; negative in the padding
  int rows;              // operand rows to write
  int padding;           // positions left of the input's first
  int operand_width;     // positions an operand row has
};

// operands: [rows][operand_width][channels rounded up to 8], bytes or 16-bit integers (plan.wide).
// Padded positions get plan.padding, channels past the last plan.zero.
void read_operands(CpuTarget target, const ReadPlan& plan, const ReadTile& tile,
                   const std::uint8_t* input, void* operands);

}  // namespace abacus::models
