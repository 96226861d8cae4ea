#include "models/array/lookups/tap_lookup.hpp"

#include <algorithm>
#include <cstring>

#include "models/array/lookups/tap_lookup_targets.hpp"
#include "models/elements/processing_element.hpp"
#include "models/simd/dispatch.hpp"

namespace abacus::models {
namespace {

constexpr Dispatch sum_versions{kernels::sum_lookups_portable,
                                ABACUS_ON_X86(kernels::sum_lookups_avx2),
                                ABACUS_ON_X86(kernels::sum_lookups_avx512)};

}  // namespace

TapLookup::TapLookup(const TapFormat& format) {
  const ProcessingElement& element = processing_element(format.kind);
  const auto fields = std::size_t{1} << format.weight_bits;
  const int first = format.lowest_activation();
  columns_ = format.highest_activation() - first + 1;
  taps_.resize(fields * row_entries);
  rises_.resize(fields);
  falls_.resize(fields);
  std::int32_t highest = 0;
  for (std::size_t field = 0; field < fields; ++field) {
    for (int column = 0; column < columns_; ++column) {
      const std::int32_t tap =
          element.tap(format, first + column, format.decode_weight(static_cast<int>(field)));
      taps_[field * row_entries + static_cast<std::size_t>(column)] = tap;
      rises_[field] = std::max(rises_[field], tap);
      falls_[field] = std::max(falls_[field], -tap);
      lowest_ = std::min(lowest_, tap);
      highest = std::max(highest, tap);
    }
  }
  while (bytes_ < 4 && std::int64_t{highest} - lowest_ >= std::int64_t{1} << 8 * bytes_) ++bytes_;
  std::uint8_t* parts = parts_.reserve(static_cast<std::size_t>(bytes_) * 256 * row_entries);
  for (int byte = 0; byte < bytes_; ++byte) {
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      parts[static_cast<std::size_t>(byte) * 256 * row_entries + i] =
          static_cast<std::uint8_t>(static_cast<std::uint32_t>(taps_[i] - lowest_) >> 8 * byte);
    }
  }
}

void LookupColumns::take(const TapGeometry& geometry, int channels, int rows,
                         const std::uint8_t* operands) {
  geometry_ = geometry;
  channels_ = channels;
  rows_ = rows;
  const std::size_t positions = static_cast<std::size_t>(geometry.operand_width()) * rows;
  const std::size_t padded = static_cast<std::size_t>(geometry.channel_groups) * 8;
  std::uint8_t* planes = planes_.reserve(positions * padded);
  for (std::size_t position = 0; position < positions; ++position) {
    for (std::size_t channel = 0; channel < static_cast<std::size_t>(channels); ++channel) {
      planes[channel * positions + position] = operands[position * padded + channel];
    }
  }
}

const std::uint8_t* LookupColumns::gather(int first_row, int rows) {
  const auto width = static_cast<std::size_t>(geometry_.output_width);
  const auto stride = static_cast<std::size_t>(geometry_.stride);
  const auto row_size = static_cast<std::size_t>(geometry_.operand_width());
  positions_ = (width * rows + TapLookup::position_step - 1) / TapLookup::position_step *
               TapLookup::position_step;
  const auto taps = static_cast<std::size_t>(geometry_.kernel) * geometry_.kernel * channels_;
  std::uint8_t* to = columns_.reserve(taps * positions_);
  for (int channel = 0; channel < channels_; ++channel) {
    const std::uint8_t* plane =
        planes_.data() + static_cast<std::size_t>(channel) * row_size * rows_;
    for (int ky = 0; ky < geometry_.kernel; ++ky) {
      for (int kx = 0; kx < geometry_.kernel; ++kx) {
        for (int row = 0; row < rows; ++row) {
          const std::uint8_t* from =
              plane + ((first_row + row) * stride + static_cast<std::size_t>(ky)) * row_size +
              static_cast<std::size_t>(kx);
          std::uint8_t* at = to + static_cast<std::size_t>(row) * width;
          if (stride == 1) {
            std::memcpy(at, from, width);
          } else {
            for (std::size_t x = 0; x < width; ++x) at[x] = from[x * stride];
          }
        }
        // Columns of positions past the last: any that the table has.
        std::memset(to + width * rows, 0, positions_ - width * rows);
        to += positions_;
      }
    }
  }
  return columns_.data();
}

void sum_lookups(CpuTarget target, const TapLookup& lookup, const std::uint8_t* columns,
                 std::size_t positions, const std::uint8_t* rows, std::size_t taps,
                 std::int32_t* sums) {
  sum_versions[target](lookup, columns, positions, rows, taps, sums);
}

namespace kernels {

void sum_lookups_portable(const TapLookup& lookup, const std::uint8_t* columns,
                          std::size_t positions, const std::uint8_t* rows, std::size_t taps,
                          std::int32_t* sums) {
  std::fill_n(sums, positions, 0);
  const auto add = [&](std::size_t tap, std::size_t position) {
    return static_cast<std::uint32_t>(lookup.taps(rows[tap])[columns[tap * positions + position]]);
  };
  // Four taps at a time, so that sums are not loaded and stored for every one.
  std::size_t tap = 0;
  for (; tap + 4 <= taps; tap += 4) {
    for (std::size_t p = 0; p < positions; ++p) {
      sums[p] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[p]) + add(tap, p) +
                                          add(tap + 1, p) + add(tap + 2, p) + add(tap + 3, p));
    }
  }
  for (; tap < taps; ++tap) {
    for (std::size_t p = 0; p < positions; ++p) {
      sums[p] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[p]) + add(tap, p));
    }
  }
}

}  // namespace kernels
}  // namespace abacus::models
