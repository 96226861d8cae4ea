// The accumulators of an adder layer on integer operands, for the simulation,
//   Σ |(a << activation_shift) − (w << weight_shift)|:
// 16-bit vectors (adder_maxima_kernels.hpp), all OpenMP threads, the read quantizer and the groups
// included. Same results on any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/kernels/adder_maxima_kernels.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/quant/plan/quantized_convolution.hpp"

namespace abacus::quant {

// What one adder layer needs, prepared once.
class AdderAccumulation {
 public:
  // `weights` of the convolution: output channel × `input_channels` × kernel × kernel. `stored`: the
  // tensor that it reads, through one read quantizer a group.
  AdderAccumulation(const QuantizedConvolution& convolution,
                    const std::vector<network::ReadQuantizer>& read_quantizers,
                    const network::StoredTensor& stored, int kernel, int stride, int padding);

  int output_channels() const { return output_channels_; }
  int output_height() const { return (height_ + 2 * padding_ - kernel_) / stride_ + 1; }
  int output_width() const { return (width_ + 2 * padding_ - kernel_) / stride_ + 1; }

  // `stored`: batch × channels × height × width, whole numbers within the tensor's range.
  // `accumulators`: batch × output channels × output height × output width.
  void run(std::int64_t batch, const float* stored, float* accumulators) const;

  // One group of output channels that read the same operands.
  struct Group {
    std::vector<std::int16_t> operand;  // by stored integer − lowest, shifted
    std::vector<int> channels;
    std::vector<std::int16_t> weights;      // channel × input channel × ky × kx, shifted
    std::vector<std::int32_t> weight_sums;  // one a channel
  };
  // Where a tap finds its operand.
  struct Geometry : kernels::MaximaShape {
    int height, width, lowest;
    int padding;
    int output_channels, output_height, output_width;
  };

 private:
  int input_channels_, height_, width_, lowest_;
  int kernel_, stride_, padding_, output_channels_;
  int largest_ = 1;  // magnitude of an operand or weight
  std::vector<Group> groups_;
};

}  // namespace abacus::quant
