#include "sw/quant/reconstruct/reconstruction_layers.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "sw/quant/plan/unrounded_output.hpp"
#include "sw/train/adder_functions.hpp"

namespace abacus::quant {
namespace {

// A weight that the network's rounding moved to another level than its nearest starts so far from
// the border that one step does not move it back.
constexpr double moved_weight_margin = 0.25;

class RoundStraightThrough : public torch::autograd::Function<RoundStraightThrough> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& values, double lowest, double highest) {
    torch::Tensor rounded = (values + 0.5).floor_();
    if (values.requires_grad()) {
      context->save_for_backward({rounded.ge(lowest).logical_and_(rounded.le(highest))});
    }
    return rounded.clamp_(lowest, highest);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {gradients[0] * context->get_saved_variables()[0], torch::Tensor(), torch::Tensor()};
  }
};

torch::Tensor row(const std::vector<float>& values) {
  return torch::tensor(values).view({1, -1, 1, 1});
}

torch::Tensor as_tensor(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64).to(torch::kFloat32);
}

std::vector<double> as_doubles(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().to(torch::kFloat64).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

}  // namespace

torch::Tensor round_straight_through(const torch::Tensor& values, double lowest, double highest) {
  return RoundStraightThrough::apply(values, lowest, highest);
}

TrainableUnit::TrainableUnit(QuantizedNetwork& network, ReconstructionUnit unit,
                             const train::FloatNetwork& float_network)
    : network_(network), unit_(unit), states_(unit.last - unit.first + 1) {
  for (std::size_t i = unit.first; i <= unit.last; ++i) {
    const QuantizedLayer& layer = network.layers[i];
    if (layer.folded.kind != network::IntegerLayerKind::convolution) continue;
    const QuantizedConvolution& from = layer.convolution;
    State& state = states_[i - unit.first];
    state.present = true;
    TrainableConvolution& convolution = state.convolution;
    convolution.lowest_weight = lowest_integer(from.weight_bits, from.weight_signed);
    convolution.highest_weight = highest_integer(from.weight_bits, from.weight_signed);
    // What one weight step is worth: of an adder, the accumulator's, shifted; of an ordinary layer,
    // the accumulator's over the operand's.
    const network::Layer& float_layer = network.source(i);
    const bool adder = float_layer.computes(network::Arithmetic::adder);
    std::vector<float> steps;
    for (std::size_t o = 0; o < from.group.size(); ++o) {
      const double step = adder ? -from.accumulator_step[o] * (1 << from.weight_shift)
                                : from.accumulator_step[o] /
                                      from.activation_step[static_cast<std::size_t>(from.group[o])];
      steps.push_back(static_cast<float>(step));
    }
    const torch::Tensor real = float_network.parameter(float_layer.name + ".weight").detach();
    const torch::Tensor levels =
        torch::tensor(std::vector<float>(from.weights.begin(), from.weights.end()))
            .view(real.sizes());
    convolution.weights = real.div(torch::tensor(steps).view({-1, 1, 1, 1}))
                              .clamp(convolution.lowest_weight, convolution.highest_weight);
    const torch::Tensor moved = (convolution.weights + 0.5).floor().ne(levels);
    const torch::Tensor near =
        torch::min(torch::max(convolution.weights, levels - moved_weight_margin),
                   levels + moved_weight_margin);
    convolution.weights = torch::where(moved, near, convolution.weights).requires_grad_(true);
    convolution.step_ratio =
        torch::ones({static_cast<std::int64_t>(from.activation_step.size())}).requires_grad_(true);
    if (!layer.batch_norm.weight.empty()) {
      convolution.norm_weight = as_tensor(layer.batch_norm.weight).requires_grad_(true);
      convolution.norm_bias = as_tensor(layer.batch_norm.bias).requires_grad_(true);
    }
    const std::size_t groups = from.activation_step.size();
    if (groups == 1) continue;
    std::vector<std::vector<std::int64_t>> channels(groups);
    for (std::size_t o = 0; o < from.group.size(); ++o) {
      channels[static_cast<std::size_t>(from.group[o])].push_back(static_cast<std::int64_t>(o));
    }
    for (const auto& of_group : channels) state.group_channels.push_back(torch::tensor(of_group));
    state.order = torch::cat(state.group_channels).argsort();
  }
}

std::vector<TrainableConvolution*> TrainableUnit::convolutions(bool with_edges) {
  std::vector<TrainableConvolution*> result;
  for (std::size_t i = unit_.first; i <= unit_.last; ++i) {
    TrainableConvolution* const found = convolution(i);
    if (found == nullptr) continue;
    if (with_edges || !network_.source(i).convolution().edge) result.push_back(found);
  }
  return result;
}

