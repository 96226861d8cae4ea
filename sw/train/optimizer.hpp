// Stochastic gradient descent as AdderNet trains with it, and Adam for fine-tuning.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sw/network/safetensors.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/torch.hpp"

namespace abacus::train {

enum class OptimizerMethod { sgd, adam };
std::string to_string(OptimizerMethod method);
OptimizerMethod optimizer_method_from_string(
    const std::string& text);  // throws std::invalid_argument
std::vector<std::string> optimizer_method_names();

struct OptimizerOptions {
  double momentum = 0.9;
  double weight_decay = 5e-4;
  bool nesterov = false;
  // η of AdderNet's adaptive rate: the gradient of an adder layer's weights is replaced by
  // η·√k·dW / max(‖dW‖₂, 1e-12), k = number of weights of the layer (AdderNet, CVPR 2020, eq. 13;
  // η = 0.2 as in the authors' code).
  double adder_rate = 0.2;  // sgd alone
  OptimizerMethod method = OptimizerMethod::sgd;
};

// sgd:
// g ← (adaptive rate) dW + weight_decay·W;  v ← momentum·v + g;
// W ← W − learning_rate·(nesterov ? g + momentum·v : v).
// adam (Kingma & Ba, ICLR 2015, algorithm 1, β1 = momentum, β2 = 0.999, ε = 1e-8; weight decay apart
// from the gradient, Loshchilov & Hutter, ICLR 2019):
// m ← β1·m + (1 − β1)·dW;  v ← β2·v + (1 − β2)·dW²;
// W ← W − learning_rate·(m/(1 − β1ᵗ) / (√(v/(1 − β2ᵗ)) + ε) + weight_decay·W).
class Optimizer {
 public:
  Optimizer(FloatNetwork& network, const OptimizerOptions& options);

  void clear_gradients();
  void step(double learning_rate);

  // Momentum under the parameters' names; of adam also NAME.square and the number of steps.
  std::map<std::string, network::Tensor> state() const;
  void set_state(const std::map<std::string, network::Tensor>& state);

 private:
  // All parameters that have a gradient, one behind the other in the order of trainable(): on a GPU
  // one operation on all of them takes hardly longer than one on one of them.
  struct StepTensors {
    std::vector<torch::Tensor> weights, gradients, velocities, squares;
  };
  void scale_adder_gradients(std::vector<torch::Tensor>& gradients,
                             const std::vector<std::size_t>& adders) const;
  void step_sgd(const StepTensors& of, double learning_rate);
  void step_adam(const StepTensors& of, double learning_rate);

  FloatNetwork& network_;
  OptimizerOptions options_;
  std::map<std::string, torch::Tensor> velocity_;
  std::map<std::string, torch::Tensor> square_;  // adam
  std::int64_t steps_ = 0;
};

// ‖·‖₂ of each, in float32; on any device.
std::vector<double> norms_of(const std::vector<torch::Tensor>& tensors);

// Learning rate at a point of training, in epochs (fractions are within an epoch): linear from 0
// over `warmup` epochs, then a half cosine to 0 at `epochs`.
double cosine_rate(double base, double epoch, double epochs, double warmup);

}  // namespace abacus::train
