#include "sw/quant/fake_quantization.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sw/quant/fake_quantization_kernels.hpp"
#include "sw/quant/fixed_point.hpp"

namespace abacus {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Work is cut into blocks of fixed size, whose sums are added in order: the result does not depend
// on which thread computed what.
constexpr std::int64_t block_size = 1 << 14;

template <typename Work>
void for_each_block(std::int64_t count, const Work& work) {
  const std::int64_t blocks = (count + block_size - 1) / block_size;
  at::parallel_for(0, blocks, 4, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t block = first; block < last; ++block) {
      work(block, block * block_size, std::min(count, (block + 1) * block_size));
    }
  });
}

FakeGrid grid_of(double step, IntegerRange range) {
  if (!(std::isfinite(step) && step > 0)) {
    throw std::invalid_argument("quantization step is " + std::to_string(step) +
                                "; allowed: finite and above 0");
  }
  if (range.lowest >= range.highest) {
    throw std::invalid_argument("quantization range is " + std::to_string(range.lowest) + " to " +
                                std::to_string(range.highest) + "; allowed: at least two integers");
  }
  return {static_cast<float>(range.lowest), static_cast<float>(range.highest),
          static_cast<float>(step)};
}

torch::Tensor dense(const torch::Tensor& tensor) {
  TORCH_CHECK(tensor.scalar_type() == torch::kFloat32, "fake quantization takes float32, found ",
              tensor.scalar_type());
  return tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous();
}

// `of` with the elements in the order of `like`.
torch::Tensor in_order_of(const torch::Tensor& of, const torch::Tensor& like) {
  if (of.strides() == like.strides()) return of;
  return torch::empty_like(like).copy_(of);
}

// 0 where the input lies beyond the grid's ends.
torch::Tensor masked_gradient(const torch::Tensor& input, const torch::Tensor& gradient,
                              const FakeGrid& grid) {
  torch::Tensor result = torch::empty_like(input);
  const float* const x = input.data_ptr<float>();
  const float* const from = gradient.data_ptr<float>();
  float* const to = result.data_ptr<float>();
  for_each_block(input.numel(), [&](std::int64_t, std::int64_t first, std::int64_t last) {
    mask_gradient(x + first, from + first, to + first, last - first, grid);
  });
  return result;
}

class QuantizeFunction : public torch::autograd::Function<QuantizeFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& values, double step,
                               std::int64_t lowest, std::int64_t highest) {
    const torch::Tensor input = dense(values);
    const FakeGrid grid = grid_of(step, {static_cast<int>(lowest), static_cast<int>(highest)});
    torch::Tensor output = torch::empty_like(input);
    const float* const from = input.data_ptr<float>();
    float* const to = output.data_ptr<float>();
    for_each_block(input.numel(), [&](std::int64_t, std::int64_t first, std::int64_t last) {
      round_to_grid(from + first, to + first, last - first, grid);
    });
    context->save_for_backward({input});
    context->saved_data["step"] = step;
    context->saved_data["lowest"] = lowest;
    context->saved_data["highest"] = highest;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const torch::Tensor input = context->get_saved_variables()[0];
    const FakeGrid grid = grid_of(context->saved_data["step"].toDouble(),
                                  {static_cast<int>(context->saved_data["lowest"].toInt()),
                                   static_cast<int>(context->saved_data["highest"].toInt())});
    return {masked_gradient(input, in_order_of(gradients[0], input), grid), torch::Tensor(),
            torch::Tensor(), torch::Tensor()};
  }
};

