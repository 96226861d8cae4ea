#include "sw/quant/fake/fake_quantization.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sw/kernels/cuda/fake_quantization_cuda.hpp"
#include "sw/kernels/fake_quantization_kernels.hpp"
#include "sw/quant/plan/fixed_point.hpp"

namespace abacus::quant {
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

kernels::FakeGrid grid_of(double step, IntegerRange range) {
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
                              const kernels::FakeGrid& grid) {
  torch::Tensor result = torch::empty_like(input);
  const float* const x = input.data_ptr<float>();
  const float* const from = gradient.data_ptr<float>();
  float* const to = result.data_ptr<float>();
  if (input.is_cuda()) {
    kernels::cuda_mask_gradient(x, from, to, input.numel(), grid);
    return result;
  }
  for_each_block(input.numel(), [&](std::int64_t, std::int64_t first, std::int64_t last) {
    kernels::mask_gradient(x + first, from + first, to + first, last - first, grid);
  });
  return result;
}

class QuantizeFunction : public torch::autograd::Function<QuantizeFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& values, double step,
                               std::int64_t lowest, std::int64_t highest) {
    const torch::Tensor input = dense(values);
    const kernels::FakeGrid grid =
        grid_of(step, {static_cast<int>(lowest), static_cast<int>(highest)});
    torch::Tensor output = torch::empty_like(input);
    const float* const from = input.data_ptr<float>();
    float* const to = output.data_ptr<float>();
    if (input.is_cuda()) {
      kernels::cuda_round_to_grid(from, to, input.numel(), grid);
    } else {
      for_each_block(input.numel(), [&](std::int64_t, std::int64_t first, std::int64_t last) {
        kernels::round_to_grid(from + first, to + first, last - first, grid);
      });
    }
    context->save_for_backward({input});
    context->saved_data["step"] = step;
    context->saved_data["lowest"] = lowest;
    context->saved_data["highest"] = highest;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const torch::Tensor input = context->get_saved_variables()[0];
    const kernels::FakeGrid grid =
        grid_of(context->saved_data["step"].toDouble(),
                {static_cast<int>(context->saved_data["lowest"].toInt()),
                 static_cast<int>(context->saved_data["highest"].toInt())});
    return {masked_gradient(input, in_order_of(gradients[0], input), grid), torch::Tensor(),
            torch::Tensor(), torch::Tensor()};
  }
};

kernels::Bfloat16Bits* bits_of(const torch::Tensor& tensor) {
  static_assert(sizeof(at::BFloat16) == sizeof(kernels::Bfloat16Bits));
  return reinterpret_cast<kernels::Bfloat16Bits*>(tensor.data_ptr<at::BFloat16>());
}

// work(pointer to the elements), of float32 or bfloat16.
template <typename Work>
void with_elements(const torch::Tensor& tensor, const Work& work) {
  if (tensor.scalar_type() == torch::kBFloat16) {
    work(bits_of(tensor));
  } else {
    work(tensor.data_ptr<float>());
  }
}

