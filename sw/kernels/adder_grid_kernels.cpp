#include "sw/kernels/adder_grid_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <vector>

#include "sw/kernels/adder_byte_kernels.hpp"
#include "sw/kernels/vnni.hpp"

namespace abacus::kernels {
namespace {

constexpr std::int32_t kTop = 255;
constexpr std::int64_t kChunk = 1 << 14;       // values a thread takes at a time
constexpr std::int64_t kParts = 16;            // of a batch, for the weight gradient
constexpr float kConvertible = 2147483648.0F;  // 2³¹

constexpr int ceil_divide(int a, int b) { return (a + b - 1) / b; }

std::size_t weight_at(const AdderShape& s, int output, int input, int tap) {
  return (static_cast<std::size_t>(output) * s.input_channels + input) * s.kernel * s.kernel + tap;
}

std::int64_t input_elements(const AdderShape& s) {
  return std::int64_t{s.input_channels} * s.input_height * s.input_width;
}
std::int64_t output_elements(const AdderShape& s) {
  return std::int64_t{s.output_channels} * s.output_height() * s.output_width();
}

// Σ |w − clamp(w, 0, 255)| of each output channel.
std::vector<float> excess_of(const AdderShape& s, const std::int32_t* weight) {
  std::vector<float> excess(
      static_cast<std::size_t>(ceil_divide(s.output_channels, kByteLanes)) * kByteLanes, 0.0F);
  const int taps = s.input_channels * s.kernel * s.kernel;
  for (int o = 0; o < s.output_channels; ++o) {
    std::int64_t sum = 0;
    for (int i = 0; i < taps; ++i) {
      const std::int32_t w = weight[static_cast<std::size_t>(o) * taps + i];
      sum += std::abs(w - std::clamp(w, 0, kTop));
    }
    excess[o] = static_cast<float>(sum);
  }
  return excess;
}

ForwardBytes pack_forward(const AdderShape& s, const std::int32_t* weight, float unit) {
  ForwardBytes packed;
  packed.unit = unit;
  packed.blocks = ceil_divide(s.output_channels, kByteLanes);
  packed.groups = ceil_divide(s.input_channels, kByteGroup);
  const int area = s.kernel * s.kernel;
  packed.block_bytes = static_cast<std::size_t>(area) * packed.groups * kByteLanes * kByteGroup;
  packed.weights.assign(packed.block_bytes * packed.blocks, 0);
  packed.sums.assign(static_cast<std::size_t>(packed.blocks) * kByteLanes, 0);
  packed.excess = excess_of(s, weight);
  for (int o = 0; o < s.output_channels; ++o) {
    for (int c = 0; c < s.input_channels; ++c) {
      for (int tap = 0; tap < area; ++tap) {
        const std::int32_t w = std::clamp(weight[weight_at(s, o, c, tap)], 0, kTop);
        const std::size_t vector = static_cast<std::size_t>(tap) * packed.groups + c / kByteGroup;
        packed.weights[o / kByteLanes * packed.block_bytes +
                       (vector * kByteLanes + o % kByteLanes) * kByteGroup + c % kByteGroup] =
            static_cast<std::uint8_t>(w);
        packed.sums[o] += w;
      }
    }
  }
  return packed;
}

// Of each input channel over the batch.
std::vector<std::uint8_t> largest_levels(const AdderShape& s, const std::uint8_t* input) {
  const int channels = s.input_channels;
  const std::int64_t pixels = std::int64_t{s.input_height} * s.input_width;
  std::vector<std::uint8_t> largest(static_cast<std::size_t>(channels), 0);
#pragma omp parallel
  {
    std::vector<std::uint8_t> mine(static_cast<std::size_t>(channels), 0);
#pragma omp for schedule(static)
    for (std::int64_t n = 0; n < s.batch; ++n) {
      widen_byte_maxima(input + n * pixels * channels, pixels, channels, mine.data());
    }
#pragma omp critical
    for (int c = 0; c < channels; ++c) largest[c] = std::max(largest[c], mine[c]);
  }
  return largest;
}

GradientBytes pack_gradient(const AdderShape& s, const std::uint8_t* input,
                            const std::int32_t* weight, float unit) {
  GradientBytes packed;
  packed.unit = unit;
  packed.blocks = ceil_divide(s.input_channels, kByteLanes);
  packed.groups = ceil_divide(s.output_channels, kByteGroup);
  const int area = s.kernel * s.kernel;
  packed.block_bytes = static_cast<std::size_t>(area) * packed.groups * kByteLanes * kByteGroup;
  packed.weights.assign(packed.block_bytes * packed.blocks, 0);
  packed.low.assign(static_cast<std::size_t>(packed.blocks) * kByteLanes, 0.0F);
  packed.levels.assign(packed.low.size(), 1.0F);
  const std::vector<std::uint8_t> largest = largest_levels(s, input);
  for (int c = 0; c < s.input_channels; ++c) {
    std::int32_t least_weight = weight[weight_at(s, 0, c, 0)], largest_weight = least_weight;
    for (int o = 0; o < s.output_channels; ++o) {
      for (int tap = 0; tap < area; ++tap) {
        const std::int32_t w = weight[weight_at(s, o, c, tap)];
        least_weight = std::min(least_weight, w);
        largest_weight = std::max(largest_weight, w);
      }
    }
    // Below `low` and above `high` an activation is clamped against every weight.
    const float most = unit * static_cast<float>(largest[c]);
    const float low = std::clamp(unit * static_cast<float>(least_weight) - 1.0F, 0.0F, most);
    const float high = std::clamp(unit * static_cast<float>(largest_weight) + 1.0F, low, most);
    // Weights take levels 0 (low − 1) to (high − low + 2) · levels; the clamp's two ends lie
    // 2 · levels apart, all within a byte. A range of more than 126 leaves one level: what lies
    // above saturates.
    const float levels = std::max(1.0F, std::floor(255.0F / (high - low + 2.0F)));
    packed.low[c] = low;
    packed.levels[c] = levels;
    for (int o = 0; o < s.output_channels; ++o) {
      for (int tap = 0; tap < area; ++tap) {
        const float w = unit * static_cast<float>(weight[weight_at(s, o, c, tap)]);
        const float level = std::clamp((w - low + 1.0F) * levels, 0.0F, 255.0F);
        const std::size_t vector = static_cast<std::size_t>(tap) * packed.groups + o / kByteGroup;
        packed.weights[c / kByteLanes * packed.block_bytes +
                       (vector * kByteLanes + c % kByteLanes) * kByteGroup + o % kByteGroup] =
            static_cast<std::uint8_t>(std::lrintf(level));
      }
    }
  }
  return packed;
}

void forward_portable(const AdderShape& s, const std::uint8_t* input, const std::int32_t* weight,
                      float unit, float* output) {
  const std::vector<float> x(input, input + s.batch * input_elements(s));
  std::vector<float> w(static_cast<std::size_t>(s.output_channels) * s.input_channels * s.kernel *
                       s.kernel);
  for (std::size_t i = 0; i < w.size(); ++i) {
    w[i] = static_cast<float>(std::clamp(weight[i], 0, kTop));
  }
  // Integers below 2²⁴ throughout: exact.
  adder_forward(s, x.data(), w.data(), output);
  const std::vector<float> excess = excess_of(s, weight);
  const std::int64_t pixels = s.batch * s.output_height() * s.output_width();
  for (std::int64_t i = 0; i < pixels; ++i) {
    for (int o = 0; o < s.output_channels; ++o) {
      float& y = output[i * s.output_channels + o];
      y = (y - excess[o]) * unit;
    }
  }
}

void gradient_portable(const AdderShape& s, const std::uint8_t* input, const std::int32_t* weight,
                       float unit, const float* output_gradient, float* input_gradient) {
  std::vector<float> x(static_cast<std::size_t>(s.batch * input_elements(s)));
  std::vector<float> w(static_cast<std::size_t>(s.output_channels) * s.input_channels * s.kernel *
                       s.kernel);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = unit * static_cast<float>(input[i]);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = unit * static_cast<float>(weight[i]);
  adder_input_gradient(s, x.data(), w.data(), output_gradient, input_gradient);
}

}  // namespace

bool has_byte_kernels() { return vnni_supported(); }

GridRange to_grid(const float* values, std::int64_t count, float unit, std::uint8_t* levels,
                  GridPath path) {
  const float inverse = 1.0F / unit;
  const bool bytes = path == GridPath::fastest && vnni_supported();
  std::int32_t least = 0, largest = 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(min : least) reduction(max : largest)
  for (std::int64_t first = 0; first < count; first += kChunk) {
    const std::int64_t size = std::min(kChunk, count - first);
    if (bytes) {
      bytes_from_floats(values + first, size, inverse, levels + first, least, largest);
      continue;
    }
    for (std::int64_t i = first; i < first + size; ++i) {
      const float scaled = values[i] * inverse;
      // As the processor's conversion does: NaN and what is too large become the least integer.
      const std::int32_t whole = scaled < kConvertible && scaled > -kConvertible
                                     ? static_cast<std::int32_t>(std::lrintf(scaled))
                                     : std::numeric_limits<std::int32_t>::min();
      least = std::min(least, whole);
      largest = std::max(largest, whole);
      levels[i] = static_cast<std::uint8_t>(std::clamp(whole, 0, kTop));
    }
  }
  return {least, largest};
}

float largest_value(const float* values, std::int64_t count, GridPath path) {
  const bool bytes = path == GridPath::fastest && vnni_supported();
  float largest = 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : largest)
  for (std::int64_t first = 0; first < count; first += kChunk) {
    const std::int64_t size = std::min(kChunk, count - first);
    if (bytes) {
      largest = std::max(largest, largest_of_floats(values + first, size));
    } else {
      for (std::int64_t i = first; i < first + size; ++i) largest = std::max(largest, values[i]);
    }
  }
  return largest;
}

