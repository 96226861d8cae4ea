// The accumulators of a convolution with a described element's taps, looked up one by one, without torch; on
// all OpenMP threads, the read quantizer and the groups included. Same results on any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/quant/plan/quantized_convolution.hpp"

namespace abacus::quant {

class TableAccumulation {
 public:
  // `weights` of the convolution: output channel × input channel × kernel × kernel. `stored`: the tensor that
  // it reads, through one read quantizer a group.
  TableAccumulation(const QuantizedConvolution& convolution,
                    const std::vector<network::ReadQuantizer>& read_quantizers,
                    const network::StoredTensor& stored, int kernel, int stride, int padding);

  int output_channels() const { return static_cast<int>(group_.size()); }
  int output_height() const { return outputs(stored_.shape.height); }
  int output_width() const { return outputs(stored_.shape.width); }
  // Whether float32 holds every accumulator.
  bool fits_float() const { return largest_sum_ <= (std::int64_t{1} << 24); }

  // `stored`: batch × channels × height × width, whole numbers within the tensor's range.
  // `accumulators`: batch × output channels × output height × output width.
  void run(std::int64_t batch, const float* stored, double* accumulators) const;

 private:
  // Columns of the table: of the stored integers, and of one group's operands for every tap.
  using Columns = std::vector<std::uint8_t>;

  int outputs(int side) const { return (side + 2 * padding_ - kernel_) / stride_ + 1; }
  void run_image(const float* stored, double* accumulators) const;
  Columns gather(const float* stored, const Columns& column_of) const;

  network::StoredTensor stored_;
  int kernel_, stride_, padding_;
  std::vector<std::int32_t> group_;  // by output channel
  std::vector<std::int16_t> rows_;   // of the table: output channel × input channel × ky × kx
  std::vector<Columns> columns_;     // by group: of stored integer − lowest
  std::uint8_t padding_column_;      // of operand 0
  std::vector<std::int32_t> taps_;   // rows × 256
  std::int64_t largest_sum_ = 0;
};

}  // namespace abacus::quant