TrainableConvolution* TrainableUnit::convolution(std::size_t layer) {
  State& state = states_.at(layer - unit_.first);
  return state.present ? &state.convolution : nullptr;
}

void TrainableUnit::set_normalization(NormalizationMode mode) {
  mode_ = mode;
  for (State& state : states_) state.statistics = {};
}

torch::Tensor TrainableUnit::accumulate(std::size_t index, const torch::Tensor& stored) {
  const QuantizedLayer& layer = network_.layers[index];
  const QuantizedConvolution& convolution = layer.convolution;
  const network::Convolution& from = network_.source(index).convolution();
  State& state = states_[index - unit_.first];
  const TrainableConvolution& trainable = state.convolution;
  const bool adder = from.arithmetic == network::Arithmetic::adder;
  const double scale = network_.tensor(layer.folded.input).scale;

  const auto operands = [&](std::size_t group) {
    torch::Tensor values = stored * (scale / convolution.activation_step[group]);
    if (learn_steps_) values = values / trainable.step_ratio[static_cast<std::int64_t>(group)];
    if (!round_operands_) return values;
    return round_straight_through(
        values, lowest_integer(convolution.activation_bits, convolution.activation_signed),
        highest_integer(convolution.activation_bits, convolution.activation_signed));
  };
  torch::Tensor weights;
  if (trainable.rounded_weights) {
    weights = trainable.rounded_weights();
  } else {
    weights = trainable.weights;
    // An adder's two operands share their grid: it moves under the weights as well.
    if (adder && learn_steps_) {
      const torch::Tensor groups = torch::tensor(convolution.group).to(torch::kInt64);
      weights = weights / trainable.step_ratio.index_select(0, groups).view({-1, 1, 1, 1});
    }
    weights = round_straight_through(weights, trainable.lowest_weight, trainable.highest_weight);
  }
  if (!adder) return torch::conv2d(operands(0), weights, {}, from.stride, from.padding);

  const double activation_factor = 1 << convolution.activation_shift;
  if (convolution.weight_shift != 0) weights = weights * (1 << convolution.weight_shift);
  const auto shifted = [&](std::size_t group) {
    const torch::Tensor values = operands(group);
    return convolution.activation_shift == 0 ? values : values * activation_factor;
  };
  const auto distances = [&](const torch::Tensor& operand, const torch::Tensor& weight) {
    // The kernels for integers take inputs from 0 on.
    if (convolution.activation_signed) {
      return train::adder_conv2d(operand, weight, from.stride, from.padding);
    }
    return train::adder_conv2d_on_grid(operand, weight, 1, from.stride, from.padding,
                                       train::AdderGradient::exact);
  };
  if (state.group_channels.empty()) return distances(shifted(0), weights);
  std::vector<torch::Tensor> parts;
  for (std::size_t g = 0; g < state.group_channels.size(); ++g) {
    parts.push_back(distances(shifted(g), weights.index_select(0, state.group_channels[g])));
  }
  return torch::cat(parts, 1).index_select(1, state.order);
}

torch::Tensor TrainableUnit::convolve(std::size_t index, const torch::Tensor& stored,
                                      const torch::Tensor& residual) {
  const QuantizedLayer& layer = network_.layers[index];
  State& state = states_[index - unit_.first];
  // Accumulators, negated where the layer's output falls with them.
  const double sign = network_.source(index).computes(network::Arithmetic::adder) ? -1.0 : 1.0;
  torch::Tensor values = accumulate(index, stored);
  const bool normalized = state.convolution.norm_weight.defined();
  if (normalized && mode_ != NormalizationMode::fixed) {
    if (mode_ == NormalizationMode::observe) {
      torch::NoGradGuard no_gradient;
      const torch::Tensor exact = values.to(torch::kFloat64);
      const torch::Tensor mean = exact.mean(at::IntArrayRef({0, 2, 3}));
      const torch::Tensor square = exact.square().mean(at::IntArrayRef({0, 2, 3}));
      Statistics& sums = state.statistics;
      sums.mean = sums.batches == 0 ? mean : sums.mean + mean;
      sums.square = sums.batches == 0 ? square : sums.square + square;
      ++sums.batches;
    }
    const double step = sign * layer.convolution.accumulator_step.front();
    values =
        torch::batch_norm(values, state.convolution.norm_weight, state.convolution.norm_bias, {},
                          {}, true, 0.0, network::BatchNorm::epsilon / (step * step), false);
    values = values / layer.output.scale;
  } else {
    std::vector<float> gains, offsets;
    for (const AffineChannel& channel : affine_channels(layer)) {
      gains.push_back(static_cast<float>(sign * channel.gain));
      offsets.push_back(static_cast<float>(channel.offset - channel.gain * channel.center));
    }
    if (learn_steps_ && sign > 0) values = values * state.convolution.step_ratio;
    values = values * row(gains) + row(offsets);
  }
  if (residual.defined()) {
    values =
        values + residual * (network_.tensor(layer.folded.residual).scale / layer.output.scale);
  }
  return values;
}

