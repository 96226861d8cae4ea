#include "models/array/parts/pass_kernels.hpp"

#include <algorithm>
#include <cstring>

#include "models/array/parts/pass_targets.hpp"
#include "models/simd/dispatch.hpp"

namespace abacus::models {
namespace {

// What a weight is in a block.
struct Placed {
  int entry;
  int multiplier;
  int digit;
};

// Where an instruction set has the weights of a step of channels and a block of columns. put(): of a
// channel of the step and a column of the block.
template <int entries>
struct Avx512Layout {
  static constexpr int channels = entries == 8 ? 8 : 4;
  static constexpr int columns = 64 / channels;
  static constexpr std::size_t bytes = entries == 8 ? 128 : 192;
  static void put(int channel, int column, const Placed& weight, std::uint8_t* step) {
    std::uint8_t* at = step + column * channels + channel;
    at[0] = static_cast<std::uint8_t>(channel * entries + weight.entry);
    at[64] = static_cast<std::uint8_t>(weight.multiplier);
    if (entries != 8) at[128] = static_cast<std::uint8_t>(weight.digit);
  }
};

// A vector holds the bytes of two channels, a lane each, or of 32 entries those of one.
template <int entries>
struct Avx2Layout {
  static constexpr int lanes = entries / 16;  // of a channel
  static constexpr int channels = 4 / lanes;
  static constexpr int columns = 16;
  static constexpr std::size_t bytes = 128;
  static void put(int channel, int column, const Placed& weight, std::uint8_t* step) {
    constexpr std::uint8_t none = 0x80;
    const int vector = channel * lanes / 2;
    for (int part = 0; part < lanes; ++part) {
      const int lane = (channel * lanes + part) % 2;
      const int index = weight.entry - 16 * part;
      step[vector * 32 + lane * 16 + column] =
          index >= 0 && index < 16 ? static_cast<std::uint8_t>(index) : none;
      step[64 + column / 8 * 32 + lane * 16 + column % 8 * 2 + vector] =
          static_cast<std::uint8_t>(weight.multiplier);
    }
  }
};

// Calls visit(Layout()) with the layout of the instruction set.
template <typename Visit>
auto with_layout(CpuTarget target, int entries, const Visit& visit) {
  if (target == CpuTarget::avx512) {
    return entries == 8    ? visit(Avx512Layout<8>())
           : entries == 16 ? visit(Avx512Layout<16>())
                           : visit(Avx512Layout<32>());
  }
  return entries == 16 ? visit(Avx2Layout<16>()) : visit(Avx2Layout<32>());
}

// Of all columns: bytes from a step to the next, and from a group of 8 channels.
template <typename Layout>
std::size_t step_bytes(const Layout&, int columns) {
  return static_cast<std::size_t>((columns + Layout::columns - 1) / Layout::columns) *
         Layout::bytes;
}
template <typename Layout>
std::size_t group_bytes(const Layout& layout, int columns) {
  return 8 / Layout::channels * step_bytes(layout, columns);
}

template <typename Layout>
std::size_t block_bytes(const Layout& layout, const WeightShape& shape) {
  return static_cast<std::size_t>(shape.taps) * shape.channel_groups() *
         group_bytes(layout, shape.columns);
}

template <typename Layout>
void unpack(const Layout& layout, const TapParts::Pass& pass, const TapParts::Digit* digit,
            int weight_bits, const WeightShape& shape, const std::uint8_t* packed,
            std::uint8_t* blocks) {
  std::memset(blocks, 0, block_bytes(layout, shape));
  const std::uint64_t mask = (1u << weight_bits) - 1;
  const std::size_t step = step_bytes(layout, shape.columns);
  for (int row = 0; row < shape.taps * shape.channel_groups(); ++row) {
    const int channels = std::min(8, shape.channels - row % shape.channel_groups() * 8);
    for (int column = 0; column < shape.columns; ++column) {
      const std::uint64_t word = packed_word(packed, weight_bits);
      packed += weight_bits;
      std::uint8_t* block =
          blocks + static_cast<std::size_t>(column / Layout::columns) * Layout::bytes;
      for (int i = 0; i < channels; ++i) {
        const auto field = static_cast<std::size_t>(word >> i * weight_bits & mask);
        Layout::put(
            i % Layout::channels, column % Layout::columns,
            {pass.entry[field], pass.multiplier[field], digit == nullptr ? 0 : digit->value[field]},
            block + i / Layout::channels * step);
      }
    }
    blocks += group_bytes(layout, shape.columns);
  }
}

// A size that the compiler knows makes each a load and a store.
template <int entries, typename Operand>
void copy_bytes(const std::uint8_t* bytes, std::size_t operands, const Operand* activations,
                std::uint8_t* looked_up) {
  for (std::size_t i = 0; i < operands; ++i) {
    std::memcpy(looked_up + i * entries,
                bytes + std::size_t{static_cast<std::uint8_t>(activations[i])} * entries, entries);
  }
}

template <int entries>
constexpr Dispatch look_bytes_up{copy_bytes<entries, std::uint8_t>, nullptr,
                                 ABACUS_ON_X86(kernels::look_up_avx512<entries>)};

template <int entries>
void look_up(CpuTarget target, const std::uint8_t* bytes, std::size_t operands, int operand_bytes,
             const void* activations, std::uint8_t* looked_up) {
  if (operand_bytes == 1) {
    look_bytes_up<entries>[target](bytes, operands, static_cast<const std::uint8_t*>(activations),
                                   looked_up);
  } else {
    copy_bytes<entries>(bytes, operands, static_cast<const std::int16_t*>(activations), looked_up);
  }
}

// Without vectors every tap is looked up instead.
constexpr Dispatch<kernels::AccumulatePass> accumulate_strip{
    nullptr, ABACUS_ON_X86(kernels::accumulate_pass_avx2),
    ABACUS_ON_X86(kernels::accumulate_pass_avx512)};

}  // namespace

int least_entries(CpuTarget target) { return target == CpuTarget::avx512 ? 8 : 16; }

bool take_digit(CpuTarget target, const TapParts::Pass& pass) {
  return target == CpuTarget::avx512 && pass.entries > 8;
}

std::size_t pass_block_bytes(CpuTarget target, const TapParts::Pass& pass,
                             const WeightShape& shape) {
  return with_layout(target, pass.entries,
                     [&](const auto& layout) { return block_bytes(layout, shape); });
}

void unpack_pass(CpuTarget target, const TapParts::Pass& pass, const TapParts::Digit* digit,
                 int weight_bits, const WeightShape& shape, const std::uint8_t* packed,
                 std::uint8_t* blocks) {
  with_layout(target, pass.entries, [&](const auto& layout) {
    unpack(layout, pass, digit, weight_bits, shape, packed, blocks);
  });
}

void look_up(CpuTarget target, const TapParts::Pass& pass, std::size_t operands, int operand_bytes,
             const void* activations, std::uint8_t* looked_up) {
  const auto look = pass.entries == 8 ? look_up<8> : pass.entries == 16 ? look_up<16> : look_up<32>;
  look(target, pass.bytes.data(), operands, operand_bytes, activations, looked_up);
}

void accumulate_pass(CpuTarget target, const TapParts::Pass& pass, const TapGeometry& geometry,
                     const PassPart& part, const std::uint8_t* blocks, int kept_shift,
                     std::int32_t* accumulators) {
  const std::size_t group = with_layout(target, pass.entries, [&](const auto& layout) {
    return group_bytes(layout, geometry.column_blocks * 8);
  });
  const std::size_t pixel = static_cast<std::size_t>(part.groups) * 8 * pass.entries;
  const std::size_t operand_pixel = static_cast<std::size_t>(geometry.channel_groups) * 8;
  const kernels::PassStrip strip{pass.entries,
                                 2 * 255 * pass.largest_multiplier,
                                 kept_shift,
                                 part.digit_shift,
                                 geometry.kernel,
                                 part.positions,
                                 part.groups,
                                 geometry.column_blocks,
                                 pixel * geometry.stride,
                                 pixel,
                                 geometry.channel_groups * group,
                                 part.operands,
                                 operand_pixel * geometry.stride,
                                 operand_pixel,
                                 static_cast<std::size_t>(geometry.operand_row())};
  accumulate_strip[target](strip, part.rows, blocks + part.first_group * group, accumulators);
}

}  // namespace abacus::models
