#include "sw/quant/quantizer_functions.hpp"

#include <ATen/Parallel.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/quant/fake_quantization_kernels.hpp"

namespace abacus {
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

class ReadImagesFunction : public torch::autograd::Function<ReadImagesFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& stored,
                               const torch::Tensor& steps, double stored_scale,
                               const std::vector<double>& ratios, std::int64_t lowest,
                               std::int64_t highest, bool rounding) {
    const torch::Tensor input =
        stored.is_non_overlapping_and_dense() ? stored : stored.contiguous();
    torch::Tensor output = torch::empty_like(input);
    Saved saved{input, steps.contiguous(), stored_scale, ratios, lowest, highest};
    saved.for_each_image([&](std::int64_t image, std::int64_t first, std::int64_t size) {
      read_to_grid(input.data_ptr<float>() + first, output.data_ptr<float>() + first, size,
                   saved.reader(image), saved.grid(image));
    });
    context->save_for_backward({input, saved.steps});
    context->saved_data["stored_scale"] = stored_scale;
    context->saved_data["ratios"] = ratios;
    context->saved_data["lowest"] = lowest;
    context->saved_data["highest"] = highest;
    context->saved_data["rounding"] = rounding;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    auto& data = context->saved_data;
    const auto tensors = context->get_saved_variables();
    const Saved saved{tensors[0],
                      tensors[1],
                      data["stored_scale"].toDouble(),
                      data["ratios"].toDoubleVector(),
                      data["lowest"].toInt(),
                      data["highest"].toInt()};
    const torch::Tensor& input = saved.input;
    const torch::Tensor gradient = gradients[0].strides() == input.strides()
                                       ? gradients[0]
                                       : torch::empty_like(input).copy_(gradients[0]);
    const float* const x = input.data_ptr<float>();
    const float* const dy = gradient.data_ptr<float>();
    torch::Tensor of_input = torch::empty_like(input);
    std::vector<double> sums(static_cast<std::size_t>(input.size(0)), 0.0);
    const bool rounding = data["rounding"].toBool();
    saved.for_each_image([&](std::int64_t image, std::int64_t first, std::int64_t size) {
      mask_gradient(x + first, dy + first, of_input.data_ptr<float>() + first, size,
                    saved.grid(image));
      sums[static_cast<std::size_t>(image)] =
          rounding ? read_step_gradient(x + first, dy + first, size, saved.reader(image),
                                        saved.grid(image))
                   : end_step_gradient(x + first, dy + first, size, saved.grid(image));
    });
    torch::Tensor of_steps = torch::tensor(sums, torch::kFloat64);
    if (saved.steps.numel() == 1) of_steps = of_steps.sum().view(saved.steps.sizes());
    return {of_input,        of_steps,        torch::Tensor(), torch::Tensor(),
            torch::Tensor(), torch::Tensor(), torch::Tensor()};
  }

 private:
  struct Saved {
    torch::Tensor input, steps;
    double stored_scale;
    std::vector<double> ratios;
    std::int64_t lowest, highest;

    std::size_t index(std::int64_t image) const {
      return ratios.size() == 1 ? 0 : static_cast<std::size_t>(image);
    }
    FakeReader reader(std::int64_t image) const {
      return {static_cast<float>(1 / stored_scale), static_cast<float>(ratios[index(image)])};
    }
    FakeGrid grid(std::int64_t image) const {
      return {static_cast<float>(lowest), static_cast<float>(highest),
              static_cast<float>(steps.data_ptr<double>()[index(image)])};
    }
    template <typename Work>
    void for_each_image(const Work& work) const {
      const std::int64_t images = input.size(0);
      const std::int64_t size = images == 0 ? 0 : input.numel() / images;
      at::parallel_for(0, images, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t image = first; image < last; ++image) work(image, image * size, size);
      });
    }
  };
};

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

torch::Tensor fake_read_images(const torch::Tensor& stored, double stored_scale,
                               const std::vector<double>& ratios, const torch::Tensor& steps,
                               IntegerRange range, StepGradient gradient) {
  const std::int64_t count = static_cast<std::int64_t>(ratios.size());
  if (steps.numel() != count || (count != 1 && count != stored.size(0))) {
    throw std::invalid_argument("fake read: found " + std::to_string(steps.numel()) +
                                " steps and " + std::to_string(count) + " ratios for " +
                                std::to_string(stored.size(0)) + " images");
  }
  const torch::Tensor values = steps.detach().contiguous();
  for (std::int64_t i = 0; i < count; ++i) {
    const double step = values.data_ptr<double>()[i];
    if (!(std::isfinite(step) && step > 0)) {
      throw std::invalid_argument("quantization step is " + std::to_string(step) +
                                  "; allowed: finite and above 0");
    }
  }
  if (range.lowest >= range.highest || !(stored_scale > 0)) {
    throw std::invalid_argument("quantization range is " + std::to_string(range.lowest) + " to " +
                                std::to_string(range.highest) +
                                "; allowed: at least two integers of a positive scale");
  }
  return ReadImagesFunction::apply(stored, steps, stored_scale, ratios, std::int64_t{range.lowest},
                                   std::int64_t{range.highest}, gradient == StepGradient::rounding);
}

torch::Tensor step_factors(const torch::Tensor& inputs, const torch::Tensor& parameters) {
  AdapterParameters shape;
  shape.channels = static_cast<int>(inputs.size(1));
  TORCH_CHECK(parameters.numel() == static_cast<std::int64_t>(shape.parameter_count()),
              "an adapter of ", shape.channels, " channels with ", parameters.numel(),
              " parameters");
  torch::Tensor values = inputs.to(torch::kFloat64).mean(at::IntArrayRef({2, 3}));
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

std::vector<int> integer_step_factors(const AdapterNetwork& adapter, const torch::Tensor& stored) {
  const torch::Tensor sums =
      stored.to(torch::kFloat64).sum(at::IntArrayRef({2, 3})).to(torch::kInt64).contiguous();
  const std::int64_t* const values = sums.data_ptr<std::int64_t>();
  std::vector<int> factors;
  for (std::int64_t n = 0; n < sums.size(0); ++n) {
    factors.push_back(
        integer_step_factor(adapter, {values + n * sums.size(1), values + (n + 1) * sums.size(1)}));
  }
  return factors;
}

}  // namespace abacus