class ReadImagesFunction : public torch::autograd::Function<ReadImagesFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& stored,
                               const torch::Tensor& steps, double stored_scale,
                               const std::vector<double>& ratios, std::int64_t lowest,
                               std::int64_t highest, bool rounding, torch::ScalarType type) {
    const torch::Tensor input = dense(stored);
    torch::Tensor output = torch::empty_like(input, type);
    const Saved saved{input, steps.contiguous(), stored_scale, ratios, lowest, highest};
    if (input.is_cuda()) {
      TORCH_CHECK(ratios.size() == 1 && type == torch::kFloat32,
                  "fake quantization on a GPU: found ", ratios.size(),
                  " steps and results of type ", type, "; allowed: one step, float32");
      kernels::cuda_read_to_grid(input.data_ptr<float>(), output.data_ptr<float>(), input.numel(),
                                 saved.reader(0), saved.grid(0));
    } else {
      with_elements(output, [&](auto* to) {
        saved.for_each_image([&](std::int64_t image, std::int64_t first, std::int64_t size) {
          kernels::read_to_grid(input.data_ptr<float>() + first, to + first, size,
                                saved.reader(image), saved.grid(image));
        });
      });
    }
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
    const torch::Tensor gradient = in_order_of(gradients[0], input);
    if (input.is_cuda()) {
      TORCH_CHECK(!context->needs_input_grad(1),
                  "fake quantization on a GPU: a step that is learned; allowed: on the processor");
      return {masked_gradient(input, gradient, saved.grid(0)),
              torch::Tensor(),
              torch::Tensor(),
              torch::Tensor(),
              torch::Tensor(),
              torch::Tensor(),
              torch::Tensor(),
              torch::Tensor()};
    }
    const float* const x = input.data_ptr<float>();
    torch::Tensor of_input, of_steps;
    if (context->needs_input_grad(0)) of_input = torch::empty_like(input);
    std::vector<double> sums(static_cast<std::size_t>(input.size(0)), 0.0);
    const bool rounding = data["rounding"].toBool();
    with_elements(gradient, [&](const auto* dy) {
      saved.for_each_image([&](std::int64_t image, std::int64_t first, std::int64_t size) {
        const kernels::FakeGrid grid = saved.grid(image);
        if (of_input.defined()) {
          kernels::mask_gradient(x + first, dy + first, of_input.data_ptr<float>() + first, size,
                                 grid);
        }
        if (!context->needs_input_grad(1)) return;
        sums[static_cast<std::size_t>(image)] =
            rounding ? kernels::read_step_gradient(x + first, dy + first, size, saved.reader(image),
                                                   grid)
                     : kernels::end_step_gradient(x + first, dy + first, size, grid);
      });
    });
    if (context->needs_input_grad(1)) {
      of_steps = torch::tensor(sums, torch::kFloat64);
      if (saved.steps.numel() == 1) of_steps = of_steps.sum().view(saved.steps.sizes());
    }
    return {of_input,        of_steps,        torch::Tensor(), torch::Tensor(),
            torch::Tensor(), torch::Tensor(), torch::Tensor(), torch::Tensor()};
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
    kernels::FakeReader reader(std::int64_t image) const {
      return {static_cast<float>(1 / stored_scale), static_cast<float>(ratios[index(image)])};
    }
    kernels::FakeGrid grid(std::int64_t image) const {
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

class ChannelMeansFunction : public torch::autograd::Function<ChannelMeansFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& stored,
                               double stored_scale, const torch::Tensor& sums) {
    context->saved_data["shape"] = stored.sizes().vec();
    const double places = static_cast<double>(stored.size(2) * stored.size(3));
    return sums.to(torch::kFloat64) * (stored_scale / places);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const std::vector<std::int64_t> shape = context->saved_data["shape"].toIntVector();
    const double places = static_cast<double>(shape[2] * shape[3]);
    const torch::Tensor of_place = (gradients[0] / places).to(torch::kFloat32);
    return {of_place.view({shape[0], shape[1], 1, 1}).expand(shape), torch::Tensor(),
            torch::Tensor()};
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

torch::Tensor fake_read_images(const torch::Tensor& stored, double stored_scale,
                               const std::vector<double>& ratios, const torch::Tensor& steps,
                               IntegerRange range, StepGradient gradient,
                               torch::ScalarType output) {
  grid_of(stored_scale, range);
  TORCH_CHECK(output == torch::kFloat32 || output == torch::kBFloat16,
              "fake quantization gives float32 or bfloat16, asked for ", output);
  const std::int64_t count = static_cast<std::int64_t>(ratios.size());
  if (steps.numel() != count || (count != 1 && count != stored.size(0))) {
    throw std::invalid_argument("fake read: found " + std::to_string(steps.numel()) +
                                " steps and " + std::to_string(count) + " ratios for " +
                                std::to_string(stored.size(0)) + " images");
  }
  const torch::Tensor values = steps.detach().contiguous();
  for (std::int64_t i = 0; i < count; ++i) grid_of(values.data_ptr<double>()[i], range);
  return ReadImagesFunction::apply(stored, steps, stored_scale, ratios, std::int64_t{range.lowest},
                                   std::int64_t{range.highest}, gradient == StepGradient::rounding,
                                   output);
}

torch::Tensor fake_read(const torch::Tensor& stored, double stored_scale,
                        const network::ReadQuantizer& quantizer, const torch::Tensor& step,
                        IntegerRange range, torch::ScalarType output) {
  return fake_read_images(stored, stored_scale, {ratio(quantizer)}, step, range,
                          StepGradient::rounding, output);
}

torch::Tensor channel_sums(const torch::Tensor& stored, double stored_scale) {
  TORCH_CHECK(stored.dim() == 4 && stored.scalar_type() == torch::kFloat32 && stored_scale > 0,
              "channel sums take float32 tensors of images x channels x rows x columns and a scale "
              "above 0; found ",
              stored.scalar_type(), " ", stored.sizes(), " and ", stored_scale);
  const torch::Tensor input = stored.detach().contiguous(at::MemoryFormat::ChannelsLast);
  const std::int64_t images = input.size(0), channels = input.size(1),
                     pixels = input.size(2) * input.size(3);
  torch::Tensor sums = torch::empty({images, channels}, torch::kInt64);
  const float* const from = input.data_ptr<float>();
  std::int64_t* const to = sums.data_ptr<std::int64_t>();
  at::parallel_for(0, images, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t image = first; image < last; ++image) {
      kernels::sum_integers(from + image * pixels * channels, pixels, channels,
                            static_cast<float>(1 / stored_scale), to + image * channels);
    }
  });
  return sums;
}

torch::Tensor channel_means(const torch::Tensor& stored, double stored_scale,
                            const torch::Tensor& sums) {
  TORCH_CHECK(stored.dim() == 4 && sums.dim() == 2 && sums.size(0) == stored.size(0) &&
                  sums.size(1) == stored.size(1),
              "channel means of ", stored.sizes(), " with sums of ", sums.sizes());
  return ChannelMeansFunction::apply(stored, stored_scale, sums);
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
  return fake_weights(weights, torch::tensor(values).view(weights.sizes()).to(weights.device()),
                      step.to(weights.device()), range, beyond);
}

torch::Tensor fake_weights(const torch::Tensor& weights, const torch::Tensor& levels,
                           const torch::Tensor& step, IntegerRange range, BeyondRange beyond) {
  return WeightsFunction::apply(weights, step, levels, std::int64_t{range.lowest},
                                std::int64_t{range.highest}, static_cast<std::int64_t>(beyond));
}

}  // namespace abacus::quant
