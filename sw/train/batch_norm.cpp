#include "sw/train/batch_norm.hpp"

#include <cmath>
#include <vector>

#include "sw/kernels/batch_norm_kernels.hpp"
#include "sw/train/channels_last.hpp"

namespace abacus::train {
namespace {

torch::Tensor like(const torch::Tensor& tensor) {
  return torch::empty(tensor.sizes(), tensor.options(), at::MemoryFormat::ChannelsLast);
}

kernels::BatchNormShape shape_of(const torch::Tensor& x) {
  return {x.size(0) * x.size(2) * x.size(3), static_cast<int>(x.size(1))};
}

torch::Tensor to_floats(const std::vector<double>& values) {
  torch::Tensor result = torch::empty({static_cast<std::int64_t>(values.size())}, torch::kFloat32);
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.data_ptr<float>()[i] = static_cast<float>(values[i]);
  }
  return result;
}

void move_running_statistics(const BatchNormParameters& parameters,
                             const kernels::BatchStatistics& batch, std::int64_t pixels) {
  float* const mean = parameters.running_mean.data_ptr<float>();
  float* const variance = parameters.running_variance.data_ptr<float>();
  const double unbiased = static_cast<double>(pixels) / static_cast<double>(pixels - 1);
  const double kept = 1 - parameters.momentum;
  for (std::size_t c = 0; c < batch.mean.size(); ++c) {
    mean[c] = static_cast<float>(kept * mean[c] + parameters.momentum * batch.mean[c]);
    variance[c] =
        static_cast<float>(kept * variance[c] + parameters.momentum * unbiased * batch.variance[c]);
  }
}

class BatchNormFunction : public torch::autograd::Function<BatchNormFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& given_input, const torch::Tensor& given_weight,
                               const torch::Tensor& given_bias,
                               const c10::optional<torch::Tensor>& given_residual,
                               const BatchNormParameters& parameters, bool relu) {
    const torch::Tensor input = channels_last(given_input);
    const torch::Tensor weight = given_weight.contiguous(), bias = given_bias.contiguous();
    const kernels::BatchNormShape shape = shape_of(input);
    const kernels::BatchStatistics batch =
        kernels::batch_statistics(shape, input.data_ptr<float>());
    move_running_statistics(parameters, batch, shape.pixels);
    std::vector<double> inverse(batch.variance.size());
    for (std::size_t c = 0; c < inverse.size(); ++c) {
      inverse[c] = 1 / std::sqrt(batch.variance[c] + parameters.epsilon);
    }
    const torch::Tensor mean = to_floats(batch.mean), inverse_deviation = to_floats(inverse);
    const torch::Tensor scale = weight * inverse_deviation;
    torch::Tensor residual;
    if (given_residual.has_value()) residual = channels_last(*given_residual);
    torch::Tensor output = like(input);
    kernels::normalize(shape, input.data_ptr<float>(), mean.data_ptr<float>(),
                       scale.data_ptr<float>(), bias.data_ptr<float>(),
                       residual.defined() ? residual.data_ptr<float>() : nullptr, relu,
                       output.data_ptr<float>());
    context->save_for_backward(
        {input, mean, inverse_deviation, weight, relu ? output : torch::Tensor()});
    context->saved_data["residual"] = given_residual.has_value();
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &input = saved[0], &mean = saved[1], &inverse = saved[2],
                        &weight = saved[3], &output = saved[4];
    const torch::Tensor dy = channels_last(gradients[0]);
    const kernels::BatchNormShape shape = shape_of(input);
    const float* const y = output.defined() ? output.data_ptr<float>() : nullptr;
    // What the addition's other operand gets is what the ReLU lets through.
    torch::Tensor residual_gradient;
    if (context->saved_data["residual"].toBool()) {
      residual_gradient = y != nullptr ? like(input) : dy;
    }
    const bool write = residual_gradient.defined() && y != nullptr;
    const kernels::GradientSums sums = kernels::gradient_sums(
        shape, input.data_ptr<float>(), mean.data_ptr<float>(), dy.data_ptr<float>(), y,
        write ? residual_gradient.data_ptr<float>() : nullptr);
    const auto pixels = static_cast<double>(shape.pixels);
    const std::size_t channels = sums.dy.size();
    std::vector<double> factor(channels), slope(channels), offset(channels),
        weight_gradient(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      const double inverse_deviation = inverse.data_ptr<float>()[c];
      factor[c] = weight.data_ptr<float>()[c] * inverse_deviation;
      weight_gradient[c] = sums.dy_x[c] * inverse_deviation;
      slope[c] = -factor[c] * inverse_deviation * weight_gradient[c] / pixels;
      offset[c] = -factor[c] * sums.dy[c] / pixels;
    }
    torch::Tensor dx = like(input);
    const torch::Tensor factors = to_floats(factor), slopes = to_floats(slope),
                        offsets = to_floats(offset);
    kernels::normalization_gradient(shape, input.data_ptr<float>(), mean.data_ptr<float>(),
                                    (write ? residual_gradient : dy).data_ptr<float>(),
                                    write ? nullptr : y, factors.data_ptr<float>(),
                                    slopes.data_ptr<float>(), offsets.data_ptr<float>(),
                                    dx.data_ptr<float>());
    return {dx,
            to_floats(weight_gradient),
            to_floats(sums.dy),
            residual_gradient,
            torch::Tensor(),
            torch::Tensor()};
  }
};

}  // namespace

torch::Tensor batch_norm_in_training(const torch::Tensor& input,
                                     const BatchNormParameters& parameters,
                                     const torch::Tensor& residual, bool relu) {
  TORCH_CHECK(input.dim() == 4 && input.scalar_type() == torch::kFloat32 &&
                  parameters.weight.numel() == input.size(1) &&
                  (!residual.defined() || (residual.sizes() == input.sizes() &&
                                           residual.scalar_type() == torch::kFloat32)),
              "batch_norm_in_training: input ", input.sizes(), " does not fit its ",
              parameters.weight.numel(), " channels or the residual; expected float32");
  TORCH_CHECK(input.numel() > input.size(1),
              "batch_norm_in_training: expected more than one value a channel, found input ",
              input.sizes());
  c10::optional<torch::Tensor> added;
  if (residual.defined()) added = residual;
  return BatchNormFunction::apply(input, parameters.weight, parameters.bias, added, parameters,
                                  relu);
}

}  // namespace abacus::train
