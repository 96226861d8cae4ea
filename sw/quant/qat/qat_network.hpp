// A float network whose forward pass computes on a plan's integer grids and whose gradients reach the
// float parameters: what quantization-aware training trains. It computes where the network does; on a
// GPU only adder networks with ranges that are not learned.
#pragma once

#include <string>
#include <vector>

#include "sw/network/graph_folding.hpp"
#include "sw/quant/fake/fake_quantization.hpp"
#include "sw/quant/fake/quantizer_functions.hpp"
#include "sw/quant/plan/adder_grid.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/train/adder_functions.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

// What training may move besides the network's parameters: s of an adder layer's groups, an ordinary
// layer's activation step, weight steps or its quantizers' other parameters.
struct LearnedRange {
  // "layer1.0.conv1.range", ".activation_step", ".weight_step", ".weight_parameters", ".adapter"
  std::string name;
  torch::Tensor values;  // float64, one dimension
  // LSQ's factor on the gradient, 1/√(N·Q): N values that share the range (of one image, or the
  // weights of a channel), Q the highest integer.
  double gradient_scale = 1;
  torch::Tensor smallest, largest;  // between which the values stay
  bool decays = false;              // at the weights' decay
  bool of_adapter = false;
};

class QatNetwork {
 public:
  // `plan` was made for the network's graph. Keeps a reference to the network, whose parameters are
  // the master weights.
  QatNetwork(train::FloatNetwork& network, const QuantizationPlan& plan);

  // Of the adder layers; AdderNet's by default. The exact one needs unsigned activations: throws
  // std::invalid_argument naming the layer that has none.
  void set_adder_gradient(train::AdderGradient gradient);

  // Of ordinary convolutions' operands, outputs and gradients, sums in float32: bfloat16 rounds what
  // is no power of two times an integer of 8 bits, so that the pass computes the simulation's integers
  // only nearly. Throws std::invalid_argument if the network cannot run in it.
  void set_precision(train::Precision precision);

  // Class scores, N × classes, of normalised images. LQ-Net's bases follow their weights in
  // BatchNormMode::training. In BatchNormMode::training every integer of the
  // pass (operands, accumulators, stored tensors) is, in float32, the one that Simulation has while it
  // re-estimates, but for float rounding on the border between two.
  torch::Tensor forward(const torch::Tensor& images);

  // Empty until learn_ranges(true). Layers at the edges keep their grids.
  std::vector<LearnedRange>& learned_ranges() { return learned_; }
  void learn_ranges(bool learn);

  // The plan that it was made with.
  const QuantizationPlan& starting_plan() const { return plan_; }
  // The plan with the ranges as they are now.
  QuantizationPlan plan() const;

 private:
  // Of one convolution.
  struct Operands {
    torch::Tensor range;                           // adder: s, one a group
    torch::Tensor activation_step;                 // ordinary: one element
    torch::Tensor weight_step;                     // ordinary: one an output channel
    torch::Tensor weight_parameters;               // ordinary, with a quantizer that has some
    torch::Tensor adapter;                         // ordinary, asq
    torch::Tensor channel_group;                   // adder: index into range, one an output channel
    std::vector<torch::Tensor> channels_of_group;  // adder, more than one group
    // Of each output channel, where the network computes; as the plan has them.
    torch::Tensor channel_range;
    torch::Tensor channel_step;   // of weights
    torch::Tensor channel_place;  // where the groups' outputs, one after the other, have channel o
  };

  torch::Tensor compute(int layer, const std::vector<torch::Tensor>& inputs);
  torch::Tensor adder(std::size_t folded, const torch::Tensor& stored);
  // On their grid; `offset`: where no BatchNorm follows, what the clamp's bias is, one an output channel.
  torch::Tensor adder_weights(std::size_t folded, const ConvolutionPlan& plan,
                              const AdderGrid& unit_grid, std::vector<double>& offset);
  torch::Tensor ordinary(std::size_t folded, const torch::Tensor& stored);
  torch::Tensor ordinary_weights(std::size_t folded, const ConvolutionPlan& plan);
  torch::Tensor ordinary_input(std::size_t folded, const ConvolutionPlan& plan,
                               const torch::Tensor& stored, torch::ScalarType type) const;
  torch::Tensor store(std::size_t folded, const torch::Tensor& values) const;
  const network::StoredTensor& stored_tensor(int index) const;
  const network::Layer& layer_of(std::size_t folded) const;
  ConvolutionPlan plan_of(std::size_t folded) const;

  train::FloatNetwork& network_;
  QuantizationPlan plan_;
  std::vector<network::FoldedLayer> folded_;
  std::vector<int> convolution_at_;  // by the network's layer: folded layer, or no_tensor
  std::vector<int> output_at_;       // likewise, of the layer whose output is stored
  std::vector<Operands> operands_;   // by folded layer
  std::vector<LearnedRange> learned_;
  train::AdderGradient gradient_ = train::AdderGradient::adder_net;
  train::Precision precision_ = train::Precision::float32;
};

}  // namespace abacus::quant
