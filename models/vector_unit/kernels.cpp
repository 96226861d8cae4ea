#include "models/vector_unit/kernels.hpp"

#include <algorithm>
#include <cstring>

#include "models/scale_unit/kernels.hpp"

namespace abacus::models {
namespace {

// Calls `use` with a value of the type in which elements of `format` are stored.
template <typename Use>
void with_element_type(hw::ElementFormat format, const Use& use) {
  if (element_bytes(format) == 1) {
    format.is_signed ? use(std::int8_t{}) : use(std::uint8_t{});
  } else {
    format.is_signed ? use(std::int16_t{}) : use(std::uint16_t{});
  }
}

// Tensors of 16 bits need not be aligned in SRAM.
template <typename Element>
Element load(const std::uint8_t* tensor, std::size_t index) {
  if constexpr (sizeof(Element) == 1) {
    return static_cast<Element>(tensor[index]);
  } else {
    return static_cast<Element>(tensor[2 * index] | tensor[2 * index + 1] << 8);
  }
}

}  // namespace

void add_elements(const AddFormat& format, std::size_t elements, const std::uint8_t* first,
                  const std::uint8_t* second, std::uint8_t* output) {
  const std::int64_t low = format.relu ? std::max(lowest(format.output), 0) : lowest(format.output);
  const std::int64_t high = highest(format.output);
  const std::int64_t rounding = format.shift == 0 ? 0 : std::int64_t{1} << (format.shift - 1);
  const std::int64_t factor = std::int64_t{format.multiplier} << format.left_shift;
  const std::int64_t second_factor = std::int64_t{format.second_multiplier}
                                     << format.second_left_shift;
  with_element_type(format.first, [&](auto first_type) {
    with_element_type(format.second, [&](auto second_type) {
      using First = decltype(first_type);
      using Second = decltype(second_type);
      for (std::size_t i = 0; i < elements; ++i) {
        const std::int64_t sum =
            load<First>(first, i) * factor + load<Second>(second, i) * second_factor + rounding;
        store_element(output, i, format.output,
                      static_cast<int>(std::clamp(sum >> format.shift, low, high)));
      }
    });
  });
}

void pool(const PoolFormat& format, const std::uint8_t* input, std::uint8_t* output,
          std::vector<std::int64_t>& sums) {
  const std::int64_t low = lowest(format.output);
  const std::int64_t high = highest(format.output);
  const auto channels = static_cast<std::size_t>(format.channels);
  sums.resize(std::max(sums.size(), channels));
  with_element_type(format.input, [&](auto type) {
    using Element = decltype(type);
    for (int y = 0; y < format.height; ++y) {
      for (int x = 0; x < format.width; ++x) {
        for (int ky = 0; ky < format.kernel; ++ky) {
          for (int kx = 0; kx < format.kernel; ++kx) {
            const std::uint8_t* pixel =
                input + (static_cast<std::size_t>(y * format.stride + ky) * format.input_width +
                         x * format.stride + kx) *
                            channels * sizeof(Element);
            const bool first = ky == 0 && kx == 0;
            if (first) {
              for (std::size_t c = 0; c < channels; ++c) sums[c] = load<Element>(pixel, c);
            } else if (format.maximum) {
              for (std::size_t c = 0; c < channels; ++c) {
                sums[c] = std::max<std::int64_t>(sums[c], load<Element>(pixel, c));
              }
            } else {
              for (std::size_t c = 0; c < channels; ++c) sums[c] += load<Element>(pixel, c);
            }
          }
        }
        const std::size_t base = (static_cast<std::size_t>(y) * format.width + x) * channels;
        for (std::size_t c = 0; c < channels; ++c) {
          const std::int64_t rounded =
              round_shift(sums[c] * format.multiplier + format.bias, format.shift);
          store_element(output, base + c, format.output,
                        static_cast<int>(std::clamp(rounded, low, high)));
        }
      }
    }
  });
}

}  // namespace abacus::models
