#include "sw/train/binary_functions.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "sw/train/channels_last.hpp"

namespace abacus::train {
namespace {

// Rows of an image that one thread takes at least.
constexpr std::int64_t rows_a_task = 64;

torch::Tensor empty_channels_last(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w,
                                  at::ScalarType type) {
  return torch::empty({n, c, h, w}, torch::TensorOptions().dtype(type),
                      at::MemoryFormat::ChannelsLast);
}

// An image's rows within the padded ones.
struct Padded {
  std::int64_t height, width, channels, padding;

  std::int64_t padded_height() const { return height + 2 * padding; }
  std::int64_t row() const { return width * channels; }
  std::int64_t padded_row() const { return (width + 2 * padding) * channels; }
  // Of the first element of row `row`, counted over all images, in the padded images.
  std::int64_t inside(std::int64_t row) const {
    const std::int64_t image = row / height;
    return (image * padded_height() + padding + row % height) * padded_row() + padding * channels;
  }
};

// Of `count` neighbouring elements. Both zeros are positive.
void copy_signs(const float* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i] < 0 ? -1.0F : 1.0F;
}
void copy_signs(const at::BFloat16* from, std::int64_t count, at::BFloat16* to) {
  constexpr std::uint16_t negative_zero = 0x8000, minus_one = 0xBF80, plus_one = 0x3F80;
  for (std::int64_t i = 0; i < count; ++i) {
    to[i].x = from[i].x > negative_zero ? minus_one : plus_one;
  }
}

template <typename T>
void write_signs(const T* input, std::int64_t images, const Padded& shape, T* output) {
  const T minus(-1.0F);
  const std::int64_t margin = shape.padding * shape.channels;
  at::parallel_for(0, images, 1, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t n = first; n < end; ++n) {
      T* const image = output + n * shape.padded_height() * shape.padded_row();
      const std::int64_t rim = shape.padding * shape.padded_row();
      std::fill_n(image, rim, minus);
      for (std::int64_t y = 0; y < shape.height; ++y) {
        T* const row = image + rim + y * shape.padded_row();
        std::fill_n(row, margin, minus);
        copy_signs(input + (n * shape.height + y) * shape.row(), shape.row(), row + margin);
        std::fill_n(row + margin + shape.row(), margin, minus);
      }
      std::fill_n(image + (shape.padded_height() - shape.padding) * shape.padded_row(), rim, minus);
    }
  });
}

template <typename T>
void write_sign_gradients(const T* input, const T* gradient, std::int64_t images,
                          const Padded& shape, T* output) {
  at::parallel_for(0, images * shape.height, rows_a_task,
                   [&](std::int64_t first, std::int64_t end) {
                     for (std::int64_t row = first; row < end; ++row) {
                       const T* const x = input + row * shape.row();
                       const T* const dy = gradient + shape.inside(row);
                       T* const dx = output + row * shape.row();
                       for (std::int64_t i = 0; i < shape.row(); ++i) {
                         const float slope = 2 - 2 * std::abs(static_cast<float>(x[i]));
                         dx[i] = static_cast<T>(static_cast<float>(dy[i]) * std::max(slope, 0.0F));
                       }
                     }
                   });
}

class PaddedSign : public torch::autograd::Function<PaddedSign> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& given, std::int64_t padding) {
    const torch::Tensor input = channels_last(given);
    context->save_for_backward({input});
    context->saved_data["padding"] = padding;
    if (!input.is_cpu()) return padded_sign_of_tensors(input, padding);
    const Padded shape{input.size(2), input.size(3), input.size(1), padding};
    torch::Tensor output = empty_channels_last(input.size(0), shape.channels, shape.padded_height(),
                                               shape.width + 2 * padding, input.scalar_type());
    if (input.scalar_type() == torch::kBFloat16) {
      write_signs(input.data_ptr<at::BFloat16>(), input.size(0), shape,
                  output.data_ptr<at::BFloat16>());
    } else {
      write_signs(input.data_ptr<float>(), input.size(0), shape, output.data_ptr<float>());
    }
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const torch::Tensor input = context->get_saved_variables()[0];
    if (!input.is_cpu()) {
      const std::int64_t padding = context->saved_data["padding"].toInt();
      return {padded_sign_gradient_of_tensors(input, gradients[0], padding), torch::Tensor()};
    }
    const torch::Tensor gradient = channels_last(gradients[0].to(input.scalar_type()));
    const Padded shape{input.size(2), input.size(3), input.size(1),
                       context->saved_data["padding"].toInt()};
    torch::Tensor result = empty_channels_last(input.size(0), shape.channels, shape.height,
                                               shape.width, input.scalar_type());
    if (input.scalar_type() == torch::kBFloat16) {
      write_sign_gradients(input.data_ptr<at::BFloat16>(), gradient.data_ptr<at::BFloat16>(),
                           input.size(0), shape, result.data_ptr<at::BFloat16>());
    } else {
      write_sign_gradients(input.data_ptr<float>(), gradient.data_ptr<float>(), input.size(0),
                           shape, result.data_ptr<float>());
    }
    return {result, torch::Tensor()};
  }
};

class BinaryWeight : public torch::autograd::Function<BinaryWeight> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& weight) {
    context->save_for_backward({weight});
    const torch::Tensor scale = weight.abs().mean(at::IntArrayRef({1, 2, 3}), /*keepdim=*/true);
    return torch::where(weight < 0, -scale, scale);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const torch::Tensor weight = context->get_saved_variables()[0];
    return {gradients[0] * weight.abs().le(1)};
  }
};

}  // namespace

torch::Tensor padded_sign_of_tensors(const torch::Tensor& input, std::int64_t padding) {
  const torch::Tensor one = torch::ones_like(input);
  return torch::constant_pad_nd(torch::where(input < 0, -one, one),
                                {padding, padding, padding, padding}, -1);
}

torch::Tensor padded_sign_gradient_of_tensors(const torch::Tensor& input,
                                              const torch::Tensor& gradient, std::int64_t padding) {
  const torch::Tensor inside =
      gradient.narrow(2, padding, input.size(2)).narrow(3, padding, input.size(3));
  return inside * (2 - 2 * input.abs()).clamp_min(0);
}

torch::Tensor padded_sign(const torch::Tensor& input, int padding) {
  TORCH_CHECK(
      input.dim() == 4 && padding >= 0 &&
          (input.scalar_type() == torch::kFloat32 || input.scalar_type() == torch::kBFloat16),
      "padded_sign: input ", input.sizes(), " of type ", input.scalar_type(), ", padding ", padding,
      "; expected NxCxHxW in float32 or bfloat16, padding 0 or more");
  return PaddedSign::apply(input, static_cast<std::int64_t>(padding));
}

torch::Tensor binary_weight(const torch::Tensor& weight) {
  TORCH_CHECK(weight.dim() == 4 && weight.scalar_type() == torch::kFloat32,
              "binary_weight: weight ", weight.sizes(), " of type ", weight.scalar_type(),
              "; expected OxIxkxk in float32");
  return BinaryWeight::apply(weight);
}

torch::Tensor binary_conv2d(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                            int padding) {
  return torch::conv2d(padded_sign(input, padding), binary_weight(weight).to(input.scalar_type()),
                       {}, stride);
}

}  // namespace abacus::train
