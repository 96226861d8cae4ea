// Stochastic gradient descent as AdderNet trains with it.
#pragma once

#include "sw/train/torch.hpp"

#include <map>
#include <string>

#include "sw/network/safetensors.hpp"
#include "sw/train/modules.hpp"

namespace abacus {

struct OptimizerOptions {
  double momentum = 0.9;
  double weight_decay = 5e-4;
  bool nesterov = false;
  // η of AdderNet's adaptive rate: the gradient of an adder layer's weights is replaced by
  // η·√k·dW / max(‖dW‖₂, 1e-12), k = number of weights of the layer (AdderNet, CVPR 2020, eq. 13;
  // η = 0.2 as in the authors' code).
  double adder_rate = 0.2;
};

// g ← (adaptive rate) dW + weight_decay·W;  v ← momentum·v + g;
// W ← W − learning_rate·(nesterov ? g + momentum·v : v).
class Optimizer {
 public:
  Optimizer(FloatNetwork& network, const OptimizerOptions& options);

  void clear_gradients();
  void step(double learning_rate);

  // Momentum under the parameters' names.
  std::map<std::string, Tensor> state() const;
  void set_state(const std::map<std::string, Tensor>& state);

 private:
  FloatNetwork& network_;
  OptimizerOptions options_;
  std::map<std::string, torch::Tensor> velocity_;
};

// Learning rate at a point of training, in epochs (fractions are within an epoch): linear from 0
// over `warmup` epochs, then a half cosine to 0 at `epochs`.
double cosine_rate(double base, double epoch, double epochs, double warmup);

}  // namespace abacus
