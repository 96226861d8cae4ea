// Runs a quantized network in floating point on its exact grids ("fake quantization"): operands and
// stored tensors hold the integers that the hardware would, BatchNorm and scales stay real.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "sw/quant/adder_accumulation.hpp"
#include "sw/quant/quantized_network.hpp"

namespace abacus {

// Accumulators are exact: they are sums of integers below 2^24 in magnitude (a 9-tap adder layer of
// 3,600 channels at 8 bits). What may differ from the integer network by one unit in the last place
// is the scale unit's rounding of real factors to fixed point. Accumulators never saturate here.
class Simulation {
 public:
  // Keeps a reference: BatchNorm's channels may change between calls.
  explicit Simulation(QuantizedNetwork& network);

  // Real class scores, N × classes, of normalised images, N×C×H×W.
  torch::Tensor forward(const torch::Tensor& images);

  // BatchNorm re-estimation: between begin and end, every forward pass normalises with its own
  // batch's statistics, all BatchNorms in one pass; end() makes the mean over all batches each
  // BatchNorm's mean and variance.
  void begin_re_estimation();
  void end_re_estimation();

 private:
  struct Statistics {
    std::vector<double> mean, variance;  // sums over the batches
  };
  // A convolution's weights, ready for use; which of the two depends on its arithmetic.
  struct Prepared {
    std::unique_ptr<AdderAccumulation> adder;
    torch::Tensor weights;
  };

  torch::Tensor accumulate(std::size_t index, const torch::Tensor& stored) const;
  torch::Tensor convolve(std::size_t index, const torch::Tensor& stored,
                         const torch::Tensor& residual);
  void observe(std::size_t index, const torch::Tensor& accumulators);

  QuantizedNetwork& network_;
  std::vector<Prepared> prepared_;
  bool re_estimating_ = false;
  std::vector<Statistics> statistics_;
  int batches_ = 0;
};

}  // namespace abacus
