#include "tests/models/convolve_case.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace abacus::models {
namespace {

int pick(std::mt19937& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

int bytes_of(hw::ElementFormat format) { return format.bits <= 8 ? 1 : 2; }

std::int64_t low_of(int bits, bool is_signed) {
  return is_signed ? -(std::int64_t{1} << (bits - 1)) : 0;
}
std::int64_t high_of(int bits, bool is_signed) {
  return (std::int64_t{1} << (is_signed ? bits - 1 : bits)) - 1;
}

std::int64_t round_shift_by_the_book(std::int64_t v, int s) {
  return s == 0 ? v : (v + (std::int64_t{1} << (s - 1))) >> s;
}

// |a|·2^−p in units of 2^−fraction_bits, what lies below them cut off.
std::int64_t shifted_by_the_book(const hw::ConvolveFields& f, std::int64_t a, std::int64_t p) {
  std::int64_t value = std::abs(a) * (std::int64_t{1} << f.fraction_bits);
  for (; p > 0 && value > 0; --p) value /= 2;
  return value;
}

// The tap of an activation and a code w.
std::int64_t exponent_tap_by_the_book(const hw::ConvolveFields& f, std::int64_t a, std::int64_t w) {
  const std::int64_t magnitude = std::abs(w);
  if (magnitude == 0 || magnitude > f.levels) return 0;
  std::int64_t value = 0;
  if (f.taps == hw::TapKind::shifted) {
    value = shifted_by_the_book(f, a, magnitude - 1);
  } else if (f.taps == hw::TapKind::twice_shifted) {
    const std::int64_t first = std::int64_t{1} << f.first_term_bits;
    for (const int p : {f.exponents[magnitude % first], f.exponents[16 + magnitude / first]}) {
      if (p >= 0) value += shifted_by_the_book(f, a, p);
    }
  } else if (magnitude % 2 == 1) {
    value = shifted_by_the_book(f, a, (magnitude - 1) / 2);
  } else {
    value = std::lround(std::abs(static_cast<double>(a)) * std::exp2(f.fraction_bits) /
                        std::pow(2.0, static_cast<double>(magnitude - 1) / 2));
  }
  return (a < 0) != (w < 0) ? -value : value;
}

void put(std::vector<std::uint8_t>& memory, std::size_t address, std::int64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    memory.at(address + static_cast<std::size_t>(i)) =
        static_cast<std::uint8_t>(value >> 8 * i & 0xFF);
  }
}

// Shortens the tile and moves it, until a random free place for `bytes` exists.
std::uint32_t place(std::mt19937& random, std::size_t memory, std::size_t bytes,
                    std::size_t& next) {
  const std::size_t gap = std::min<std::size_t>(random() % 37, memory - next - bytes);
  const std::size_t address = next + gap;
  next = address + bytes;
  return static_cast<std::uint32_t>(address);
}

}  // namespace

int random_value(std::mt19937& random, int bits, bool is_signed) {
  const int low = static_cast<int>(low_of(bits, is_signed));
  const int high = static_cast<int>(high_of(bits, is_signed));
  switch (random() % 8) {
    case 0:
      return low;
    case 1:
      return high;
    case 2:
      return 0;
    default:
      return pick(random, low, high);
  }
}

