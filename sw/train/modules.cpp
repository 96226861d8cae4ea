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
#include "sw/train/adder_kernels.hpp"

namespace abacus {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kMomentum = 0.1;

torch::Tensor channels_last(const torch::Tensor& tensor) {
  // A tensor with one channel or one pixel passes for channels-last whatever its strides are; the
  // kernels only need its elements in that order, which they then are.
  return tensor.contiguous(at::MemoryFormat::ChannelsLast);
}

AdderShape adder_shape(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                       int padding) {
  TORCH_CHECK(input.dim() == 4 && weight.dim() == 4 && weight.size(1) == input.size(1) &&
                  weight.size(2) == weight.size(3) && input.scalar_type() == torch::kFloat32 &&
                  weight.scalar_type() == torch::kFloat32,
              "adder_conv2d: input ", input.sizes(), " and weight ", weight.sizes(),
              " do not fit; expected float32 NxCxHxW and OxCxkxk");
  AdderShape shape;
  shape.batch = input.size(0);
  shape.input_channels = static_cast<int>(input.size(1));
  shape.input_height = static_cast<int>(input.size(2));
  shape.input_width = static_cast<int>(input.size(3));
  shape.output_channels = static_cast<int>(weight.size(0));
  shape.kernel = static_cast<int>(weight.size(2));
  shape.stride = stride;
  shape.padding = padding;
  TORCH_CHECK(
      stride >= 1 && padding >= 0 && shape.output_height() >= 1 && shape.output_width() >= 1,
      "adder_conv2d: stride ", stride, ", padding ", padding, " leave no output of input ",
      input.sizes(), " with weight ", weight.sizes());
  return shape;
}

torch::Tensor empty_channels_last(std::int64_t n, int channels, int height, int width) {
  return torch::empty({n, channels, height, width}, torch::TensorOptions().dtype(torch::kFloat32),
                      at::MemoryFormat::ChannelsLast);
}

class AdderFunction : public torch::autograd::Function<AdderFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& given_input, const torch::Tensor& given_weight,
                               std::int64_t stride, std::int64_t padding) {
    const torch::Tensor input = channels_last(given_input);
    const torch::Tensor weight = given_weight.contiguous();
    const AdderShape shape =
        adder_shape(input, weight, static_cast<int>(stride), static_cast<int>(padding));
    torch::Tensor output = empty_channels_last(shape.batch, shape.output_channels,
                                               shape.output_height(), shape.output_width());
    adder_forward(shape, input.data_ptr<float>(), weight.data_ptr<float>(),
                  output.data_ptr<float>());
    context->save_for_backward({input, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &input = saved[0], &weight = saved[1];
    const std::int64_t stride = context->saved_data["stride"].toInt();
    const std::int64_t padding = context->saved_data["padding"].toInt();
    const AdderShape shape =
        adder_shape(input, weight, static_cast<int>(stride), static_cast<int>(padding));
    const torch::Tensor dy = channels_last(gradients[0]);
    torch::Tensor dx, dw;
    if (context->needs_input_grad(0)) {
      dx = empty_channels_last(shape.batch, shape.input_channels, shape.input_height,
                               shape.input_width);
      adder_input_gradient(shape, input.data_ptr<float>(), weight.data_ptr<float>(),
                           dy.data_ptr<float>(), dx.data_ptr<float>());
    }
    if (context->needs_input_grad(1)) {
      // Σ (X − W)·dY = X ⊛ dY − W · Σ dY: the first term is an ordinary convolution's gradient.
      dw = std::get<1>(at::convolution_backward(
          dy, input, weight, c10::nullopt, at::IntArrayRef({stride, stride}),
          at::IntArrayRef({padding, padding}), at::IntArrayRef({1, 1}), false,
          at::IntArrayRef({0, 0}), 1, {false, true, false}));
      dw = dw - weight * dy.sum(at::IntArrayRef({0, 2, 3})).view({-1, 1, 1, 1});
    }
    return {dx, dw, torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

Precision precision_from_string(const std::string& text) {
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    if (text == to_string(precision)) return precision;
  }
  throw std::invalid_argument("unknown precision \"" + text + "\"; allowed: float32, bfloat16");
}

std::string to_string(Precision precision) {
  return precision == Precision::bfloat16 ? "bfloat16" : "float32";
}

void prepare_torch(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(threads);
  omp_set_num_threads(threads);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

torch::Tensor adder_conv2d(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                           int padding) {
  return AdderFunction::apply(input, weight, static_cast<std::int64_t>(stride),
                              static_cast<std::int64_t>(padding));
}

torch::Tensor to_torch(const Tensor& tensor) {
  const std::vector<float> values = tensor.values<float>();
  torch::Tensor result = torch::empty(tensor.shape, torch::kFloat32);
  std::memcpy(result.data_ptr<float>(), values.data(), values.size() * sizeof(float));
  return result;
}

Tensor from_torch(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.detach().to(torch::kFloat32).contiguous();
  const float* data = dense.data_ptr<float>();
  return Tensor::from(std::vector<float>(data, data + dense.numel()), dense.sizes().vec());
}

FloatNetwork::FloatNetwork(const Network& network, std::uint64_t seed) : network_(network) {
  torch::NoGradGuard no_gradient;
  auto generator = at::detail::createCPUGenerator(seed);
  for (const Layer& layer : network_.layers) {
    if (layer.kind == LayerKind::convolution) {
      const std::int64_t k = layer.kernel, in = layer.input.channels, out = layer.output.channels;
      const bool adder = layer.arithmetic == Arithmetic::adder;
      const bool classifier = layer.output.height == 1 && layer.output.width == 1;
      const double fan = static_cast<double>((classifier ? in : out) * k * k);
      torch::Tensor weight = torch::empty({out, in, k, k});
      weight.normal_(0.0, adder ? 1.0 : std::sqrt(2.0 / fan), generator);
      parameters_[layer.name + ".weight"] = weight;
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

std::map<std::string, Tensor> FloatNetwork::tensors() const {
  std::map<std::string, Tensor> result;
  for (const auto& [name, parameter] : parameters_) result[name] = from_torch(parameter);
  return result;
}

void FloatNetwork::set_batch_norm_mode(BatchNormMode mode) {
  mode_ = mode;
  batches_seen_.clear();
}

void FloatNetwork::set_precision(Precision precision) {
  if (precision == Precision::bfloat16 && !adder_weights_.empty()) {
    throw std::invalid_argument("precision: found bfloat16, but network " + network_.name +
                                " has adder layers; allowed for it: float32");
  }
  precision_ = precision;
}

torch::Tensor FloatNetwork::batch_norm(const Layer& layer, const torch::Tensor& input) {
  double momentum = kMomentum;
  // Weight 1/n for the n-th batch makes the running value the mean over all of them.
  if (mode_ == BatchNormMode::re_estimation) momentum = 1.0 / ++batches_seen_[layer.name];
  return torch::batch_norm(input, parameter(layer.name + ".weight"),
                           parameter(layer.name + ".bias"), parameter(layer.name + ".running_mean"),
                           parameter(layer.name + ".running_var"),
                           mode_ != BatchNormMode::inference, momentum, kEpsilon, false);
}

torch::Tensor FloatNetwork::compute(int index, const std::vector<torch::Tensor>& inputs) {
  const Layer& layer = network_.layers.at(static_cast<std::size_t>(index));
  const torch::Tensor& x = inputs.at(0);
  switch (layer.kind) {
    case LayerKind::convolution: {
      const torch::Tensor& weight = parameter(layer.name + ".weight");
      const torch::Tensor bias = layer.bias ? parameter(layer.name + ".bias") : torch::Tensor();
      if (layer.arithmetic == Arithmetic::adder) {
        const torch::Tensor y = adder_conv2d(x, weight, layer.stride, layer.padding);
        return layer.bias ? y + bias.view({1, -1, 1, 1}) : y;
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
      return batch_norm(layer, x);
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
  torch::Tensor first = channels_last(images);
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
  std::vector<torch::Tensor> outputs(network_.layers.size());
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const int index = static_cast<int>(i);
    const Layer& layer = network_.layers[i];
    std::vector<torch::Tensor> inputs;
    for (const int from : layer.inputs) {
      inputs.push_back(from < 0 ? first : outputs[static_cast<std::size_t>(from)]);
    }
    if (hooks.before) hooks.before(index, inputs);
    torch::Tensor output;
    if (hooks.compute) output = hooks.compute(index, inputs);
    if (!output.defined()) {
      // A ReLU may overwrite what it reads where nobody else reads it: batch norms and additions
      // need none of their outputs for their gradients.
      const bool in_place = layer.kind == LayerKind::relu && !hooks.before && !hooks.after &&
                            !hooks.compute && layer.inputs[0] >= 0 &&
                            last_use[static_cast<std::size_t>(layer.inputs[0])] == index;
      output = in_place ? torch::relu_(inputs[0]) : compute(index, inputs);
    }
    if (hooks.after) hooks.after(index, output);
    outputs[i] = output;
    for (const int from : layer.inputs) {
      if (from >= 0 && last_use[static_cast<std::size_t>(from)] == index) {
        outputs[static_cast<std::size_t>(from)] = torch::Tensor();
      }
    }
  }
  return outputs.back().flatten(1).to(torch::kFloat32);
}

}  // namespace abacus
