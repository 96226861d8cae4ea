#include "sw/train/optimizer.hpp"

#include <algorithm>
#include <cmath>

namespace abacus {

Optimizer::Optimizer(FloatNetwork& network, const OptimizerOptions& options)
    : network_(network), options_(options) {
  for (const std::string& name : network.trainable()) {
    velocity_[name] = torch::zeros_like(network.parameter(name).detach());
  }
}

void Optimizer::clear_gradients() {
  for (const std::string& name : network_.trainable()) {
    network_.parameter(name).mutable_grad() = torch::Tensor();
  }
}

void Optimizer::step(double learning_rate) {
  torch::NoGradGuard no_gradient;
  for (const std::string& name : network_.trainable()) {
    torch::Tensor weight = network_.parameter(name);
    torch::Tensor gradient = weight.grad();
    if (!gradient.defined()) continue;
    if (network_.is_adder_weight(name)) {
      const double norm = std::max(gradient.norm().item<double>(), 1e-12);
      const double root = std::sqrt(static_cast<double>(weight.numel()));
      gradient = gradient * (options_.adder_rate * root / norm);
    }
    gradient = gradient.add(weight, options_.weight_decay);
    torch::Tensor& velocity = velocity_.at(name);
    velocity.mul_(options_.momentum).add_(gradient);
    const torch::Tensor step =
        options_.nesterov ? gradient.add(velocity, options_.momentum) : velocity;
    weight.add_(step, -learning_rate);
  }
}

std::map<std::string, Tensor> Optimizer::state() const {
  std::map<std::string, Tensor> result;
  for (const auto& [name, velocity] : velocity_) result[name] = from_torch(velocity);
  return result;
}

void Optimizer::set_state(const std::map<std::string, Tensor>& state) {
  for (auto& [name, velocity] : velocity_) velocity.copy_(to_torch(state.at(name)));
}

double cosine_rate(double base, double epoch, double epochs, double warmup) {
  if (epoch < warmup) return base * epoch / warmup;
  const double part = epochs > warmup ? (epoch - warmup) / (epochs - warmup) : 1.0;
  return base * 0.5 * (1 + std::cos(M_PI * std::min(part, 1.0)));
}

}  // namespace abacus
