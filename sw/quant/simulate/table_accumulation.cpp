#include "sw/quant/simulate/table_accumulation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace abacus::quant {
namespace {

constexpr std::size_t row_entries = 256;

}  // namespace

TableAccumulation::TableAccumulation(const QuantizedConvolution& convolution,
                                     const std::vector<network::ReadQuantizer>& read_quantizers,
                                     const network::StoredTensor& stored, int kernel, int stride,
                                     int padding)
    : stored_(stored),
      kernel_(kernel),
      stride_(stride),
      padding_(padding),
      group_(convolution.group) {
  const hw::ElementTable& element = *convolution.element;
  const int lowest = element.lowest_activation();
  padding_column_ = static_cast<std::uint8_t>(-lowest);
  // docs/arithmetic.md's read quantizer, for all stored integers.
  for (const network::ReadQuantizer& quantizer : read_quantizers) {
    Columns& columns = columns_.emplace_back();
    const std::int64_t half = quantizer.shift == 0 ? 0 : std::int64_t{1} << (quantizer.shift - 1);
    for (std::int64_t value = stored.lowest(); value <= stored.highest(); ++value) {
      const std::int64_t operand = (value * quantizer.multiplier + half) >> quantizer.shift;
      columns.push_back(static_cast<std::uint8_t>(
          std::clamp<std::int64_t>(operand, lowest, element.highest_activation()) - lowest));
    }
  }
  taps_.resize(static_cast<std::size_t>(element.rows()) * row_entries);
  std::vector<std::int64_t> largest(static_cast<std::size_t>(element.rows()));
  for (int row = 0; row < element.rows(); ++row) {
    for (int column = 0; column < element.columns(); ++column) {
      const std::int32_t tap = element.tap(lowest + column, element.lowest_weight() + row);
      const auto at = static_cast<std::size_t>(row);
      taps_[at * row_entries + static_cast<std::size_t>(column)] = tap;
      largest[at] = std::max<std::int64_t>(largest[at], std::abs(tap));
    }
  }
  const std::size_t size = convolution.weights.size() / group_.size();
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < convolution.weights.size(); ++i) {
    rows_.push_back(static_cast<std::int16_t>(convolution.weights[i] - element.lowest_weight()));
    sum = (i % size == 0 ? 0 : sum) + largest[static_cast<std::size_t>(rows_.back())];
    largest_sum_ = std::max(largest_sum_, sum);
  }
}

TableAccumulation::Columns TableAccumulation::gather(const float* stored,
                                                     const Columns& column_of) const {
  const network::Shape& shape = stored_.shape;
  const int lowest = stored_.lowest();
  Columns columns;
  columns.reserve(static_cast<std::size_t>(shape.channels) * kernel_ * kernel_ * output_height() *
                  output_width());
  for (int c = 0; c < shape.channels; ++c) {
    const float* const plane = stored + std::int64_t{c} * shape.height * shape.width;
    for (int ky = 0; ky < kernel_; ++ky) {
      for (int kx = 0; kx < kernel_; ++kx) {
        for (int oy = 0; oy < output_height(); ++oy) {
          const int y = oy * stride_ + ky - padding_;
          for (int ox = 0; ox < output_width(); ++ox) {
            const int x = ox * stride_ + kx - padding_;
            const bool inside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
            columns.push_back(
                inside ? column_of[static_cast<std::size_t>(
                             static_cast<int>(plane[std::int64_t{y} * shape.width + x]) - lowest)]
                       : padding_column_);
          }
        }
      }
    }
  }
  return columns;
}

void TableAccumulation::run_image(const float* stored, double* accumulators) const {
  const auto positions = static_cast<std::size_t>(output_height()) * output_width();
  const std::size_t taps = rows_.size() / group_.size();
  std::vector<std::int64_t> sums(positions);
  for (std::size_t group = 0; group < columns_.size(); ++group) {
    const Columns columns = gather(stored, columns_[group]);
    for (std::size_t o = 0; o < group_.size(); ++o) {
      if (static_cast<std::size_t>(group_[o]) != group) continue;
      std::fill(sums.begin(), sums.end(), 0);
      const auto row = [&](std::size_t tap) {
        return taps_.data() + static_cast<std::size_t>(rows_[o * taps + tap]) * row_entries;
      };
      // Four taps at a time, so that sums are not loaded and stored for every one.
      std::size_t tap = 0;
      for (; tap + 4 <= taps; tap += 4) {
        const std::int32_t* const r[] = {row(tap), row(tap + 1), row(tap + 2), row(tap + 3)};
        const std::uint8_t* const at = columns.data() + tap * positions;
        for (std::size_t p = 0; p < positions; ++p) {
          sums[p] += r[0][at[p]] + r[1][at[positions + p]] + r[2][at[2 * positions + p]] +
                     r[3][at[3 * positions + p]];
        }
      }
      for (; tap < taps; ++tap) {
        const std::uint8_t* const at = columns.data() + tap * positions;
        for (std::size_t p = 0; p < positions; ++p) sums[p] += row(tap)[at[p]];
      }
      for (std::size_t p = 0; p < positions; ++p) {
        accumulators[o * positions + p] = static_cast<double>(sums[p]);
      }
    }
  }
}

void TableAccumulation::run(std::int64_t batch, const float* stored, double* accumulators) const {
  const std::int64_t outputs =
      std::int64_t{1} * output_channels() * output_height() * output_width();
#pragma omp parallel for
  for (std::int64_t n = 0; n < batch; ++n) {
    run_image(stored + n * stored_.shape.elements(), accumulators + n * outputs);
  }
}

}  // namespace abacus::quant
