// Runs a quantized network with torch on its exact grids ("fake quantization"): operands,
// accumulators and stored tensors hold the integers that the hardware would.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sw/quant/plan/quantized_network.hpp"
#include "sw/quant/simulate/adder_accumulation.hpp"
#include "sw/quant/simulate/exponent_accumulation.hpp"
#include "sw/quant/simulate/table_accumulation.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

// What lies between accumulators and stored tensors.
enum class ScaleArithmetic {
  // BatchNorm and scales as they are, in float32; follows BatchNorm's channels as they change.
  real,
  // The 16-bit multipliers, biases and shifts of to_integer_network(), in 64-bit integers: every
  // tensor is the hardware's, bit for bit. Taken from the network when the simulation is made.
  fixed_point
};

// Accumulators are exact and never saturate here: sums of integers, or of multiples of 2^−fraction_bits. Where
// they may pass 2^24 of these, an ordinary layer is summed in float64; an adder layer does not (9 taps of
// 3,600 channels at 8 bits).
class Simulation {
 public:
  // Keeps a reference: BatchNorm's channels may change between calls (ScaleArithmetic::real).
  explicit Simulation(QuantizedNetwork& network, ScaleArithmetic scales = ScaleArithmetic::real);

  // Real class scores, N × classes, of normalised images, N×C×H×W.
  torch::Tensor forward(const torch::Tensor& images);

  // forward() step by step; all tensors are N×C×H×W, stored integers in float32.
  torch::Tensor store_image(const torch::Tensor& images) const;
  // `residual`: undefined where the layer has none.
  torch::Tensor run_layer(std::size_t index, const torch::Tensor& input,
                          const torch::Tensor& residual);
  // A convolution's accumulators; float64 where float32 would not be exact.
  torch::Tensor accumulate(std::size_t index, const torch::Tensor& input) const;
  // What one group of a convolution reads: operands, shifted.
  torch::Tensor operands(std::size_t index, std::size_t group, const torch::Tensor& input) const;
  // To be called when a convolution's weights or read quantizers have changed.
  void prepare(std::size_t index);

  // BatchNorm re-estimation (ScaleArithmetic::real): between begin and end, every forward pass
  // normalises with its own batch's statistics, all BatchNorms in one pass; end() makes the mean over
  // all batches each BatchNorm's mean and variance.
  void begin_re_estimation();
  void end_re_estimation();

 private:
  struct Statistics {
    std::vector<double> mean, variance;  // sums over the batches
  };
  // A convolution's weights, ready for use; which of them depends on its arithmetic.
  struct Prepared {
    std::unique_ptr<AdderAccumulation> adder;
    std::unique_ptr<ExponentAccumulation> exponents;
    std::unique_ptr<TableAccumulation> table;
    torch::Tensor weights;
    std::optional<network::AdapterNetwork> adapter;
  };

  // β of each image, in units of 2^−step_factor_bits; empty for layers without an adapter.
  std::vector<int> step_factors_of(std::size_t index, const torch::Tensor& input) const;
  // run_layer() with ScaleArithmetic::fixed_point.
  torch::Tensor run_on_integers(std::size_t index, const torch::Tensor& input,
                                const torch::Tensor& residual) const;
  torch::Tensor scale(std::size_t index, const torch::Tensor& input,
                      const torch::Tensor& residual) const;
  torch::Tensor convolve(std::size_t index, const torch::Tensor& input,
                         const torch::Tensor& residual);
  void observe(std::size_t index, const torch::Tensor& accumulators);

  QuantizedNetwork& network_;
  std::optional<network::IntegerNetwork> integer_;  // fixed_point only
  std::vector<Prepared> prepared_;
  bool re_estimating_ = false;
  std::vector<Statistics> statistics_;
  int batches_ = 0;
};

}  // namespace abacus::quant
