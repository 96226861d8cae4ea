#include "sw/train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sw/train/shift_functions.hpp"

namespace abacus::train {
namespace {

const std::string square_suffix = ".square";
const std::string steps_name = "steps";

}  // namespace

std::vector<double> norms_of(const std::vector<torch::Tensor>& tensors) {
  torch::NoGradGuard no_gradient;
  if (tensors.empty()) return {};
  // One transfer for all, where they are on a GPU.
  const torch::Tensor norms =
      torch::stack(at::_foreach_norm(tensors)).to(torch::kCPU, torch::kFloat64).contiguous();
  return {norms.data_ptr<double>(), norms.data_ptr<double>() + norms.numel()};
}

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
  StepTensors of;
  std::vector<std::size_t> adders;
  for (const std::string& name : network_.trainable()) {
    const torch::Tensor& weight = network_.parameter(name);
    if (!weight.grad().defined()) continue;
    if (network_.is_adder_weight(name)) adders.push_back(of.weights.size());
    of.weights.push_back(weight);
    of.gradients.push_back(weight.grad());
    of.velocities.push_back(velocity_.at(name));
    if (options_.method == OptimizerMethod::adam) of.squares.push_back(square_.at(name));
  }
  if (of.weights.empty()) return;
  if (options_.method == OptimizerMethod::adam) {
    step_adam(of, learning_rate);
  } else {
    scale_adder_gradients(of.gradients, adders);
    step_sgd(of, learning_rate);
  }
  for (const std::string& name : network_.trainable()) {
    if (network_.is_shift_exponent(name)) keep_shift_exponents(network_.parameter(name));
  }
}

void Optimizer::scale_adder_gradients(std::vector<torch::Tensor>& gradients,
                                      const std::vector<std::size_t>& adders) const {
  if (adders.empty()) return;
  std::vector<torch::Tensor> chosen;
  for (const std::size_t i : adders) chosen.push_back(gradients[i]);
  const std::vector<double> norms = norms_of(chosen);
  for (std::size_t k = 0; k < adders.size(); ++k) {
    torch::Tensor& gradient = gradients[adders[k]];
    const double root = std::sqrt(static_cast<double>(gradient.numel()));
    gradient = gradient * (options_.adder_rate * root / std::max(norms[k], 1e-12));
  }
}

void Optimizer::step_sgd(const StepTensors& of, double learning_rate) {
  const std::vector<torch::Tensor> gradients =
      at::_foreach_add(of.gradients, of.weights, options_.weight_decay);
  at::_foreach_mul_(of.velocities, options_.momentum);
  at::_foreach_add_(of.velocities, gradients);
  const std::vector<torch::Tensor> steps =
      options_.nesterov ? at::_foreach_add(gradients, of.velocities, options_.momentum)
                        : of.velocities;
  at::_foreach_add_(of.weights, steps, -learning_rate);
}

void Optimizer::step_adam(const StepTensors& of, double learning_rate) {
  constexpr double beta2 = 0.999, epsilon = 1e-8;
  const double beta1 = options_.momentum;
  at::_foreach_mul_(of.velocities, beta1);
  at::_foreach_add_(of.velocities, of.gradients, 1 - beta1);
  at::_foreach_mul_(of.squares, beta2);
  at::_foreach_addcmul_(of.squares, of.gradients, of.gradients, 1 - beta2);
  const double steps = static_cast<double>(steps_);
  const std::vector<torch::Tensor> roots = at::_foreach_div(of.squares, 1 - std::pow(beta2, steps));
  at::_foreach_sqrt_(roots);
  at::_foreach_add_(roots, epsilon);
  at::_foreach_mul_(of.weights, 1 - learning_rate * options_.weight_decay);
  at::_foreach_addcdiv_(of.weights, of.velocities, roots,
                        -learning_rate / (1 - std::pow(beta1, steps)));
}

std::map<std::string, network::Tensor> Optimizer::state() const {
  std::map<std::string, network::Tensor> result;
  for (const auto& [name, velocity] : velocity_) result[name] = from_torch(velocity);
  for (const auto& [name, square] : square_) result[name + square_suffix] = from_torch(square);
  if (!square_.empty()) {
    result[steps_name] = network::Tensor::from(std::vector<std::int64_t>{steps_}, {1});
  }
  return result;
}

void Optimizer::set_state(const std::map<std::string, network::Tensor>& state) {
  for (auto& [name, velocity] : velocity_) velocity.copy_(to_torch(state.at(name)));
  for (auto& [name, square] : square_) square.copy_(to_torch(state.at(name + square_suffix)));
  if (!square_.empty()) steps_ = state.at(steps_name).values<std::int64_t>().front();
}

double cosine_rate(double base, double epoch, double epochs, double warmup) {
  if (epoch < warmup) return base * epoch / warmup;
  const double part = epochs > warmup ? (epoch - warmup) / (epochs - warmup) : 1.0;
  return base * 0.5 * (1 + std::cos(M_PI * std::min(part, 1.0)));
}

}  // namespace abacus::train