torch::Tensor TrainableUnit::forward(const torch::Tensor& input) {
  const int last = static_cast<int>(unit_.last);
  network::GraphWalk<torch::Tensor> walk(network::reads_of(network_.folded()),
                                         static_cast<int>(unit_.first), input);
  while (walk.layer() <= last) {
    const std::size_t i = static_cast<std::size_t>(walk.layer());
    const QuantizedLayer& layer = network_.layers[i];
    const std::vector<torch::Tensor> inputs = walk.inputs();
    const torch::Tensor residual = inputs.size() > 1 ? inputs[1] : torch::Tensor();
    const torch::Tensor output = unrounded_output(network_, i, inputs[0], residual,
                                                  [&] { return convolve(i, inputs[0], residual); });
    const int lowest =
        layer.folded.relu ? std::max(0, layer.output.lowest()) : layer.output.lowest();
    walk.advance(round_straight_through(output, lowest, layer.output.highest()));
  }
  return walk.tensor(last);
}

void TrainableUnit::store() {
  torch::NoGradGuard no_gradient;
  for (std::size_t i = unit_.first; i <= unit_.last; ++i) {
    if (!states_[i - unit_.first].present) continue;
    TrainableConvolution& trainable = states_[i - unit_.first].convolution;
    QuantizedLayer& layer = network_.layers[i];
    QuantizedConvolution& convolution = layer.convolution;
    const bool adder = network_.source(i).computes(network::Arithmetic::adder);
    const std::vector<double> ratios = as_doubles(trainable.step_ratio);
    if (adder && learn_steps_) {
      const torch::Tensor groups = torch::tensor(convolution.group).to(torch::kInt64);
      trainable.weights.div_(trainable.step_ratio.index_select(0, groups).view({-1, 1, 1, 1}));
    }
    const torch::Tensor rounded =
        (trainable.rounded_weights
             ? trainable.rounded_weights()
             : round_straight_through(trainable.weights, trainable.lowest_weight,
                                      trainable.highest_weight))
            .contiguous();
    const float* const values = rounded.data_ptr<float>();
    for (std::size_t w = 0; w < convolution.weights.size(); ++w) {
      if (values[w] != std::floor(values[w])) throw std::logic_error("a weight between two levels");
      convolution.weights[w] = static_cast<std::int16_t>(values[w]);
    }
    if (learn_steps_) {
      for (std::size_t o = 0; o < convolution.group.size(); ++o) {
        convolution.accumulator_step[o] *= ratios[static_cast<std::size_t>(convolution.group[o])];
      }
      for (std::size_t g = 0; g < ratios.size(); ++g) {
        convolution.activation_step[g] *= ratios[g];
        layer.read_quantizers[g] = read_quantizer(network_.tensor(layer.folded.input).scale /
                                                  convolution.activation_step[g]);
        convolution.activation_step[g] =
            network_.tensor(layer.folded.input).scale / ratio(layer.read_quantizers[g]);
      }
      trainable.step_ratio.fill_(1.0);
    }
    if (trainable.norm_weight.defined()) {
      layer.batch_norm.weight = as_doubles(trainable.norm_weight);
      layer.batch_norm.bias = as_doubles(trainable.norm_bias);
    }
  }
}

void TrainableUnit::use_observed_statistics() {
  for (std::size_t i = unit_.first; i <= unit_.last; ++i) {
    const Statistics& sums = states_[i - unit_.first].statistics;
    if (sums.batches == 0) continue;
    QuantizedLayer& layer = network_.layers[i];
    const std::vector<double> means = as_doubles(sums.mean / sums.batches);
    const std::vector<double> squares = as_doubles(sums.square / sums.batches);
    for (std::size_t o = 0; o < means.size(); ++o) {
      const double step = layer.convolution.accumulator_step[o];
      const double sign = step < 0 ? -1 : 1;
      layer.batch_norm.mean[o] = sign * step * means[o] + layer.convolution.offset[o];
      layer.batch_norm.variance[o] = std::max(0.0, squares[o] - means[o] * means[o]) * step * step;
    }
  }
}

}  // namespace abacus::quant
