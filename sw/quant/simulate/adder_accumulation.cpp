#include "sw/quant/simulate/adder_accumulation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace abacus::quant {
namespace {

// Reused from image to image by one thread.
struct AccumulationScratch {
  std::vector<std::uint16_t> indices;  // of the stored integers in Group::operand
  std::vector<std::int32_t> columns;
  std::vector<std::int16_t> planes;  // [channel][phase][row][column], zeros around
  std::vector<std::int32_t> sums;    // Σ over channels of a plane's operands
  std::vector<std::int32_t> window;  // Σ over the taps: shared by the group's output channels
  std::vector<std::int32_t> maxima;  // [channel of the tile][position]
};

using Geometry = AdderAccumulation::Geometry;

// docs/arithmetic.md's read quantizer, as a table over all stored integers.
std::vector<std::int16_t> operand_table(const QuantizedConvolution& convolution,
                                        const network::ReadQuantizer& quantizer,
                                        const network::StoredTensor& stored) {
  const int bits = convolution.activation_bits;
  const bool is_signed = convolution.activation_signed;
  std::vector<std::int16_t> table;
  for (std::int64_t value = stored.lowest(); value <= stored.highest(); ++value) {
    const std::int64_t half = quantizer.shift == 0 ? 0 : std::int64_t{1} << (quantizer.shift - 1);
    const std::int64_t operand = (value * quantizer.multiplier + half) >> quantizer.shift;
    const std::int64_t clamped = std::clamp<std::int64_t>(operand, lowest_integer(bits, is_signed),
                                                          highest_integer(bits, is_signed));
    table.push_back(static_cast<std::int16_t>(clamped * (1 << convolution.activation_shift)));
  }
  return table;
}

// Fills the planes with one group's operands, and their sums over the channels.
void read_image(const Geometry& g, const AdderAccumulation::Group& group,
                AccumulationScratch& scratch) {
  scratch.planes.assign(
      static_cast<std::size_t>(g.input_channels * g.channel) + kernels::maxima_slack, 0);
  scratch.sums.assign(static_cast<std::size_t>(g.channel) + kernels::maxima_slack, 0);
  for (int c = 0; c < g.input_channels; ++c) {
    for (int y = 0; y < g.height; ++y) {
      const std::int64_t first = (std::int64_t{c} * g.height + y) * g.width;
      const int row = y + g.padding;
      const std::int64_t at = (row % g.stride) * g.stride * g.phase + (row / g.stride) * g.row;
      std::int16_t* const to = scratch.planes.data() + c * g.channel + at;
      std::int32_t* const sum = scratch.sums.data() + at;
      for (int x = 0; x < g.width; ++x) {
        const std::int16_t operand =
            group.operand[scratch.indices[static_cast<std::size_t>(first + x)]];
        const std::int32_t column = scratch.columns[static_cast<std::size_t>(x)];
        to[column] = operand;
        sum[column] += operand;
      }
    }
  }
  scratch.window.assign(static_cast<std::size_t>(g.positions), 0);
  for (int ky = 0; ky < g.kernel; ++ky) {
    for (int kx = 0; kx < g.kernel; ++kx) {
      const std::int32_t* from = scratch.sums.data() +
                                 ((ky % g.stride) * g.stride + kx % g.stride) * g.phase +
                                 (ky / g.stride) * g.row + kx / g.stride;
      for (int p = 0; p < g.positions; ++p) scratch.window[static_cast<std::size_t>(p)] += from[p];
    }
  }
}

// |a − w| = 2 max(a, w) − a − w.
void accumulate_group(const Geometry& g, const AdderAccumulation::Group& group, float* accumulators,
                      AccumulationScratch& scratch) {
  read_image(g, group, scratch);
  const std::size_t stride = static_cast<std::size_t>(g.positions) + kernels::maxima_slack;
  const std::size_t channel_weights =
      static_cast<std::size_t>(g.input_channels) * g.kernel * g.kernel;
  for (std::size_t first = 0; first < group.channels.size();
       first += kernels::maxima_channels_together) {
    const std::size_t count =
        std::min<std::size_t>(kernels::maxima_channels_together, group.channels.size() - first);
    scratch.maxima.assign(count * stride, 0);
    kernels::add_maxima(g, static_cast<int>(count), scratch.planes.data(),
                        group.weights.data() + first * channel_weights, scratch.maxima.data(),
                        stride);
    for (std::size_t c = 0; c < count; ++c) {
      const std::int32_t weight_sum = group.weight_sums[first + c];
      float* to =
          accumulators + std::int64_t{group.channels[first + c]} * g.output_height * g.output_width;
      for (int y = 0; y < g.output_height; ++y) {
        const std::int32_t* maxima = scratch.maxima.data() + c * stride + y * g.row;
        const std::int32_t* window = scratch.window.data() + y * g.row;
        for (int x = 0; x < g.output_width; ++x) {
          to[y * g.output_width + x] = static_cast<float>(2 * maxima[x] - window[x] - weight_sum);
        }
      }
    }
  }
}

int ceil_divide(int a, int b) { return (a + b - 1) / b; }

}  // namespace

