#include "sw/quant/fake/quantizer_functions.hpp"

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace abacus::quant {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class StraightThrough : public torch::autograd::Function<StraightThrough> {
 public:
  static torch::Tensor forward(AutogradContext*, const torch::Tensor&,
                               const torch::Tensor& values) {
    return values.clone();
  }
  static variable_list backward(AutogradContext*, variable_list gradients) {
    return {gradients[0], torch::Tensor()};
  }
};

// One value an output channel, to be combined with the weights.
torch::Tensor channel_column(const torch::Tensor& values, const torch::Tensor& weights) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weights.dim()), 1);
  shape[0] = -1;
  return values.view(shape);
}

torch::Tensor steps_of(const QuantizedWeights& quantized, const torch::Tensor& weights) {
  return channel_column(torch::tensor(quantized.step, torch::kFloat64), weights);
}

// The stored weights' values in units of their steps.
torch::Tensor level_values(const QuantizedWeights& quantized, const torch::Tensor& weights) {
  std::vector<double> values;
  values.reserve(quantized.stored.size());
  for (const std::int16_t stored : quantized.stored) {
    values.push_back(quantized.code.value(stored));
  }
  return torch::tensor(values, torch::kFloat64).view(weights.sizes());
}

}  // namespace

torch::Tensor straight_through(const torch::Tensor& surrogate, const torch::Tensor& values) {
  TORCH_CHECK(surrogate.sizes() == values.sizes(), "straight_through: surrogate ",
              surrogate.sizes(), ", values ", values.sizes());
  return StraightThrough::apply(surrogate, values.to(surrogate.scalar_type()));
}

torch::Tensor fake_level_weights(const WeightPlan& plan, const torch::Tensor& weights,
                                 const torch::Tensor& parameters,
                                 const QuantizedWeights& quantized) {
  if (static_cast<std::int64_t>(quantized.stored.size()) != weights.numel() ||
      static_cast<std::int64_t>(quantized.step.size()) != weights.size(0)) {
    throw std::invalid_argument("fake weights: found " + std::to_string(quantized.stored.size()) +
                                " levels and " + std::to_string(quantized.step.size()) +
                                " steps, expected " + std::to_string(weights.numel()) + " and " +
                                std::to_string(weights.size(0)));
  }
  const torch::Tensor levels = level_values(quantized, weights);
  const torch::Tensor step = steps_of(quantized, weights);
  switch (plan.quantizer) {
    case WeightQuantizer::lsq: {
      const double lowest = -(1 << (plan.bits - 1)), highest = (1 << (plan.bits - 1)) - 1;
      const torch::Tensor learned = channel_column(parameters, weights);
      const torch::Tensor within = (weights.to(torch::kFloat64) / learned).clamp(lowest, highest);
      return (straight_through(within, levels) * learned).to(torch::kFloat32);
    }
    case WeightQuantizer::apot: {
      std::vector<float> plain(static_cast<std::size_t>(weights.numel()));
      torch::from_blob(plain.data(), weights.sizes(), torch::kFloat32).copy_(weights.detach());
      const Moments of = moments(plain);
      const torch::Tensor normalised = (weights.to(torch::kFloat64) - of.mean) / of.deviation;
      const torch::Tensor within = (normalised / parameters[0]).clamp(-1, 1);
      const torch::Tensor rounded = levels * (step / parameters.detach()[0]);
      return (straight_through(within, rounded) * parameters[0]).to(torch::kFloat32);
    }
    case WeightQuantizer::dorefa: {
      const torch::Tensor squashed = weights.tanh();
      return straight_through(squashed / squashed.abs().max().clamp_min(1e-12), levels * step);
    }
    case WeightQuantizer::pot:
    case WeightQuantizer::post: {
      const torch::Tensor range = step.to(torch::kFloat32);
      return straight_through(torch::minimum(torch::maximum(weights, -range), range),
                              levels * step);
    }
    case WeightQuantizer::pact:
    case WeightQuantizer::lqnet:
      return straight_through(weights, levels * step);
  }
  throw std::logic_error("weight quantizer of no known kind");
}

torch::Tensor step_factors(const torch::Tensor& means, const torch::Tensor& parameters) {
  AdapterParameters shape;
  shape.channels = static_cast<int>(means.size(1));
  TORCH_CHECK(parameters.numel() == static_cast<std::int64_t>(shape.parameter_count()),
              "an adapter of ", shape.channels, " channels with ", parameters.numel(),
              " parameters");
  torch::Tensor values = means;
  std::int64_t at = 0;
  const auto layer = [&](std::int64_t in, std::int64_t out) {
    const torch::Tensor weight = parameters.narrow(0, at, in * out).view({out, in});
    const torch::Tensor bias = parameters.narrow(0, at + in * out, out);
    at += (in + 1) * out;
    values = (values.matmul(weight.t()) + bias).clamp_min(0);
  };
  if (shape.hidden() > 0) layer(shape.channels, shape.hidden());
  layer(shape.last(), 1);
  return values.flatten().clamp(AdapterParameters::smallest, AdapterParameters::largest);
}

std::vector<int> integer_step_factors(const network::AdapterNetwork& adapter,
                                      const torch::Tensor& sums) {
  TORCH_CHECK(sums.dim() == 2 && sums.scalar_type() == torch::kInt64 && sums.is_contiguous(),
              "step factors take dense int64 sums, images x channels; found ", sums.scalar_type(),
              " ", sums.sizes());
  const std::int64_t* const values = sums.data_ptr<std::int64_t>();
  std::vector<int> factors;
  for (std::int64_t n = 0; n < sums.size(0); ++n) {
    factors.push_back(
        integer_step_factor(adapter, {values + n * sums.size(1), values + (n + 1) * sums.size(1)}));
  }
  return factors;
}

}  // namespace abacus::quant
