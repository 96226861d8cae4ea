#include "sw/train/adder_functions.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sw/kernels/adder_grid_kernels.hpp"
#include "sw/kernels/adder_kernels.hpp"
#include "sw/kernels/adder_sign_kernels.hpp"
#include "sw/kernels/cuda/adder_cuda.hpp"
#include "sw/train/channels_last.hpp"

namespace abacus::train {
namespace {

kernels::AdderShape adder_shape(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                                int padding) {
  TORCH_CHECK(input.dim() == 4 && weight.dim() == 4 && weight.size(1) == input.size(1) &&
                  weight.size(2) == weight.size(3) && input.device() == weight.device() &&
                  (input.is_cpu() || input.is_cuda()),
              "adder_conv2d: input ", input.sizes(), " and weight ", weight.sizes(),
              " do not fit; expected NxCxHxW and OxCxkxk, both on the processor or one GPU");
  kernels::AdderShape shape;
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

// On the device of `like`.
torch::Tensor empty_channels_last(const torch::Tensor& like, std::int64_t n, int channels,
                                  int height, int width) {
  return torch::empty({n, channels, height, width},
                      torch::TensorOptions().dtype(torch::kFloat32).device(like.device()),
                      at::MemoryFormat::ChannelsLast);
}

void require_float(const torch::Tensor& input, const torch::Tensor& weight) {
  TORCH_CHECK(input.scalar_type() == torch::kFloat32 && weight.scalar_type() == torch::kFloat32,
              "adder_conv2d: found ", input.scalar_type(), " input and ", weight.scalar_type(),
              " weight; expected float32");
}

// Both gradients as the caller wants them, on a GPU.
torch::autograd::variable_list cuda_gradients(const torch::autograd::AutogradContext& context,
                                              const kernels::AdderShape& shape,
                                              const kernels::CudaAdderOperands& operands,
                                              float slope, kernels::CudaWeightGradient kind,
                                              const torch::Tensor& weight,
                                              const torch::Tensor& dy) {
  torch::Tensor dx, dw;
  if (context.needs_input_grad(0)) {
    dx = empty_channels_last(dy, shape.batch, shape.input_channels, shape.input_height,
                             shape.input_width);
    kernels::cuda_adder_input_gradient(shape, operands, slope, dy.data_ptr<float>(),
                                       dx.data_ptr<float>());
  }
  if (context.needs_input_grad(1)) {
    dw = torch::empty_like(weight);
    torch::Tensor scratch = torch::empty({kernels::cuda_adder_scratch(shape)}, dw.options());
    kernels::cuda_adder_weight_gradient(shape, operands, kind, dy.data_ptr<float>(),
                                        scratch.data_ptr<float>(), dw.data_ptr<float>());
  }
  return {dx, dw};
}

// Σ (X − W)·dY = X ⊛ dY − W · Σ dY: the first term is an ordinary convolution's gradient.
torch::Tensor weight_gradient(const torch::Tensor& input, const torch::Tensor& weight,
                              const torch::Tensor& dy, std::int64_t stride, std::int64_t padding) {
  const torch::Tensor products = std::get<1>(
      at::convolution_backward(dy, input, weight, c10::nullopt, at::IntArrayRef({stride, stride}),
                               at::IntArrayRef({padding, padding}), at::IntArrayRef({1, 1}), false,
                               at::IntArrayRef({0, 0}), 1, {false, true, false}));
  return products - weight * dy.sum(at::IntArrayRef({0, 2, 3})).view({-1, 1, 1, 1});
}

class AdderFunction : public torch::autograd::Function<AdderFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& given_input, const torch::Tensor& given_weight,
                               std::int64_t stride, std::int64_t padding) {
    require_float(given_input, given_weight);
    const torch::Tensor input = channels_last(given_input);
    const torch::Tensor weight = given_weight.contiguous();
    const kernels::AdderShape shape =
        adder_shape(input, weight, static_cast<int>(stride), static_cast<int>(padding));
    torch::Tensor output = empty_channels_last(input, shape.batch, shape.output_channels,
                                               shape.output_height(), shape.output_width());
    if (input.is_cuda()) {
      kernels::cuda_adder_forward(shape, {input.data_ptr<float>(), weight.data_ptr<float>()},
                                  output.data_ptr<float>());
    } else {
      kernels::adder_forward(shape, input.data_ptr<float>(), weight.data_ptr<float>(),
                             output.data_ptr<float>());
    }
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
    const kernels::AdderShape shape =
        adder_shape(input, weight, static_cast<int>(stride), static_cast<int>(padding));
    const torch::Tensor dy = channels_last(gradients[0]);
    torch::Tensor dx, dw;
    if (input.is_cuda()) {
      auto both =
          cuda_gradients(*context, shape, {input.data_ptr<float>(), weight.data_ptr<float>()}, 1,
                         kernels::CudaWeightGradient::difference, weight, dy);
      return {both[0], both[1], torch::Tensor(), torch::Tensor()};
    }
    if (context->needs_input_grad(0)) {
      dx = empty_channels_last(input, shape.batch, shape.input_channels, shape.input_height,
                               shape.input_width);
      kernels::adder_input_gradient(shape, input.data_ptr<float>(), weight.data_ptr<float>(),
                                    dy.data_ptr<float>(), dx.data_ptr<float>());
    }
    if (context->needs_input_grad(1)) {
      dw = weight_gradient(input, weight, dy, stride, padding);
    }
    return {dx, dw, torch::Tensor(), torch::Tensor()};
  }
};

// Operands on the grid as the kernels take them.
struct GridOperands {
  torch::Tensor input;   // uint8, channels last
  torch::Tensor weight;  // int32
};

GridOperands to_grid_operands(const torch::Tensor& input, const torch::Tensor& weight, float unit) {
  GridOperands grid;
  grid.input = torch::empty(input.sizes(), torch::TensorOptions().dtype(torch::kUInt8),
                            at::MemoryFormat::ChannelsLast);
  const kernels::GridRange range = kernels::to_grid(input.data_ptr<float>(), input.numel(), unit,
                                                    grid.input.data_ptr<std::uint8_t>());
  TORCH_CHECK(range.least >= 0 && range.largest <= 255, "adder_conv2d_on_grid: found inputs of ",
              range.least, " to ", range.largest, " units of ", unit,
              "; allowed: 0 to 255 (the least integer stands for NaN and infinity)");
  grid.weight = (weight / unit)
                    .round()
                    .clamp(-kernels::kLargestGridWeight, kernels::kLargestGridWeight)
                    .to(torch::kInt32)
                    .contiguous();
  return grid;
}

class AdderGridFunction : public torch::autograd::Function<AdderGridFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& given_input, const torch::Tensor& given_weight,
                               double unit, std::int64_t stride, std::int64_t padding, bool exact) {
    require_float(given_input, given_weight);
    const torch::Tensor input = channels_last(given_input);
    const kernels::AdderShape shape =
        adder_shape(input, given_weight, static_cast<int>(stride), static_cast<int>(padding));
    TORCH_CHECK(unit > 0, "adder_conv2d_on_grid: found a unit of ", unit, "; allowed: above 0");
    TORCH_CHECK(shape.input_channels * shape.kernel * shape.kernel <= kernels::kMostGridTaps,
                "adder_conv2d_on_grid: weight ", given_weight.sizes(), " has more than ",
                kernels::kMostGridTaps, " taps");
    const auto step = static_cast<float>(unit);
    torch::Tensor output = empty_channels_last(input, shape.batch, shape.output_channels,
                                               shape.output_height(), shape.output_width());
    context->saved_data["unit"] = unit;
    context->saved_data["exact"] = exact;
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    if (input.is_cuda()) {
      const torch::Tensor weight = given_weight.contiguous();
      kernels::cuda_adder_forward(shape, {input.data_ptr<float>(), weight.data_ptr<float>(), step},
                                  output.data_ptr<float>());
      context->save_for_backward({input, weight});
      return output;
    }
    const GridOperands grid = to_grid_operands(input, given_weight, step);
    kernels::adder_grid_forward(shape, grid.input.data_ptr<std::uint8_t>(),
                                grid.weight.data_ptr<std::int32_t>(), step,
                                output.data_ptr<float>());
    context->save_for_backward({grid.input, grid.weight});
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &input = saved[0], &weight = saved[1];
    const auto unit = static_cast<float>(context->saved_data["unit"].toDouble());
    const bool exact = context->saved_data["exact"].toBool();
    const std::int64_t stride = context->saved_data["stride"].toInt();
    const std::int64_t padding = context->saved_data["padding"].toInt();
    const kernels::AdderShape shape =
        adder_shape(input, weight, static_cast<int>(stride), static_cast<int>(padding));
    const torch::Tensor dy = channels_last(gradients[0]);
    torch::Tensor dx, dw;
    if (input.is_cuda()) {
      auto both = cuda_gradients(
          *context, shape, {input.data_ptr<float>(), weight.data_ptr<float>(), unit},
          exact ? 1.0F : unit,
          exact ? kernels::CudaWeightGradient::sign : kernels::CudaWeightGradient::difference,
          weight, dy);
      return {both[0], both[1], torch::Tensor(), torch::Tensor(), torch::Tensor(), torch::Tensor()};
    }
    if (context->needs_input_grad(0)) {
      dx = empty_channels_last(input, shape.batch, shape.input_channels, shape.input_height,
                               shape.input_width);
      // In units of 1 the clamp of whole numbers is their sign.
      kernels::adder_grid_input_gradient(shape, input.data_ptr<std::uint8_t>(),
                                         weight.data_ptr<std::int32_t>(), exact ? 1.0F : unit,
                                         dy.data_ptr<float>(), dx.data_ptr<float>());
    }
    if (context->needs_input_grad(1)) {
      dw = torch::empty(weight.sizes(), torch::kFloat32);
      if (exact) {
        const torch::Tensor planes = input.contiguous(), gradient = gradients[0].contiguous();
        kernels::adder_sign_weight_gradient(shape, planes.data_ptr<std::uint8_t>(),
                                            weight.data_ptr<std::int32_t>(),
                                            gradient.data_ptr<float>(), dw.data_ptr<float>());
      } else if (kernels::has_byte_kernels()) {
        kernels::adder_grid_weight_gradient(shape, input.data_ptr<std::uint8_t>(),
                                            weight.data_ptr<std::int32_t>(), unit,
                                            dy.data_ptr<float>(), dw.data_ptr<float>());
      } else {
        dw = weight_gradient(input.to(torch::kFloat32) * unit, weight.to(torch::kFloat32) * unit,
                             dy, stride, padding);
      }
    }
    return {dx, dw, torch::Tensor(), torch::Tensor(), torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor adder_conv2d(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                           int padding) {
  return AdderFunction::apply(input, weight, static_cast<std::int64_t>(stride),
                              static_cast<std::int64_t>(padding));
}

torch::Tensor adder_conv2d_on_grid(const torch::Tensor& input, const torch::Tensor& weight,
                                   double unit, int stride, int padding, AdderGradient gradient) {
  return AdderGridFunction::apply(input, weight, unit, static_cast<std::int64_t>(stride),
                                  static_cast<std::int64_t>(padding),
                                  gradient == AdderGradient::exact);
}

torch::Tensor adder_conv2d_int8(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                                int padding) {
  require_float(input, weight);
  TORCH_CHECK(input.is_cpu(), "adder_conv2d_int8: found an input on ", input.device(),
              ", allowed: on the processor");
  const torch::Tensor dense = channels_last(input);
  const float largest = kernels::largest_value(dense.data_ptr<float>(), dense.numel());
  const float least = dense.detach().min().item<float>();
  if (least < 0) {
    // Padding stays 0 and moves with the operands: it has to be there before.
    const torch::Tensor padded =
        torch::constant_pad_nd(dense, {padding, padding, padding, padding});
    const float highest = padding > 0 ? std::max(largest, 0.0F) : largest;
    const float range = highest > least ? highest - least : 1.0F;
    return adder_conv2d_on_grid(padded - least, weight - least, range / 255.0F, stride, 0);
  }
  return adder_conv2d_on_grid(dense, weight, (largest > 0 ? largest : 1.0F) / 255.0F, stride,
                              padding);
}

}  // namespace abacus::train
