#include "models/array/lookups/lookup_tile.hpp"

#include <algorithm>

namespace abacus::models {

LookupTile::LookupTile(const TapFormat& format, CpuTarget target)
    : TapTile(format), target_(target), lookup_(format) {}

// Operands are columns of the table.
OperandLayout LookupTile::layout() const {
  const int zero = -format().lowest_activation();
  return {0, zero, format().padding() + zero, false};
}

void LookupTile::load(const WeightShape& shape, const std::uint8_t* packed) {
  shape_ = shape;
  const auto taps = static_cast<std::size_t>(shape.taps);
  const auto channels = static_cast<std::size_t>(shape.channels);
  fields_.resize(taps * channels * shape.columns);
  for_each_field(shape, format().weight_bits, packed,
                 [&](int column, int tap, int channel, std::size_t field) {
                   fields_[(column * channels + channel) * taps + tap] =
                       static_cast<std::uint8_t>(field);
                 });
}

void LookupTile::bound(const WeightShape& shape, const std::uint8_t* packed,
                       std::int64_t* bounds) const {
  std::vector<std::int64_t> falls(static_cast<std::size_t>(shape.columns), 0);
  std::fill_n(bounds, shape.columns, 0);
  for_each_field(shape, format().weight_bits, packed, [&](int column, int, int, std::size_t field) {
    bounds[column] += lookup_.rise(static_cast<int>(field));
    falls[static_cast<std::size_t>(column)] += lookup_.fall(static_cast<int>(field));
  });
  std::transform(falls.begin(), falls.end(), bounds, bounds,
                 [](std::int64_t fall, std::int64_t rise) { return std::max(fall, rise); });
}

void LookupTile::take(const TapGeometry& geometry, int rows, const std::uint8_t* operands) {
  geometry_ = geometry;
  columns_.take(geometry, shape_.channels, rows, operands);
}

void LookupTile::accumulate(int first_row, int rows, std::int32_t* accumulators) {
  const std::uint8_t* columns = columns_.gather(first_row, rows);
  const std::size_t positions = columns_.positions();
  const std::size_t taps = static_cast<std::size_t>(shape_.taps) * shape_.channels;
  const std::size_t found = static_cast<std::size_t>(rows) * geometry_.output_width;
  const auto stride = static_cast<std::size_t>(shape_.column_blocks()) * 8;
  std::int32_t* sums = sums_.reserve(positions);
  for (std::size_t column = 0; column < static_cast<std::size_t>(shape_.columns); ++column) {
    sum_lookups(target_, lookup_, columns, positions, fields_.data() + column * taps, taps, sums);
    for (std::size_t p = 0; p < found; ++p) accumulators[p * stride + column] = sums[p];
  }
}

}  // namespace abacus::models
