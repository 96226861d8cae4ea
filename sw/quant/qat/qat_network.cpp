#include "sw/quant/qat/qat_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "sw/quant/plan/adder_grid.hpp"
#include "sw/quant/plan/fixed_point.hpp"
#include "sw/quant/qat/training_levels.hpp"
#include "sw/train/adder_functions.hpp"

namespace abacus::quant {
namespace {

// A learned range stays within this factor of the plan's.
constexpr double range_factor = 20;
// Of LQ-Net's moving average of the bases, as in the authors' code.
constexpr double basis_momentum = 0.9;

torch::Tensor doubles(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64);
}

std::vector<double> doubles(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

std::vector<float> floats(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().to(torch::kCPU).contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

torch::Tensor channel_view(const torch::Tensor& row) { return row.view({1, -1, 1, 1}); }

IntegerRange stored_range(const network::StoredTensor& tensor) {
  return {tensor.lowest(), tensor.highest()};
}

IntegerRange activation_range(const ConvolutionPlan& plan) {
  return {lowest_integer(plan.activation_bits, plan.activation_signed),
          highest_integer(plan.activation_bits, plan.activation_signed)};
}

IntegerRange adder_weight_range(const ConvolutionPlan& plan) {
  const bool is_signed = plan.grid != OperandGrid::nonnegative;
  return {lowest_integer(plan.weight_bits, is_signed),
          highest_integer(plan.weight_bits, is_signed)};
}

}  // namespace

QatNetwork::QatNetwork(train::FloatNetwork& network, const QuantizationPlan& plan)
    : network_(network),
      plan_(plan),
      folded_(network::fold_graph(network.network())),
      convolution_at_(network.network().layers.size(), network::no_tensor),
      output_at_(network.network().layers.size(), network::no_tensor),
      operands_(folded_.size()) {
  if (plan_.outputs.size() != folded_.size() || plan_.convolutions.size() != folded_.size()) {
    throw std::invalid_argument(
        "the plan is for a network of " + std::to_string(plan_.outputs.size()) + " layers; " +
        network.network().name + " folds to " + std::to_string(folded_.size()));
  }
  for (std::size_t i = 0; i < folded_.size(); ++i) {
    output_at_[static_cast<std::size_t>(folded_[i].output)] = static_cast<int>(i);
    if (folded_[i].kind != network::IntegerLayerKind::convolution) continue;
    convolution_at_[static_cast<std::size_t>(folded_[i].layer)] = static_cast<int>(i);
    const ConvolutionPlan& of = plan_.convolutions[i];
    Operands& operands = operands_[i];
    if (!layer_of(i).computes(network::Arithmetic::adder)) {
      operands.activation_step = doubles(std::vector<double>{of.activation_step});
      operands.weight_step = doubles(of.weight_step);
      operands.channel_step = operands.weight_step.to(network.device());
      if (of.weights.has_value()) operands.weight_parameters = doubles(of.weights->parameters);
      if (of.adapter.channels > 0) operands.adapter = doubles(of.adapter.parameters);
      continue;
    }
    operands.range = doubles(of.range);
    const std::vector<std::int64_t> group(of.group.begin(), of.group.end());
    operands.channel_group = torch::tensor(group, torch::kInt64);
    operands.channel_range =
        operands.range.index_select(0, operands.channel_group).to(network.device());
    std::vector<double> steps;
    for (const double range : of.range) {
      steps.push_back(adder_grid(range, of.weight_bits, of.activation_bits, of.grid).weight_step());
    }
    operands.channel_step =
        doubles(steps).index_select(0, operands.channel_group).to(network.device());
    if (of.range.size() == 1) continue;
    std::vector<std::int64_t> place(group.size());
    std::int64_t next = 0;
    for (std::size_t g = 0; g < of.range.size(); ++g) {
      std::vector<std::int64_t> channels;
      for (std::size_t o = 0; o < group.size(); ++o) {
        if (static_cast<std::size_t>(group[o]) != g) continue;
        channels.push_back(static_cast<std::int64_t>(o));
        place[o] = next++;
      }
      operands.channels_of_group.push_back(
          torch::tensor(channels, torch::kInt64).to(network.device()));
    }
    operands.channel_place = torch::tensor(place, torch::kInt64).to(network.device());
  }
}

void QatNetwork::set_adder_gradient(train::AdderGradient gradient) {
  for (std::size_t i = 0; i < folded_.size() && gradient == train::AdderGradient::exact; ++i) {
    if (folded_[i].kind != network::IntegerLayerKind::convolution) continue;
    if (layer_of(i).computes(network::Arithmetic::adder) &&
        plan_.convolutions[i].activation_signed) {
      throw std::invalid_argument("layer " + layer_of(i).name +
                                  ": exact gradients need unsigned activations, found signed ones");
    }
  }
  gradient_ = gradient;
}

void QatNetwork::set_precision(train::Precision precision) {
  for (std::size_t i = 0; i < folded_.size() && precision != train::Precision::float32; ++i) {
    if (folded_[i].kind != network::IntegerLayerKind::convolution) continue;
    const hw::TapKind arithmetic = layer_of(i).convolution().arithmetic;
    if (precision == train::Precision::bfloat16 && arithmetic == network::Arithmetic::cnn) continue;
    throw std::invalid_argument("precision: found " + train::to_string(precision) +
                                " with a network that has " + network::to_string(arithmetic) +
                                " layers; allowed: float32" +
                                (arithmetic == network::Arithmetic::cnn ? ", bfloat16" : ""));
  }
  precision_ = precision;
}

void QatNetwork::learn_ranges(bool learn) {
  learned_.clear();
  const auto add = [&](const std::string& name, torch::Tensor& values, std::int64_t sharing,
                       int highest) {
    values.requires_grad_(learn);
    if (!learn) return;
    LearnedRange range;
    range.name = name;
    range.values = values;
    range.gradient_scale = 1 / std::sqrt(static_cast<double>(sharing) * highest);
    range.smallest = values.detach() / range_factor;
    range.largest = values.detach() * range_factor;
    learned_.push_back(std::move(range));
  };
  // Without bounds; LQ-Net's bases get no gradient, but belong to the state of the training.
  const auto add_free = [&](const std::string& name, torch::Tensor& values, bool decays) {
    add(name, values, 1, 1);
    if (!learn) return;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    learned_.back().smallest = torch::full_like(values.detach(), -infinity);
    learned_.back().largest = torch::full_like(values.detach(), infinity);
    learned_.back().decays = decays;
    if (!decays) values.requires_grad_(false);
  };
  for (std::size_t i = 0; i < folded_.size(); ++i) {
    const network::Layer& layer = layer_of(i);
    if (!layer.is<network::Convolution>() || layer.convolution().edge) continue;
    const ConvolutionPlan& of = plan_.convolutions[i];
    const int highest = highest_integer(of.activation_bits, of.activation_signed);
    if (layer.computes(network::Arithmetic::adder)) {
      add(layer.name + ".range", operands_[i].range, layer.input.elements(), highest);
      continue;
    }
    // Operands as wide as what is stored pass through as they are.
    const bool adapts = of.activations == ActivationQuantizer::asq;
    if (adapts || of.activation_bits < stored_tensor(folded_[i].input).bits) {
      add(layer.name + ".activation_step", operands_[i].activation_step, layer.input.elements(),
          highest);
      if (learn && of.activations == ActivationQuantizer::pact) {
        // PACT learns α = step·highest without a factor: its step follows at 1/highest².
        learned_.back().gradient_scale = 1.0 / highest / highest;
        learned_.back().decays = true;
      }
    }
    if (adapts) {
      add_free(layer.name + ".adapter", operands_[i].adapter, true);
      if (learn) learned_.back().of_adapter = true;
    }
    const int kernel = layer.convolution().kernel;
    const std::int64_t fan = std::int64_t{layer.input.channels} * kernel * kernel;
    if (!of.weights.has_value()) {
      add(layer.name + ".weight_step", operands_[i].weight_step, fan,
          highest_integer(of.weight_bits, true));
    } else if (of.weights->quantizer == WeightQuantizer::lsq) {
      add(layer.name + ".weight_parameters", operands_[i].weight_parameters, fan,
          highest_integer(of.weights->bits, true));
    } else if (of.weights->quantizer == WeightQuantizer::apot) {
      add(layer.name + ".weight_parameters", operands_[i].weight_parameters, 1, 1);
    } else if (of.weights->quantizer == WeightQuantizer::lqnet) {
      add_free(layer.name + ".weight_parameters", operands_[i].weight_parameters, false);
    }
  }
}

const network::StoredTensor& QatNetwork::stored_tensor(int index) const {
  return index == network::image_tensor ? plan_.image
                                        : plan_.outputs[static_cast<std::size_t>(index)];
}

const network::Layer& QatNetwork::layer_of(std::size_t folded) const {
  return network_.network().layers[static_cast<std::size_t>(folded_[folded].layer)];
}

ConvolutionPlan QatNetwork::plan_of(std::size_t folded) const {
  ConvolutionPlan plan = plan_.convolutions[folded];
  const Operands& operands = operands_[folded];
  if (operands.range.defined()) plan.range = doubles(operands.range);
  if (operands.weight_step.defined()) {
    plan.activation_step = operands.activation_step.item<double>();
    plan.weight_step = doubles(operands.weight_step);
    if (plan.weights.has_value()) plan.weights->parameters = doubles(operands.weight_parameters);
    if (operands.adapter.defined()) plan.adapter.parameters = doubles(operands.adapter);
  }
  return plan;
}

QuantizationPlan QatNetwork::plan() const {
  QuantizationPlan result = plan_;
  for (std::size_t i = 0; i < folded_.size(); ++i) {
    if (folded_[i].kind == network::IntegerLayerKind::convolution)
      result.convolutions[i] = plan_of(i);
  }
  return result;
}

torch::Tensor QatNetwork::adder_weights(std::size_t folded, const ConvolutionPlan& plan,
                                        const AdderGrid& unit_grid, std::vector<double>& offset) {
  const Operands& operands = operands_[folded];
  const torch::Tensor& master = network_.parameter(layer_of(folded).name + ".weight");
  const bool constant_vanishes = folded_[folded].batch_norm != network::no_tensor;
  const UndoneSides sides =
      plan.weight_clamp && constant_vanishes ? undone_sides(unit_grid) : UndoneSides();
  BeyondRange beyond = BeyondRange::clipped;
  if (plan.weight_clamp) {
    beyond = gradient_ == train::AdderGradient::exact ? BeyondRange::lossless : BeyondRange::offset;
  }
  if (!master.is_cpu() && constant_vanishes) {
    const torch::Tensor& range = operands.channel_range;
    return fake_weights(master,
                        adder_levels(master, range, operands.channel_step, unit_grid, sides, plan),
                        range * unit_grid.weight_step(), adder_weight_range(plan), beyond);
  }
  const torch::Tensor range = operands.range.index_select(0, operands.channel_group);
  const std::vector<float> plain = floats(master);
  QuantizedConvolution convolution = quantize_adder_convolution(plan, plain, {});
  undo_lossless_clamp(plain, unit_grid, sides, plan, convolution);
  offset = convolution.offset;
  return fake_weights(master, convolution.weights, range * unit_grid.weight_step(),
                      adder_weight_range(plan), beyond);
}

torch::Tensor QatNetwork::adder(std::size_t folded, const torch::Tensor& stored) {
  const network::Convolution& from = layer_of(folded).convolution();
  const Operands& operands = operands_[folded];
  const ConvolutionPlan plan = plan_of(folded);
  const double stored_scale = stored_tensor(folded_[folded].input).scale;

  // Steps as multiples of the range, so that gradients find their way.
  const AdderGrid unit_grid = adder_grid(1.0, plan.weight_bits, plan.activation_bits, plan.grid);
  std::vector<double> offset;
  const torch::Tensor weights = adder_weights(folded, plan, unit_grid, offset);
  const auto group_output = [&](std::size_t g, const torch::Tensor& group_weights) {
    const AdderGrid grid =
        adder_grid(plan.range[g], plan.weight_bits, plan.activation_bits, plan.grid);
    const double step = grid.activation_step();
    const torch::Tensor input =
        fake_read(stored, stored_scale, read_quantizer(stored_scale / step),
                  operands.range[static_cast<std::int64_t>(g)] * unit_grid.activation_step(),
                  activation_range(plan));
    if (plan.activation_signed) {
      return train::adder_conv2d(input, group_weights, from.stride, from.padding);
    }
    return train::adder_conv2d_on_grid(input, group_weights,
                                       std::ldexp(step, -grid.activation_shift), from.stride,
                                       from.padding, gradient_);
  };
  torch::Tensor output;
  if (operands.channels_of_group.empty()) {
    output = group_output(0, weights);
  } else {
    std::vector<torch::Tensor> parts;
    for (std::size_t g = 0; g < operands.channels_of_group.size(); ++g) {
      parts.push_back(group_output(g, weights.index_select(0, operands.channels_of_group[g])));
    }
    output = torch::cat(parts, 1).index_select(1, operands.channel_place);
  }
  // A BatchNorm that follows takes any constant away again.
  if (folded_[folded].batch_norm == network::no_tensor) {
    output = output + channel_view(doubles(offset).to(output.device(), torch::kFloat32));
    if (from.bias) {
      output = output + channel_view(network_.parameter(layer_of(folded).name + ".bias"));
    }
  }
  return output;
}

torch::Tensor QatNetwork::ordinary_weights(std::size_t folded, const ConvolutionPlan& plan) {
  const torch::Tensor& master = network_.parameter(layer_of(folded).name + ".weight");
  Operands& operands = operands_[folded];
  if (!master.is_cpu() && !plan.weights.has_value()) {
    const IntegerRange range = {lowest_integer(plan.weight_bits, true),
                                highest_integer(plan.weight_bits, true)};
    return fake_weights(master, ordinary_levels(master, operands.channel_step, range),
                        operands.channel_step, range, BeyondRange::clipped);
  }
  const std::vector<float> plain = floats(master);
  if (!plan.weights.has_value()) {
    const QuantizedConvolution convolution = quantize_ordinary_convolution(plan, plain, {});
    return fake_weights(
        master, convolution.weights, operands.weight_step,
        {lowest_integer(plan.weight_bits, true), highest_integer(plan.weight_bits, true)},
        BeyondRange::clipped);
  }
  const int channels = layer_of(folded).output.channels;
  const torch::Tensor weights =
      fake_level_weights(*plan.weights, master, operands.weight_parameters,
                         quantize_weights(*plan.weights, plain, channels));
  if (plan.weights->quantizer == WeightQuantizer::lqnet &&
      network_.batch_norm_mode() == train::BatchNormMode::training) {
    torch::NoGradGuard no_gradient;
    const torch::Tensor fitted = doubles(refit_bases(*plan.weights, plain, channels));
    operands.weight_parameters.lerp_(fitted, 1 - basis_momentum);
  }
  return weights;
}

torch::Tensor QatNetwork::ordinary_input(std::size_t folded, const ConvolutionPlan& plan,
                                         const torch::Tensor& stored,
                                         torch::ScalarType type) const {
  const Operands& operands = operands_[folded];
  const double stored_scale = stored_tensor(folded_[folded].input).scale;
  const IntegerRange range{lowest_integer(plan.activation_bits, plan.activation_signed),
                           highest_integer(plan.activation_bits, plan.activation_signed)};
  if (plan.activations == ActivationQuantizer::lsq) {
    return fake_read(stored, stored_scale, read_quantizer(stored_scale / plan.activation_step),
                     operands.activation_step, range, type);
  }
  if (plan.activations == ActivationQuantizer::pact) {
    return fake_read_images(stored, stored_scale,
                            {ratio(read_quantizer(stored_scale / plan.activation_step))},
                            operands.activation_step, range, StepGradient::none, type);
  }
  // The integers' β, with the gradient of the real one.
  const torch::Tensor sums = channel_sums(stored, stored_scale);
  const std::vector<int> factors = integer_step_factors(
      integer_adapter(plan.adapter, stored_tensor(folded_[folded].input)), sums);
  const network::ReadQuantizer quantizer =
      adaptable_read_quantizer(stored_scale / plan.activation_step);
  std::vector<double> values, ratios;
  for (const int factor : factors) {
    values.push_back(std::ldexp(factor, -network::step_factor_bits));
    ratios.push_back(ratio(adapted(quantizer, factor)));
  }
  const torch::Tensor means = channel_means(stored, stored_scale, sums);
  const torch::Tensor steps =
      operands.activation_step *
      straight_through(step_factors(means, operands.adapter), doubles(values));
  return fake_read_images(stored, stored_scale, ratios, steps, range, StepGradient::rounding, type);
}

torch::Tensor QatNetwork::ordinary(std::size_t folded, const torch::Tensor& stored) {
  const network::Layer& layer = layer_of(folded);
  const network::Convolution& from = layer.convolution();
  const ConvolutionPlan plan = plan_of(folded);
  const torch::Tensor bias = from.bias ? network_.parameter(layer.name + ".bias") : torch::Tensor();
  // A classifier's few products are not worth rounding.
  const bool halves = precision_ == train::Precision::bfloat16 && !from.bias;
  const torch::ScalarType type = halves ? torch::kBFloat16 : torch::kFloat32;
  return torch::conv2d(ordinary_input(folded, plan, stored, type),
                       ordinary_weights(folded, plan).to(type), bias, from.stride, from.padding)
      .to(torch::kFloat32);
}

torch::Tensor QatNetwork::store(std::size_t folded, const torch::Tensor& values) const {
  const network::StoredTensor& tensor = plan_.outputs[folded];
  return fake_quantize(values, tensor.scale, stored_range(tensor));
}

torch::Tensor QatNetwork::compute(int index, const std::vector<torch::Tensor>& inputs) {
  const std::size_t at = static_cast<std::size_t>(index);
  const network::Layer& layer = network_.network().layers[at];
  const int folded = convolution_at_[at];
  if (folded != network::no_tensor) {
    const std::size_t i = static_cast<std::size_t>(folded);
    return layer.computes(network::Arithmetic::adder) ? adder(i, inputs[0])
                                                      : ordinary(i, inputs[0]);
  }
  // Saturation at 0 is the ReLU.
  const int output = output_at_[at];
  if (layer.is<network::Relu>() && output != network::no_tensor &&
      !plan_.outputs[static_cast<std::size_t>(output)].is_signed) {
    return store(static_cast<std::size_t>(output), inputs[0]);
  }
  return {};
}

torch::Tensor QatNetwork::forward(const torch::Tensor& images) {
  train::ForwardHooks hooks;
  hooks.compute = [this](int layer, const std::vector<torch::Tensor>& inputs) {
    return compute(layer, inputs);
  };
  hooks.after = [this](int layer, torch::Tensor& output) {
    const int folded = output_at_[static_cast<std::size_t>(layer)];
    if (folded == network::no_tensor) return;
    const std::size_t i = static_cast<std::size_t>(folded);
    const bool done =
        network_.network().layers[static_cast<std::size_t>(layer)].is<network::Relu>() &&
        !plan_.outputs[i].is_signed;
    // Maxima of stored integers are stored integers.
    if (!done && folded_[i].kind != network::IntegerLayerKind::max_pool) output = store(i, output);
  };
  return network_.forward(
      fake_quantize(images.to(network_.device()), plan_.image.scale, stored_range(plan_.image)),
      hooks);
}

}  // namespace abacus::quant