// Dynamic scheduling: on a machine with other work, a thread that is held up does not hold up all.
void adder_grid_forward(const AdderShape& s, const std::uint8_t* input, const std::int32_t* weight,
                        float unit, float* output, GridPath path) {
  if (path == GridPath::portable || !vnni_supported()) {
    forward_portable(s, input, weight, unit, output);
    return;
  }
  const ForwardBytes packed = pack_forward(s, weight, unit);
#pragma omp parallel
  {
    ByteScratch scratch;
#pragma omp for schedule(dynamic, 2)
    for (std::int64_t n = 0; n < s.batch; ++n) {
      forward_bytes_of_image(s, packed, input + n * input_elements(s),
                             output + n * output_elements(s), scratch);
    }
  }
}

void adder_grid_input_gradient(const AdderShape& s, const std::uint8_t* input,
                               const std::int32_t* weight, float unit, const float* output_gradient,
                               float* input_gradient, GridPath path) {
  if (path == GridPath::portable || !vnni_supported()) {
    gradient_portable(s, input, weight, unit, output_gradient, input_gradient);
    return;
  }
  const GradientBytes packed = pack_gradient(s, input, weight, unit);
#pragma omp parallel
  {
    ByteScratch scratch;
#pragma omp for schedule(dynamic, 2)
    for (std::int64_t n = 0; n < s.batch; ++n) {
      gradient_bytes_of_image(s, packed, input + n * input_elements(s),
                              output_gradient + n * output_elements(s),
                              input_gradient + n * input_elements(s), scratch);
    }
  }
}