AdderAccumulation::AdderAccumulation(const QuantizedConvolution& convolution,
                                     const std::vector<network::ReadQuantizer>& read_quantizers,
                                     const network::StoredTensor& stored, int kernel, int stride,
                                     int padding)
    : input_channels_(stored.shape.channels),
      height_(stored.shape.height),
      width_(stored.shape.width),
      lowest_(stored.lowest()),
      kernel_(kernel),
      stride_(stride),
      padding_(padding),
      output_channels_(static_cast<int>(convolution.group.size())) {
  const std::size_t size = static_cast<std::size_t>(input_channels_) * kernel * kernel;
  for (std::size_t g = 0; g < read_quantizers.size(); ++g) {
    Group group;
    group.operand = operand_table(convolution, read_quantizers[g], stored);
    for (const std::int16_t operand : group.operand) {
      largest_ = std::max(largest_, std::abs(int{operand}));
    }
    for (std::size_t o = 0; o < convolution.group.size(); ++o) {
      if (convolution.group[o] != static_cast<std::int32_t>(g)) continue;
      group.channels.push_back(static_cast<int>(o));
      std::int32_t sum = 0;
      for (std::size_t i = o * size; i < (o + 1) * size; ++i) {
        const int weight = convolution.weights[i] * (1 << convolution.weight_shift);
        group.weights.push_back(static_cast<std::int16_t>(weight));
        largest_ = std::max(largest_, std::abs(weight));
        sum += weight;
      }
      group.weight_sums.push_back(sum);
    }
    groups_.push_back(std::move(group));
  }
}

void AdderAccumulation::run(std::int64_t batch, const float* stored, float* accumulators) const {
  Geometry g{};
  g.input_channels = input_channels_;
  g.height = height_;
  g.width = width_;
  g.lowest = lowest_;
  g.kernel = kernel_;
  g.stride = stride_;
  g.padding = padding_;
  g.output_channels = output_channels_;
  g.output_height = output_height();
  g.output_width = output_width();
  g.row = ceil_divide(width_ + 2 * padding_, stride_);
  g.phase = std::int64_t{g.row} * ceil_divide(height_ + 2 * padding_, stride_);
  g.channel = g.phase * stride_ * stride_;
  g.positions = (g.output_height - 1) * g.row + g.output_width;
  g.taps_between_widenings = 32767 / largest_;
  const std::int64_t in = std::int64_t{input_channels_} * height_ * width_;
  const std::int64_t out = std::int64_t{output_channels_} * g.output_height * g.output_width;
#pragma omp parallel
  {
    AccumulationScratch scratch;
    // Where column x of the image lies in a row of planes.
    for (int x = padding_; x < width_ + padding_; ++x) {
      scratch.columns.push_back(static_cast<std::int32_t>((x % stride_) * g.phase + x / stride_));
    }
    scratch.indices.resize(static_cast<std::size_t>(in));
#pragma omp for schedule(dynamic, 2)
    for (std::int64_t n = 0; n < batch; ++n) {
      for (std::int64_t i = 0; i < in; ++i) {
        scratch.indices[static_cast<std::size_t>(i)] =
            static_cast<std::uint16_t>(static_cast<int>(stored[n * in + i]) - lowest_);
      }
      for (const Group& group : groups_) {
        accumulate_group(g, group, accumulators + n * out, scratch);
      }
    }
  }
}

}  // namespace abacus::quant
