// A quantized network's layers with gradients: the integer arithmetic of docs/arithmetic.md on
// float tensors that hold integers, its roundings passed straight through on the way back.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "sw/quant/plan/quantized_network.hpp"
#include "sw/quant/reconstruct/reconstruction_units.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/torch.hpp"
namespace abacus::quant {

// ⌊x + 1/2⌋ within [lowest, highest]. Gradient 1 where x rounds to a value within, else 0.
torch::Tensor round_straight_through(const torch::Tensor& values, double lowest, double highest);

enum class NormalizationMode {
  batch,    // BatchNorm by the batch's own mean and variance, as in training
  observe,  // likewise, and remembers them for use_observed_statistics()
  fixed     // by the network's BatchNorm statistics
};

// One convolution of the network. Shapes: weights output channel × input channel × ky × kx.
struct TrainableConvolution {
  // Weights in units of the grid's step, before rounding; grad of their own.
  torch::Tensor weights;
  double lowest_weight = 0, highest_weight = 0;
  // Operand step over the one that the network had; one a group.
  torch::Tensor step_ratio;
  torch::Tensor norm_weight, norm_bias;  // BatchNorm's; undefined without one
  // In place of the rounded `weights`, if set: integers (or soft ones) of the same shape.
  std::function<torch::Tensor()> rounded_weights;
};

// The layers of one unit, ready to learn. Keeps a reference to the network, which changes only in
// store(), use_observed_statistics() and through them.
class TrainableUnit {
 public:
  // `float_network`: the one that `network` was made from; its weights are where learning starts.
  TrainableUnit(QuantizedNetwork& network, ReconstructionUnit unit,
                const train::FloatNetwork& float_network);

  // `input`: the tensor that the unit reads, as stored integers, N×C×H×W. Returns the last layer's
  // stored integers.
  torch::Tensor forward(const torch::Tensor& input);

  void set_normalization(NormalizationMode mode);
  // false: operands are the stored values unrounded, as if activations were not quantized.
  void set_operand_rounding(bool on) { round_operands_ = on; }
  void set_learn_steps(bool on) { learn_steps_ = on; }

  // Convolutions whose weights the edge array does not have, or all.
  std::vector<TrainableConvolution*> convolutions(bool with_edges);
  TrainableConvolution* convolution(std::size_t layer);

  // Writes rounded weights, steps and BatchNorm's weight and bias into the network.
  void store();
  // BatchNorm's statistics become those of the batches observed since set_normalization(observe).
  void use_observed_statistics();

 private:
  struct Statistics {
    torch::Tensor mean, square;  // sums over the batches of the means of v and v²
    int batches = 0;
  };
  struct State {
    bool present = false;
    TrainableConvolution convolution;
    Statistics statistics;
    std::vector<torch::Tensor> group_channels;  // indices of each group's output channels
    torch::Tensor order;                        // undoes their concatenation
  };

  torch::Tensor convolve(std::size_t index, const torch::Tensor& stored,
                         const torch::Tensor& residual);
  torch::Tensor accumulate(std::size_t index, const torch::Tensor& stored);

  QuantizedNetwork& network_;
  ReconstructionUnit unit_;
  std::vector<State> states_;  // one a layer of the unit
  NormalizationMode mode_ = NormalizationMode::batch;
  bool round_operands_ = true;
  bool learn_steps_ = false;
};

}  // namespace abacus::quant