void adder_grid_weight_gradient(const AdderShape& s, const std::uint8_t* input,
                                const std::int32_t* weight, float unit,
                                const float* output_gradient, float* weight_gradient) {
  if (!vnni_supported()) {
    throw std::logic_error("adder_grid_weight_gradient: this processor has no AVX-512 VNNI");
  }
  // Parts of the batch, each with its own sums, added in order: the same for any number of threads.
  const std::int64_t chunk = weight_gradient_images(s);
  const std::int64_t chunks = (s.batch + chunk - 1) / chunk;
  const std::int64_t parts = std::min(kParts, chunks);
  const std::size_t elements = weight_gradient_elements(s);
  std::vector<float> sums(static_cast<std::size_t>(parts) * elements, 0.0F);
#pragma omp parallel
  {
    ByteScratch scratch;
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t part = 0; part < parts; ++part) {
      for (std::int64_t i = chunks * part / parts; i < chunks * (part + 1) / parts; ++i) {
        const std::int64_t first = i * chunk;
        weight_gradient_bytes(
            s, std::min(chunk, s.batch - first), input + first * input_elements(s),
            output_gradient + first * output_elements(s), sums.data() + part * elements, scratch);
      }
    }
  }
  for (std::int64_t part = 1; part < parts; ++part) {
    for (std::size_t i = 0; i < elements; ++i) sums[i] += sums[part * elements + i];
  }
  const int taps = s.input_channels * s.kernel * s.kernel;
  for (int o = 0; o < s.output_channels; ++o) {
    const float* block = sums.data() +
                         static_cast<std::size_t>(o / kByteLanes) * (taps + 1) * kByteLanes +
                         o % kByteLanes;
    const float dy_sum = block[static_cast<std::size_t>(taps) * kByteLanes];
    for (int tap = 0; tap < taps; ++tap) {
      const std::size_t at = static_cast<std::size_t>(o) * taps + tap;
      weight_gradient[at] = unit * (block[static_cast<std::size_t>(tap) * kByteLanes] -
                                    static_cast<float>(weight[at]) * dy_sum);
    }
  }
}

}  // namespace abacus::kernels