ConvolveCase random_case(std::mt19937& random, const hw::HardwareConfig& hardware,
                         bool edge_array) {
  const hw::PeArrayConfig& array = edge_array ? hardware.edge_array : hardware.array;
  hw::ProcessingElementKind kind = array.kind;
  if (kind == "shift-add") {
    kind = random() % 2 ? "shift" : "adder";
  }
  const bool adder = kind == "adder";
  const bool xnor = kind == "xnor";
  const bool post = kind == "post";
  const bool apot = kind == "apot";
  const bool table = kind == "table";
  const bool shifter = kind == "shift" || post || apot;
  ConvolveCase c;
  hw::ConvolveFields& f = c.fields;
  const auto random_format = [&] {
    return hw::ElementFormat{
        static_cast<std::uint8_t>(random() % 4 == 0 ? pick(random, 9, 16) : pick(random, 2, 8)),
        static_cast<std::uint8_t>(random() % 2)};
  };
  constexpr int kernels[] = {1, 3, 3, 5};
  constexpr int widths[] = {1, 2, 3, 5, 7, 8, 14, 15, 16, 17, 28, 29, 33};
  constexpr int channels[] = {1, 2, 3, 7, 8, 9, 12, 16, 20, 24, 33};
  f.edge_array = edge_array;
  f.taps = adder     ? hw::TapKind::absolute_difference
           : xnor    ? hw::TapKind::sign_product
           : post    ? hw::TapKind::half_shifted
           : apot    ? hw::TapKind::twice_shifted
           : table   ? hw::TapKind::tabulated
           : shifter ? hw::TapKind::shifted
                     : hw::TapKind::product;
  f.kernel = static_cast<std::uint8_t>(kernels[random() % 4]);
  f.stride = static_cast<std::uint8_t>(pick(random, 1, 2));
  f.padding = static_cast<std::uint8_t>(pick(random, 0, 2));
  f.input_width =
      static_cast<std::uint16_t>(std::max(widths[random() % 13], f.kernel - 2 * f.padding));
  f.input_height =
      static_cast<std::uint16_t>(std::max(pick(random, 1, 12), f.kernel - 2 * f.padding));
  f.input_channels = static_cast<std::uint16_t>(channels[random() % 11]);
  f.output_width =
      static_cast<std::uint16_t>((f.input_width + 2 * f.padding - f.kernel) / f.stride + 1);
  const int height = (f.input_height + 2 * f.padding - f.kernel) / f.stride + 1;
  f.first_output_row = static_cast<std::uint16_t>(pick(random, 0, height - 1));
  f.output_height = static_cast<std::uint16_t>(pick(random, 1, height - f.first_output_row));
  f.columns = static_cast<std::uint16_t>(random() % 3 == 0 ? array.columns
                                                           : pick(random, 1, array.columns));

  if (xnor) {
    f.weight_bits = f.activation_bits = f.weight_signed = f.activation_signed = 1;
  } else if (!table) {
    f.weight_bits = static_cast<std::uint8_t>(pick(random, 2, array.weight_bits));
    f.weight_signed = random() % 2;
    f.activation_bits = static_cast<std::uint8_t>(pick(random, 2, array.activation_bits));
    f.activation_signed = random() % 2;
  }
  if (table) {
    f.weight_bits = static_cast<std::uint8_t>(array.element->weight_bits);
    f.weight_signed = array.element->weight_signed;
    f.activation_bits = static_cast<std::uint8_t>(array.element->activation_bits);
    f.activation_signed = array.element->activation_signed;
  }
  if (shifter) {
    f.weight_signed = 1;
    const int most = (1 << (f.weight_bits - 1)) - 1;
    f.levels = static_cast<std::uint8_t>(random() % 2 ? most : pick(random, 1, most));
    f.fraction_bits = static_cast<std::uint8_t>(post ? pick(random, 2, array.table.fraction_bits)
                                                     : pick(random, 0, array.fraction_bits));
    if (post)
      f.levels = static_cast<std::uint8_t>(std::min(int{f.levels}, 2 * array.table.exponents));
  }
  if (apot) {
    const int bits = f.weight_bits - 1;
    f.first_term_bits =
        static_cast<std::uint8_t>(pick(random, std::max(1, bits - 4), std::min(4, bits)));
    for (std::int8_t& exponent : f.exponents) {
      exponent = static_cast<std::int8_t>(pick(random, -1, 10));
    }
  }
  if (adder && random() % 2 == 0) {
    // Shifted operands reach at most 512.
    const bool weight = random() % 2;
    const int bits =
        weight ? f.weight_bits - f.weight_signed : f.activation_bits - f.activation_signed;
    const int shift = std::min(7, pick(random, 0, 9 - bits));
    (weight ? f.weight_shift : f.activation_shift) = static_cast<std::uint8_t>(shift);
  }
  f.input_format = random_format();
  if (xnor || random() % 3 == 0) {
    f.read_multiplier = 1;
  } else {
    f.read_multiplier = static_cast<std::uint16_t>(pick(random, 1, 65535));
    f.read_shift = static_cast<std::uint8_t>(
        std::clamp(pick(random, 8, 20) + f.input_format.bits - f.activation_bits, 0, 31));
    if (random() % 8 == 0) f.read_shift = static_cast<std::uint8_t>(pick(random, 0, 31));
  }
  f.output_format = random_format();
  f.relu = random() % 2;
  f.shift = static_cast<std::uint8_t>(pick(random, 0, 46));
  // Usually where the results are neither all 0 nor all clamped.
  const int sum_bits = shifter ? 4 + f.activation_bits + f.fraction_bits
                       : table ? 4 + array.element->tap_bits
                               : 8 + f.weight_bits + (adder ? 0 : f.activation_bits);
  if (random() % 4 != 0) {
    f.shift = static_cast<std::uint8_t>(
        std::clamp(15 + sum_bits - f.output_format.bits + pick(random, -2, 2), 0, 46));
  }
  f.has_residual = random() % 2;
  if (f.has_residual) {
    f.residual_format = random_format();
    f.residual_multiplier = static_cast<std::uint16_t>(pick(random, 0, 65535));
    f.residual_shift = static_cast<std::uint8_t>(
        std::clamp(f.shift - 16 + f.output_format.bits - f.residual_format.bits, 0, 24));
    if (random() % 8 == 0) f.residual_shift = static_cast<std::uint8_t>(pick(random, 0, 24));
  }

  // Result channels: neighbours, a shuffled part, or spread far.
  const int spread[] = {f.columns, f.columns + 5, 40 + f.columns, 200};
  f.output_channels = static_cast<std::uint16_t>(std::max<int>(f.columns, spread[random() % 4]));
  std::vector<std::uint16_t> order(f.output_channels);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint16_t>(i);
  if (random() % 2 == 0) {
    std::shuffle(order.begin(), order.end(), random);
  } else {
    std::rotate(order.begin(), order.begin() + pick(random, 0, f.output_channels - f.columns),
                order.end());
  }
  for (int column = 0; column < f.columns; ++column) {
    hw::ScaleRecord record{};
    record.multiplier = pick(random, -32768, 32767);
    if (random() % 8 == 0) record.multiplier = -32768;
    const int bias_bits = random() % 8 == 0 ? 46 : std::min(46, int{f.shift} + 7);
    record.bias = std::uniform_int_distribution<std::int64_t>(-(std::int64_t{1} << bias_bits),
                                                              std::int64_t{1} << bias_bits)(random);
    record.output_channel = order[static_cast<std::size_t>(column)];
    c.records.push_back(record);
  }
  const auto fill = [&](std::vector<int>& values, std::size_t count, int bits, bool is_signed) {
    values.resize(count);
    for (int& value : values) value = random_value(random, bits, is_signed);
  };
  fill(c.input, std::size_t{f.input_height} * f.input_width * f.input_channels, f.input_format.bits,
       f.input_format.is_signed);
  if (f.has_residual) {
    fill(c.residual, std::size_t{f.output_height} * f.output_width * f.output_channels,
         f.residual_format.bits, f.residual_format.is_signed);
  }
  fill(c.weights, std::size_t{f.columns} * f.kernel * f.kernel * f.input_channels, f.weight_bits,
       f.weight_signed);
  if (xnor) {
    const auto share = random() % 9;  // of +1, in eighths: all of them saturate soonest
    for (int& weight : c.weights) weight = random() % 8 < share ? 1 : -1;
  }

  // Memories: the tile's input rows (some more above them), residual, output; packed weights;
  // records.
  const int first_needed = std::max(0, f.first_output_row * f.stride - f.padding);
  f.first_input_row =
      static_cast<std::uint16_t>(std::min(pick(random, 0, first_needed), f.input_height - 1));
  const std::size_t input_bytes = std::size_t{1} * (f.input_height - f.first_input_row) *
                                  f.input_width * f.input_channels * bytes_of(f.input_format);
  const std::size_t pixels = std::size_t{f.output_height} * f.output_width * f.output_channels;
  const std::size_t output_bytes = pixels * bytes_of(f.output_format);
  const std::size_t residual_bytes = f.has_residual ? pixels * bytes_of(f.residual_format) : 0;
  const auto sized = [&](std::size_t bytes) {
    std::vector<std::uint8_t> memory(bytes);
    for (auto& byte : memory) byte = static_cast<std::uint8_t>(random());
    return memory;
  };
  c.memories.activation = sized(hardware.activation_sram.bytes);
  c.memories.weight = sized(hardware.weight_sram.bytes);
  c.memories.parameter = sized(hardware.parameter_sram.bytes);
  std::size_t next = 0;
  f.input_address = place(random, c.memories.activation.size(), input_bytes, next);
  f.residual_address = place(random, c.memories.activation.size(), residual_bytes, next);
  f.output_address = place(random, c.memories.activation.size(), output_bytes, next);
  const std::size_t packed =
      std::size_t{f.kernel} * f.kernel * ((f.input_channels + 7u) / 8) * f.columns * f.weight_bits;
  // At the memory's very end, so that reading past it would show.
  f.weight_address = static_cast<std::uint32_t>(c.memories.weight.size() - packed);
  f.parameter_address =
      static_cast<std::uint32_t>(c.memories.parameter.size() - f.columns * sizeof(hw::ScaleRecord));
  fill_memories(c);
  return c;
}