class ReadFunction : public torch::autograd::Function<ReadFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& stored,
                               const torch::Tensor& step, double stored_scale, double read_ratio,
                               std::int64_t lowest, std::int64_t highest) {
    const torch::Tensor input = dense(stored);
    const double step_value = step.item<double>();
    const FakeGrid grid =
        grid_of(step_value, {static_cast<int>(lowest), static_cast<int>(highest)});
    torch::Tensor output = torch::empty_like(input);
    const float* const from = input.data_ptr<float>();
    float* const to = output.data_ptr<float>();
    const FakeReader reader = reader_of(stored_scale, read_ratio);
    for_each_block(input.numel(), [&](std::int64_t, std::int64_t first, std::int64_t last) {
      read_to_grid(from + first, to + first, last - first, reader, grid);
    });
    context->save_for_backward({input, step});
    context->saved_data["stored_scale"] = stored_scale;
    context->saved_data["ratio"] = read_ratio;
    context->saved_data["lowest"] = lowest;
    context->saved_data["highest"] = highest;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &input = saved[0], &step = saved[1];
    const FakeGrid grid =
        grid_of(step.item<double>(), {static_cast<int>(context->saved_data["lowest"].toInt()),
                                      static_cast<int>(context->saved_data["highest"].toInt())});
    const torch::Tensor gradient = in_order_of(gradients[0], input);
    torch::Tensor of_input, of_step;
    if (context->needs_input_grad(0)) of_input = masked_gradient(input, gradient, grid);
    if (context->needs_input_grad(1)) {
      const double sum = step_gradient(input, gradient,
                                       reader_of(context->saved_data["stored_scale"].toDouble(),
                                                 context->saved_data["ratio"].toDouble()),
                                       grid);
      of_step = torch::full_like(step, sum);
    }
    return {of_input, of_step, torch::Tensor(), torch::Tensor(), torch::Tensor(), torch::Tensor()};
  }

 private:
  static FakeReader reader_of(double stored_scale, double ratio) {
    return {static_cast<float>(1 / stored_scale), static_cast<float>(ratio)};
  }

  static double step_gradient(const torch::Tensor& input, const torch::Tensor& gradient,
                              const FakeReader& reader, const FakeGrid& grid) {
    const float* const x = input.data_ptr<float>();
    const float* const dy = gradient.data_ptr<float>();
    std::vector<double> sums(
        static_cast<std::size_t>((input.numel() + block_size - 1) / block_size), 0.0);
    for_each_block(input.numel(), [&](std::int64_t block, std::int64_t first, std::int64_t last) {
      sums[static_cast<std::size_t>(block)] =
          read_step_gradient(x + first, dy + first, last - first, reader, grid);
    });
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
  }
};

class WeightsFunction : public torch::autograd::Function<WeightsFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& weights,
                               const torch::Tensor& step, const torch::Tensor& levels,
                               std::int64_t lowest, std::int64_t highest, std::int64_t beyond) {
    context->save_for_backward({weights, step, levels});
    context->saved_data["lowest"] = lowest;
    context->saved_data["highest"] = highest;
    context->saved_data["beyond"] = beyond;
    return levels * per_channel(step, levels).to(torch::kFloat32);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &weights = saved[0], &step = saved[1], &levels = saved[2];
    const torch::Tensor& gradient = gradients[0];
    const double lowest = static_cast<double>(context->saved_data["lowest"].toInt());
    const double highest = static_cast<double>(context->saved_data["highest"].toInt());
    const auto beyond = static_cast<BeyondRange>(context->saved_data["beyond"].toInt());
    const bool clipped = beyond == BeyondRange::clipped;
    const torch::Tensor v = weights / per_channel(step, levels);
    const torch::Tensor inside = v.ge(lowest).logical_and(v.le(highest));
    torch::Tensor of_weights = gradient;
    if (beyond != BeyondRange::offset) of_weights = gradient * inside;
    torch::Tensor of_step;
    if (context->needs_input_grad(1)) {
      const torch::Tensor ends =
          clipped ? levels.to(torch::kFloat64) : torch::zeros_like(levels, torch::kFloat64);
      of_step =
          (torch::where(inside, levels - v, ends) * gradient).flatten(1).sum(at::IntArrayRef({1}));
    }
    return {of_weights,      of_step,         torch::Tensor(),
            torch::Tensor(), torch::Tensor(), torch::Tensor()};
  }

 private:
  static torch::Tensor per_channel(const torch::Tensor& step, const torch::Tensor& levels) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(levels.dim()), 1);
    shape[0] = -1;
    return step.view(shape);
  }
};

}  // namespace

torch::Tensor fake_quantize(const torch::Tensor& values, double step, IntegerRange range) {
  grid_of(step, range);
  return QuantizeFunction::apply(values, step, std::int64_t{range.lowest},
                                 std::int64_t{range.highest});
}

torch::Tensor fake_read(const torch::Tensor& stored, double stored_scale,
                        const ReadQuantizer& quantizer, const torch::Tensor& step,
                        IntegerRange range) {
  grid_of(stored_scale, range);
  grid_of(step.item<double>(), range);
  return ReadFunction::apply(stored, step, stored_scale, ratio(quantizer),
                             std::int64_t{range.lowest}, std::int64_t{range.highest});
}

torch::Tensor fake_weights(const torch::Tensor& weights, const std::vector<std::int16_t>& levels,
                           const torch::Tensor& step, IntegerRange range, BeyondRange beyond) {
  if (static_cast<std::int64_t>(levels.size()) != weights.numel() ||
      step.numel() != weights.size(0)) {
    throw std::invalid_argument("fake weights: found " + std::to_string(levels.size()) +
                                " levels and " + std::to_string(step.numel()) +
                                " steps, expected " + std::to_string(weights.numel()) + " and " +
                                std::to_string(weights.size(0)));
  }
  const std::vector<float> values(levels.begin(), levels.end());
  return WeightsFunction::apply(weights, step, torch::tensor(values).view(weights.sizes()),
                                std::int64_t{range.lowest}, std::int64_t{range.highest},
                                static_cast<std::int64_t>(beyond));
}

}  // namespace abacus
