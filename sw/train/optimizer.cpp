#include "sw/train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sw/train/shift_functions.hpp"

namespace abacus {
namespace {

const std::string square_suffix = ".square";
const std::string steps_name = "steps";

}  // namespace

std::string to_string(OptimizerMethod method) {
  return method == OptimizerMethod::adam ? "adam" : "sgd";
}

std::vector<std::string> optimizer_method_names() { return {"sgd", "adam"}; }

OptimizerMethod optimizer_method_from_string(const std::string& text) {
  for (const OptimizerMethod method : {OptimizerMethod::sgd, OptimizerMethod::adam}) {
    if (text == to_string(method)) return method;
  }
  throw std::invalid_argument("optimizer: found \"" + text + "\"; allowed: sgd, adam");
}

Optimizer::Optimizer(FloatNetwork& network, const OptimizerOptions& options)
    : network_(network), options_(options) {
  for (const std::string& name : network.trainable()) {
    velocity_[name] = torch::zeros_like(network.parameter(name).detach());
    if (options.method == OptimizerMethod::adam) square_[name] = velocity_[name].clone();
  }
}

void Optimizer::clear_gradients() {
  for (const std::string& name : network_.trainable()) {
    network_.parameter(name).mutable_grad() = torch::Tensor();
  }
}

void Optimizer::step(double learning_rate) {
  torch::NoGradGuard no_gradient;
  ++steps_;
  for (const std::string& name : network_.trainable()) {
    if (!network_.parameter(name).grad().defined()) continue;
    if (options_.method == OptimizerMethod::adam) {
      step_adam(name, learning_rate);
    } else {
      step_sgd(name, learning_rate);
    }
    if (network_.is_shift_exponent(name)) keep_shift_exponents(network_.parameter(name));
  }
}

void Optimizer::step_sgd(const std::string& name, double learning_rate) {
  torch::Tensor weight = network_.parameter(name);
  torch::Tensor gradient = weight.grad();
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

void Optimizer::step_adam(const std::string& name, double learning_rate) {
  constexpr double beta2 = 0.999, epsilon = 1e-8;
  const double beta1 = options_.momentum;
  torch::Tensor weight = network_.parameter(name);
  const torch::Tensor gradient = weight.grad();
  torch::Tensor &mean = velocity_.at(name), &square = square_.at(name);
  mean.mul_(beta1).add_(gradient, 1 - beta1);
  square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
  const double steps = static_cast<double>(steps_);
  const torch::Tensor root = (square / (1 - std::pow(beta2, steps))).sqrt_().add_(epsilon);
  weight.mul_(1 - learning_rate * options_.weight_decay);
  weight.addcdiv_(mean, root, -learning_rate / (1 - std::pow(beta1, steps)));
}

std::map<std::string, Tensor> Optimizer::state() const {
  std::map<std::string, Tensor> result;
  for (const auto& [name, velocity] : velocity_) result[name] = from_torch(velocity);
  for (const auto& [name, square] : square_) result[name + square_suffix] = from_torch(square);
  if (!square_.empty()) {
    result[steps_name] = Tensor::from(std::vector<std::int64_t>{steps_}, {1});
  }
  return result;
}

void Optimizer::set_state(const std::map<std::string, Tensor>& state) {
  for (auto& [name, velocity] : velocity_) velocity.copy_(to_torch(state.at(name)));
  for (auto& [name, square] : square_) square.copy_(to_torch(state.at(name + square_suffix)));
  if (!square_.empty()) steps_ = state.at(steps_name).values<std::int64_t>().front();
}

double cosine_rate(double base, double epoch, double epochs, double warmup) {
  if (epoch < warmup) return base * epoch / warmup;
  const double part = epochs > warmup ? (epoch - warmup) / (epochs - warmup) : 1.0;
  return base * 0.5 * (1 + std::cos(M_PI * std::min(part, 1.0)));
}

}  // namespace abacus
