#include "sw/train/modules.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "sw/network/checkpoint.hpp"
#include "sw/network/graph_walk.hpp"
#include "sw/support/overloaded.hpp"
#include "sw/train/batch_norm.hpp"
#include "sw/train/binary_functions.hpp"
#include "sw/train/channels_last.hpp"
#include "sw/train/shift_functions.hpp"

namespace abacus::train {
namespace {

constexpr double kMomentum = 0.1;

bool is_classifier(const network::Layer& layer) {
  return layer.output.height == 1 && layer.output.width == 1;
}

// What can be computed together with a batch norm: an addition whose other operand is there by
// then, and a ReLU, where nobody else reads what lies between.
struct FollowingLayers {
  std::vector<int> layers;
  int added =
      -2;  // layer that gives the addition's other operand (-1: the images); -2: no addition
  bool relu = false;
  int last = 0;  // whose output is the result
};

FollowingLayers following_layers(const network::Network& network, int batch_norm) {
  const auto only_reader = [&](int of) {
    int reader = -1;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      for (const int from : network.layers[i].inputs) {
        if (from != of) continue;
        if (reader >= 0) return -1;
        reader = static_cast<int>(i);
      }
    }
    return reader;
  };
  const auto layer = [&](int index) -> const network::Layer& {
    return network.layers[static_cast<std::size_t>(index)];
  };
  FollowingLayers next;
  next.last = batch_norm;
  int reader = only_reader(batch_norm);
  if (reader >= 0 && layer(reader).is<network::Add>()) {
    const std::vector<int>& operands = layer(reader).inputs;
    const int other = operands[0] == batch_norm ? operands[1] : operands[0];
    if (other >= batch_norm) return next;
    next.added = other;
    next.layers.push_back(reader);
    next.last = reader;
    reader = only_reader(reader);
  }
  if (reader >= 0 && layer(reader).is<network::Relu>()) {
    next.relu = true;
    next.layers.push_back(reader);
    next.last = reader;
  }
  return next;
}

}  // namespace

Precision precision_from_string(const std::string& text) {
  for (const Precision precision : {Precision::float32, Precision::bfloat16, Precision::int8}) {
    if (text == to_string(precision)) return precision;
  }
  throw std::invalid_argument("unknown precision \"" + text +
                              "\"; allowed: float32, bfloat16, int8");
}

std::string to_string(Precision precision) {
  switch (precision) {
    case Precision::float32:
      return "float32";
    case Precision::bfloat16:
      return "bfloat16";
    case Precision::int8:
      return "int8";
  }
  throw std::logic_error("precision of no known kind");
}

torch::Tensor to_torch(const network::Tensor& tensor) {
  const std::vector<float> values = tensor.values<float>();
  torch::Tensor result = torch::empty(tensor.shape, torch::kFloat32);
  std::memcpy(result.data_ptr<float>(), values.data(), values.size() * sizeof(float));
  return result;
}

network::Tensor from_torch(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  const float* data = dense.data_ptr<float>();
  return network::Tensor::from(std::vector<float>(data, data + dense.numel()), dense.sizes().vec());
}

FloatNetwork::FloatNetwork(const network::Network& network, std::uint64_t seed)
    : network_(network) {
  torch::NoGradGuard no_gradient;
  auto generator = at::detail::createCPUGenerator(seed);
  for (const network::Layer& layer : network_.layers) {
    std::visit(support::Overloaded{
                   [&](const network::Convolution& of) { add_convolution(layer, of, generator); },
                   [&](const network::BatchNorm&) { add_batch_norm(layer); },
                   [](const network::Relu&) {}, [](const network::Add&) {},
                   [](const network::AveragePool&) {}, [](const network::MaxPool&) {}},
               layer.kind);
  }
  for (const network::ParameterShape& shape : network::parameter_shapes(network_)) {
    if (shape.trainable) trainable_.push_back(shape.name);
  }
  for (const std::string& name : trainable_) parameters_.at(name).requires_grad_(true);
  for (const network::Layer& layer : network_.layers) {
    if (layer.computes(network::Arithmetic::adder)) adder_weights_[layer.name + ".weight"] = true;
  }
}