void fill_memories(ConvolveCase& c) {
  const hw::ConvolveFields& f = c.fields;
  const auto row = std::size_t{f.input_width} * f.input_channels;
  for (std::size_t i = f.first_input_row * row; i < c.input.size(); ++i) {
    put(c.memories.activation,
        f.input_address + (i - f.first_input_row * row) * bytes_of(f.input_format), c.input[i],
        bytes_of(f.input_format));
  }
  for (std::size_t i = 0; i < c.residual.size(); ++i) {
    put(c.memories.activation, f.residual_address + i * bytes_of(f.residual_format), c.residual[i],
        bytes_of(f.residual_format));
  }
  // Bit by bit, in the order that ConvolveFields describes.
  std::size_t bit = std::size_t{8} * f.weight_address;
  for (int tap = 0; tap < f.kernel * f.kernel; ++tap) {
    for (int group = 0; group < (f.input_channels + 7) / 8; ++group) {
      for (int column = 0; column < f.columns; ++column) {
        for (int i = 0; i < 8; ++i) {
          const int channel = group * 8 + i;
          const int weight =
              channel < f.input_channels
                  ? c.weights[(static_cast<std::size_t>(column) * f.kernel * f.kernel + tap) *
                                  f.input_channels +
                              channel]
                  : 0;
          // A sign is the bit 1 for +1; two's complement would give −1 that bit.
          const int field = f.taps == hw::TapKind::sign_product ? weight > 0 : weight;
          for (int b = 0; b < f.weight_bits; ++b, ++bit) {
            std::uint8_t& byte = c.memories.weight.at(bit / 8);
            byte = static_cast<std::uint8_t>((byte & ~(1u << bit % 8)) |
                                             static_cast<unsigned>(field >> b & 1) << bit % 8);
          }
        }
      }
    }
  }
  std::memcpy(c.memories.parameter.data() + f.parameter_address, c.records.data(),
              c.records.size() * sizeof(hw::ScaleRecord));
}

