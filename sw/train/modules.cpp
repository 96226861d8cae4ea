#include "sw/train/modules.hpp"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "sw/network/checkpoint.hpp"
#include "sw/train/batch_norm.hpp"
#include "sw/train/binary_functions.hpp"
#include "sw/train/shift_functions.hpp"

namespace abacus {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kMomentum = 0.1;

torch::Tensor channels_last(const torch::Tensor& tensor) {
  // A tensor with one channel or one pixel passes for channels-last whatever its strides are; the
  // kernels only need its elements in that order, which they then are.
  return tensor.contiguous(at::MemoryFormat::ChannelsLast);
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

FollowingLayers following_layers(const Network& network, int batch_norm) {
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
  const auto layer = [&](int index) -> const Layer& {
    return network.layers[static_cast<std::size_t>(index)];
  };
  FollowingLayers next;
  next.last = batch_norm;
  int reader = only_reader(batch_norm);
  if (reader >= 0 && layer(reader).kind == LayerKind::add) {
    const std::vector<int>& operands = layer(reader).inputs;
    const int other = operands[0] == batch_norm ? operands[1] : operands[0];
    if (other >= batch_norm) return next;
    next.added = other;
    next.layers.push_back(reader);
    next.last = reader;
    reader = only_reader(reader);
  }
  if (reader >= 0 && layer(reader).kind == LayerKind::relu) {
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

void prepare_torch(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(threads);
  omp_set_num_threads(threads);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

torch::Tensor to_torch(const Tensor& tensor) {
  const std::vector<float> values = tensor.values<float>();
  torch::Tensor result = torch::empty(tensor.shape, torch::kFloat32);
  std::memcpy(result.data_ptr<float>(), values.data(), values.size() * sizeof(float));
  return result;
}

Tensor from_torch(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  const float* data = dense.data_ptr<float>();
  return Tensor::from(std::vector<float>(data, data + dense.numel()), dense.sizes().vec());
}

FloatNetwork::FloatNetwork(const Network& network, std::uint64_t seed) : network_(network) {
  torch::NoGradGuard no_gradient;
  auto generator = at::detail::createCPUGenerator(seed);
  for (const Layer& layer : network_.layers) {
    if (layer.groups != 1) {
      throw std::invalid_argument("layer " + layer.name +
                                  " is a depthwise convolution, which is not trained here");
    }
    if (layer.kind == LayerKind::convolution) {
      const std::int64_t k = layer.kernel, in = layer.input.channels, out = layer.output.channels;
      const bool adder = layer.arithmetic == Arithmetic::adder;
      const bool classifier = layer.output.height == 1 && layer.output.width == 1;
      const double fan = static_cast<double>((classifier ? in : out) * k * k);
      torch::Tensor weight = torch::empty({out, in, k, k});
      if (layer.arithmetic == Arithmetic::shift) {
        parameters_[layer.name + ".exponent"] =
            weight.uniform_(-10, -1, generator);  // as DeepShift's authors start
        parameters_[layer.name + ".sign"] = torch::empty_like(weight).uniform_(-1, 1, generator);
      } else {
        parameters_[layer.name + ".weight"] =
            weight.normal_(0.0, adder ? 1.0 : std::sqrt(2.0 / fan), generator);
      }
      if (layer.bias) parameters_[layer.name + ".bias"] = torch::zeros({out});
    } else if (layer.kind == LayerKind::batch_norm) {
      const std::int64_t channels = layer.output.channels;
      parameters_[layer.name + ".weight"] = torch::ones({channels});
      parameters_[layer.name + ".bias"] = torch::zeros({channels});
      parameters_[layer.name + ".running_mean"] = torch::zeros({channels});
      parameters_[layer.name + ".running_var"] = torch::ones({channels});
    }
  }
  for (const ParameterShape& shape : parameter_shapes(network_)) {
    if (shape.trainable) trainable_.push_back(shape.name);
  }
  for (const std::string& name : trainable_) parameters_.at(name).requires_grad_(true);
  for (const Layer& layer : network_.layers) {
    if (layer.kind == LayerKind::convolution && layer.arithmetic == Arithmetic::adder) {
      adder_weights_[layer.name + ".weight"] = true;
    }
  }
}

FloatNetwork::FloatNetwork(const Network& network, const std::map<std::string, Tensor>& tensors)
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

std::map<std::string, Tensor> FloatNetwork::tensors() const {
  std::map<std::string, Tensor> result;
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

torch::Tensor FloatNetwork::batch_norm(const Layer& layer, const torch::Tensor& input,
                                       const torch::Tensor& residual, bool relu) {
  BatchNormParameters parameters = {parameter(layer.name + ".weight"),
                                    parameter(layer.name + ".bias"),
                                    parameter(layer.name + ".running_mean"),
                                    parameter(layer.name + ".running_var"),
                                    kMomentum,
                                    kEpsilon};
  // Weight 1/n for the n-th batch makes the running value the mean over all of them.
  if (mode_ == BatchNormMode::re_estimation) {
    parameters.momentum = 1.0 / ++batches_seen_[layer.name];
  }
  if (fuses_batch_norm(input)) return batch_norm_in_training(input, parameters, residual, relu);
  return torch::batch_norm(input, parameters.weight, parameters.bias, parameters.running_mean,
                           parameters.running_variance, mode_ != BatchNormMode::inference,
                           parameters.momentum, kEpsilon, false);
}

bool FloatNetwork::fuses_batch_norm(const torch::Tensor& input) const {
  return mode_ != BatchNormMode::inference && input.is_cpu() &&
         input.scalar_type() == torch::kFloat32;
}

torch::Tensor FloatNetwork::compute(int index, const std::vector<torch::Tensor>& inputs) {
  const Layer& layer = network_.layers.at(static_cast<std::size_t>(index));
  const torch::Tensor& x = inputs.at(0);
  switch (layer.kind) {
    case LayerKind::convolution: {
      const torch::Tensor weight =
          layer.arithmetic == Arithmetic::shift
              ? shift_weight(parameter(layer.name + ".exponent"), parameter(layer.name + ".sign"))
              : parameter(layer.name + ".weight");
      const torch::Tensor bias = layer.bias ? parameter(layer.name + ".bias") : torch::Tensor();
      const bool bytes = precision_ == Precision::int8 && mode_ != BatchNormMode::inference;
      if (layer.arithmetic == Arithmetic::adder) {
        const torch::Tensor y = bytes ? adder_conv2d_int8(x, weight, layer.stride, layer.padding)
                                      : adder_conv2d(x, weight, layer.stride, layer.padding);
        return layer.bias ? y + bias.view({1, -1, 1, 1}) : y;
      }
      if (layer.arithmetic == Arithmetic::bnn) {
        const torch::Tensor y = binary_conv2d(x, weight, layer.stride, layer.padding);
        return layer.bias ? y + bias.view({1, -1, 1, 1}) : y;
      }
      // A power of two loses nothing in bfloat16, and what it is multiplied with goes on to 8 bits.
      if (bytes && layer.arithmetic == Arithmetic::shift && !layer.bias) {
        return torch::conv2d(x.to(torch::kBFloat16), weight.to(torch::kBFloat16), {}, layer.stride,
                             layer.padding)
            .to(torch::kFloat32);
      }
      if (x.scalar_type() == torch::kBFloat16) {
        const bool classifier = layer.output.height == 1 && layer.output.width == 1;
        if (classifier) {
          return torch::conv2d(x.to(torch::kFloat32), weight, bias, layer.stride, layer.padding);
        }
        return torch::conv2d(x, weight.to(torch::kBFloat16),
                             layer.bias ? bias.to(torch::kBFloat16) : bias, layer.stride,
                             layer.padding);
      }
      return torch::conv2d(x, weight, bias, layer.stride, layer.padding);
    }
    case LayerKind::batch_norm:
      return batch_norm(layer, x, {}, false);
    case LayerKind::relu:
      return torch::relu(x);
    case LayerKind::add:
      return x + inputs.at(1);
    case LayerKind::average_pool:
      return torch::avg_pool2d(x, layer.kernel, layer.stride);
    case LayerKind::max_pool:
      return torch::max_pool2d(x, layer.kernel, layer.stride);
  }
  throw std::logic_error("layer " + layer.name + " is of no known kind");
}

torch::Tensor FloatNetwork::forward(const torch::Tensor& images, const ForwardHooks& hooks) {
  torch::Tensor first = channels_last(images.to(device_));
  if (precision_ == Precision::bfloat16 && mode_ != BatchNormMode::inference) {
    first = first.to(torch::kBFloat16);
  }
  // Each output is dropped after its last use, so that inference keeps few tensors alive.
  std::vector<int> last_use(network_.layers.size(), -1);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    for (const int from : network_.layers[i].inputs) {
      if (from >= 0) last_use[static_cast<std::size_t>(from)] = static_cast<int>(i);
    }
  }
  const bool watched = hooks.before || hooks.compute || hooks.after;
  std::vector<torch::Tensor> outputs(network_.layers.size());
  std::vector<bool> done(network_.layers.size(), false);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const int index = static_cast<int>(i);
    const Layer& layer = network_.layers[i];
    const auto input_of = [&](int from) {
      return from < 0 ? first : outputs[static_cast<std::size_t>(from)];
    };
    std::vector<torch::Tensor> inputs;
    for (const int from : layer.inputs) inputs.push_back(input_of(from));
    const bool batch_norm_alone =
        layer.kind == LayerKind::batch_norm && !watched && fuses_batch_norm(inputs[0]);
    if (done[i]) {
      // Computed together with the batch norm before it.
    } else if (batch_norm_alone) {
      const FollowingLayers next = following_layers(network_, index);
      outputs[static_cast<std::size_t>(next.last)] = batch_norm(
          layer, inputs[0], next.added >= -1 ? input_of(next.added) : torch::Tensor(), next.relu);
      for (const int fused : next.layers) done[static_cast<std::size_t>(fused)] = true;
    } else {
      if (hooks.before) hooks.before(index, inputs);
      torch::Tensor output;
      if (hooks.compute) output = hooks.compute(index, inputs);
      if (!output.defined()) {
        // A ReLU may overwrite what it reads where nobody else reads it: batch norms and additions
        // need none of their outputs for their gradients.
        const bool in_place = layer.kind == LayerKind::relu && !watched && layer.inputs[0] >= 0 &&
                              last_use[static_cast<std::size_t>(layer.inputs[0])] == index;
        output = in_place ? torch::relu_(inputs[0]) : compute(index, inputs);
      }
      if (hooks.after) hooks.after(index, output);
      outputs[i] = output;
    }
    for (const int from : layer.inputs) {
      if (from >= 0 && last_use[static_cast<std::size_t>(from)] == index) {
        outputs[static_cast<std::size_t>(from)] = torch::Tensor();
      }
    }
  }
  return outputs.back().flatten(1).to(torch::kFloat32);
}

}  // namespace abacus