void FloatNetwork::add_convolution(const network::Layer& layer, const network::Convolution& of,
                                   at::Generator& generator) {
  if (of.groups != 1) {
    throw std::invalid_argument("layer " + layer.name +
                                " is a depthwise convolution, which is not trained here");
  }
  const std::int64_t k = of.kernel, in = layer.input.channels, out = layer.output.channels;
  const bool adder = of.arithmetic == network::Arithmetic::adder;
  const double fan = static_cast<double>((is_classifier(layer) ? in : out) * k * k);
  torch::Tensor weight = torch::empty({out, in, k, k});
  if (of.arithmetic == network::Arithmetic::shift) {
    parameters_[layer.name + ".exponent"] =
        weight.uniform_(-10, -1, generator);  // as DeepShift's authors start
    parameters_[layer.name + ".sign"] = torch::empty_like(weight).uniform_(-1, 1, generator);
  } else {
    parameters_[layer.name + ".weight"] =
        weight.normal_(0.0, adder ? 1.0 : std::sqrt(2.0 / fan), generator);
  }
  if (of.bias) parameters_[layer.name + ".bias"] = torch::zeros({out});
}

void FloatNetwork::add_batch_norm(const network::Layer& layer) {
  const std::int64_t channels = layer.output.channels;
  parameters_[layer.name + ".weight"] = torch::ones({channels});
  parameters_[layer.name + ".bias"] = torch::zeros({channels});
  parameters_[layer.name + ".running_mean"] = torch::zeros({channels});
  parameters_[layer.name + ".running_var"] = torch::ones({channels});
}

FloatNetwork::FloatNetwork(const network::Network& network,
                           const std::map<std::string, network::Tensor>& tensors)
    : FloatNetwork(network, std::uint64_t{0}) {
  for (const auto& [name, tensor] : tensors) set_parameter(name, to_torch(tensor));
}

const torch::Tensor& FloatNetwork::parameter(const std::string& name) const {
  const auto at = parameters_.find(name);
  if (at == parameters_.end()) {
    throw std::out_of_range("network " + network_.name + " has no parameter \"" + name + "\"");
  }
  return at->second;
}

void FloatNetwork::set_parameter(const std::string& name, const torch::Tensor& values) {
  torch::NoGradGuard no_gradient;
  torch::Tensor target = parameter(name);
  if (target.sizes() != values.sizes()) {
    throw std::invalid_argument("parameter \"" + name + "\" of network " + network_.name +
                                " cannot take a tensor of another shape");
  }
  target.copy_(values);
}

bool FloatNetwork::is_adder_weight(const std::string& name) const {
  return adder_weights_.count(name) > 0;
}