namespace {

// ky, kx, input channel.
using Tap = std::array<int, 3>;

// What is summed exactly before each addition to the accumulator.
std::vector<std::vector<Tap>> steps_by_the_book(const hw::ConvolveFields& f,
                                                const hw::PeArrayConfig& array) {
  std::vector<std::vector<Tap>> steps;
  const bool packed = array.dataflow == "packed-windows" && f.input_channels < array.rows;
  for (int first = 0; first < f.input_channels; first += array.rows) {
    for (int ky = 0; ky < f.kernel; ++ky) {
      for (int kx = 0; kx < f.kernel; ++kx) {
        if (!packed) steps.emplace_back();
        for (int i = first; i < std::min(first + array.rows, int{f.input_channels}); ++i) {
          const bool full = steps.empty() || static_cast<int>(steps.back().size()) == array.rows;
          if (packed && full) steps.emplace_back();
          steps.back().push_back({ky, kx, i});
        }
      }
    }
  }
  return steps;
}

}  // namespace

Expected expected(const ConvolveCase& c, const hw::PeArrayConfig& array) {
  const hw::ConvolveFields& f = c.fields;
  Expected result;
  result.activation = c.memories.activation;
  const std::int64_t highest = (std::int64_t{1} << (array.accumulator_bits - 1)) - 1;
  const std::int64_t lowest = -highest - 1;
  const std::vector<std::vector<Tap>> steps = steps_by_the_book(f, array);
  for (int y = 0; y < f.output_height; ++y) {
    for (int x = 0; x < f.output_width; ++x) {
      for (int column = 0; column < f.columns; ++column) {
        std::int64_t accumulator = 0;
        for (const std::vector<Tap>& step : steps) {
          std::int64_t tree = 0;
          for (const auto& [ky, kx, i] : step) {
            const int iy = (f.first_output_row + y) * f.stride + ky - f.padding;
            const int ix = x * f.stride + kx - f.padding;
            const bool sign = f.taps == hw::TapKind::sign_product;
            std::int64_t a = sign ? -1 : 0;
            if (iy >= 0 && iy < f.input_height && ix >= 0 && ix < f.input_width) {
              const std::int64_t v =
                  c.input[(static_cast<std::size_t>(iy) * f.input_width + ix) * f.input_channels +
                          i];
              a = sign ? (v < 0 ? -1 : 1)
                       : std::clamp(round_shift_by_the_book(v * f.read_multiplier, f.read_shift),
                                    low_of(f.activation_bits, f.activation_signed),
                                    high_of(f.activation_bits, f.activation_signed));
            }
            const std::int64_t w =
                c.weights[((static_cast<std::size_t>(column) * f.kernel + ky) * f.kernel + kx) *
                              f.input_channels +
                          i];
            const bool exponents = f.taps == hw::TapKind::shifted ||
                                   f.taps == hw::TapKind::half_shifted ||
                                   f.taps == hw::TapKind::twice_shifted;
            // Row and column of a table, by the codes' low bits.
            const auto table_tap = [&] {
              const hw::ElementTable& of = *array.element;
              const std::int64_t table_row = w - low_of(of.weight_bits, of.weight_signed);
              const std::int64_t table_column =
                  a - low_of(of.activation_bits, of.activation_signed);
              return std::int64_t{of.taps.at(
                  static_cast<std::size_t>(table_row * (1 << of.activation_bits) + table_column))};
            };
            tree += f.taps == hw::TapKind::tabulated ? table_tap()
                    : exponents                      ? exponent_tap_by_the_book(f, a, w)
                    : f.taps == hw::TapKind::absolute_difference
                        ? std::abs(a * (1 << f.activation_shift) - w * (1 << f.weight_shift))
                        : a * w;
          }
          accumulator += tree;
          if (accumulator > highest || accumulator < lowest) {
            ++result.saturations;
            accumulator = std::clamp(accumulator, lowest, highest);
          }
        }
        const hw::ScaleRecord& record = c.records[static_cast<std::size_t>(column)];
        const std::size_t element =
            (static_cast<std::size_t>(y) * f.output_width + x) * f.output_channels +
            record.output_channel;
        std::int64_t p = accumulator * record.multiplier + record.bias;
        if (f.has_residual) {
          p += std::int64_t{c.residual[element]} * f.residual_multiplier *
               (std::int64_t{1} << f.residual_shift);
        }
        std::int64_t q = round_shift_by_the_book(p, f.shift);
        if (f.relu) q = std::max<std::int64_t>(q, 0);
        q = std::clamp(q, low_of(f.output_format.bits, f.output_format.is_signed),
                       high_of(f.output_format.bits, f.output_format.is_signed));
        put(result.activation, f.output_address + element * bytes_of(f.output_format), q,
            bytes_of(f.output_format));
      }
    }
  }
  return result;
}

}  // namespace abacus::models