bool FloatNetwork::is_shift_exponent(const std::string& name) const {
  static const std::string ending = ".exponent";
  return name.size() > ending.size() &&
         name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

std::map<std::string, network::Tensor> FloatNetwork::tensors() const {
  std::map<std::string, network::Tensor> result;
  for (const auto& [name, parameter] : parameters_) result[name] = from_torch(parameter);
  return result;
}

void FloatNetwork::to(torch::Device device) {
  for (auto& [name, parameter] : parameters_) {
    parameter = parameter.detach().to(device).requires_grad_(parameter.requires_grad());
  }
  device_ = device;
}

void FloatNetwork::set_batch_norm_mode(BatchNormMode mode) {
  mode_ = mode;
  batches_seen_.clear();
}

void FloatNetwork::set_precision(Precision precision) {
  const bool adder = !adder_weights_.empty();
  if (precision == Precision::bfloat16 && adder) {
    throw std::invalid_argument("precision: found bfloat16, but network " + network_.name +
                                " has adder layers; allowed for it: float32, int8");
  }
  if (precision == Precision::int8 && !adder) {
    throw std::invalid_argument("precision: found int8, but network " + network_.name +
                                " has no adder layers; allowed for it: float32, bfloat16");
  }
  precision_ = precision;
}

torch::Tensor FloatNetwork::batch_norm(const network::Layer& layer, const torch::Tensor& input,
                                       const torch::Tensor& residual, bool relu) {
  BatchNormParameters parameters = {parameter(layer.name + ".weight"),
                                    parameter(layer.name + ".bias"),
                                    parameter(layer.name + ".running_mean"),
                                    parameter(layer.name + ".running_var"),
                                    kMomentum,
                                    network::BatchNorm::epsilon};
  // Weight 1/n for the n-th batch makes the running value the mean over all of them.
  if (mode_ == BatchNormMode::re_estimation) {
    parameters.momentum = 1.0 / ++batches_seen_[layer.name];
  }
  if (fuses_batch_norm(input)) return batch_norm_in_training(input, parameters, residual, relu);
  return torch::batch_norm(input, parameters.weight, parameters.bias, parameters.running_mean,
                           parameters.running_variance, mode_ != BatchNormMode::inference,
                           parameters.momentum, network::BatchNorm::epsilon, false);
}

bool FloatNetwork::fuses_batch_norm(const torch::Tensor& input) const {
  return mode_ != BatchNormMode::inference && input.is_cpu() &&
         input.scalar_type() == torch::kFloat32;
}

torch::Tensor FloatNetwork::convolve(const network::Layer& layer, const network::Convolution& of,
                                     const torch::Tensor& x) const {
  const torch::Tensor weight =
      of.arithmetic == network::Arithmetic::shift
          ? shift_weight(parameter(layer.name + ".exponent"), parameter(layer.name + ".sign"))
          : parameter(layer.name + ".weight");
  const torch::Tensor bias = of.bias ? parameter(layer.name + ".bias") : torch::Tensor();
  const bool bytes = precision_ == Precision::int8 && mode_ != BatchNormMode::inference;
  if (of.arithmetic == network::Arithmetic::adder) {
    const torch::Tensor y = bytes ? adder_conv2d_int8(x, weight, of.stride, of.padding)
                                  : adder_conv2d(x, weight, of.stride, of.padding);
    return of.bias ? y + bias.view({1, -1, 1, 1}) : y;
  }
  if (of.arithmetic == network::Arithmetic::bnn) {
    const torch::Tensor y = binary_conv2d(x, weight, of.stride, of.padding);
    return of.bias ? y + bias.view({1, -1, 1, 1}) : y;
  }
  // A power of two loses nothing in bfloat16, and what it is multiplied with goes on to 8 bits.
  if (bytes && of.arithmetic == network::Arithmetic::shift && !of.bias) {
    return torch::conv2d(x.to(torch::kBFloat16), weight.to(torch::kBFloat16), {}, of.stride,
                         of.padding)
        .to(torch::kFloat32);
  }
  if (x.scalar_type() == torch::kBFloat16) {
    if (is_classifier(layer)) {
      return torch::conv2d(x.to(torch::kFloat32), weight, bias, of.stride, of.padding);
    }
    return torch::conv2d(x, weight.to(torch::kBFloat16), of.bias ? bias.to(torch::kBFloat16) : bias,
                         of.stride, of.padding);
  }
  return torch::conv2d(x, weight, bias, of.stride, of.padding);
}

torch::Tensor FloatNetwork::compute(int index, const std::vector<torch::Tensor>& inputs) {
  const network::Layer& layer = network_.layers.at(static_cast<std::size_t>(index));
  const torch::Tensor& x = inputs.at(0);
  return std::visit(
      support::Overloaded{
          [&](const network::Convolution& of) { return convolve(layer, of, x); },
          [&](const network::BatchNorm&) { return batch_norm(layer, x, {}, false); },
          [&](const network::Relu&) { return torch::relu(x); },
          [&](const network::Add&) { return x + inputs.at(1); },
          [&](const network::AveragePool& of) {
            return torch::avg_pool2d(x, of.kernel, of.stride);
          },
          [&](const network::MaxPool& of) { return torch::max_pool2d(x, of.kernel, of.stride); }},
      layer.kind);
}

torch::Tensor FloatNetwork::forward(const torch::Tensor& images, const ForwardHooks& hooks) {
  torch::Tensor first = channels_last(images.to(device_));
  if (precision_ == Precision::bfloat16 && mode_ != BatchNormMode::inference) {
    first = first.to(torch::kBFloat16);
  }
  const bool watched = hooks.before || hooks.compute || hooks.after;
  std::vector<bool> done(network_.layers.size(), false);
  network::GraphWalk<torch::Tensor> walk(network::reads_of(network_), first);
  for (; !walk.done(); walk.advance()) {
    const int index = walk.layer();
    const network::Layer& layer = network_.layers[static_cast<std::size_t>(index)];
    // Computed together with the batch norm before it.
    if (done[static_cast<std::size_t>(index)]) continue;
    std::vector<torch::Tensor> inputs = walk.inputs();
    if (layer.is<network::BatchNorm>() && !watched && fuses_batch_norm(inputs[0])) {
      const FollowingLayers next = following_layers(network_, index);
      for (const int fused : next.layers) done[static_cast<std::size_t>(fused)] = true;
      walk.store(next.last, batch_norm(layer, inputs[0],
                                       next.added >= -1 ? walk.tensor(next.added) : torch::Tensor(),
                                       next.relu));
      continue;
    }
    if (hooks.before) hooks.before(index, inputs);
    torch::Tensor output;
    if (hooks.compute) output = hooks.compute(index, inputs);
    if (!output.defined()) {
      // A ReLU may overwrite what it reads where nobody else reads it: batch norms and additions
      // need none of their outputs for their gradients.
      const bool in_place =
          layer.is<network::Relu>() && !watched && walk.is_last_reader(layer.inputs[0]);
      output = in_place ? torch::relu_(inputs[0]) : compute(index, inputs);
    }
    if (hooks.after) hooks.after(index, output);
    walk.store(index, output);
  }
  return walk.tensor(static_cast<int>(network_.layers.size()) - 1).flatten(1).to(torch::kFloat32);
}

}  // namespace abacus::train
