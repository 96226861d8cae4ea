#include "sw/kernels/adder_kernels.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "sw/kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sw/kernels/adder_kernels.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#ifndef ABACUS_ADDER_KERNELS_ONCE
#define ABACUS_ADDER_KERNELS_ONCE
namespace abacus::kernels {

// Weights as the kernels read them: [block][ky][kx][inner][lanes], a block being `lanes`
// neighbouring channels of the layer's output (forward) or input (gradient), `inner` the other
// side's channels. Lanes past the last channel hold zero.
struct PackedWeights {
  int lanes = 0;
  int blocks = 0;
  std::size_t block_elements = 0;
  std::vector<float> values;
  std::vector<float> sums;  // forward only: Σ w of each output channel, padded to blocks · lanes
};

// One image's activations rearranged so that neighbouring positions of one channel lie side by
// side, with zeros around: [row][channel][phase][column]. Column x of the padded image is at phase
// x mod stride, column x div stride, so that a strided walk becomes a dense one.
struct Scratch {
  std::vector<float> planes;
  std::vector<float> sums;
};

constexpr int ceil_divide(int a, int b) { return (a + b - 1) / b; }

}  // namespace abacus::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace abacus::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lane = hn::CappedTag<float, 16>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Lane()));
// Positions held in registers: as many as leave room for the weights and temporaries.
#if HWY_TARGET <= HWY_AVX3
constexpr int kForwardTile = 16;
constexpr int kGradientTile = 12;
#else
constexpr int kForwardTile = 8;
constexpr int kGradientTile = 5;
#endif

template <class V>
HWY_INLINE V clamp_to_one(V value) {
#if HWY_TARGET <= HWY_AVX3
  // The smaller magnitude of value and 1, with the sign of value, in one instruction.
  return V{_mm512_range_ps(value.raw, _mm512_set1_ps(1.0F), 0x2)};
#else
  const Lane d;
  return hn::Min(hn::Max(value, hn::Set(d, -1.0F)), hn::Set(d, 1.0F));
#endif
}

int lanes() { return kLanes; }

// acc[p] = Σ over rows of taps of max(x, w). `x` points at channel 0 of the tile's first position
// for tap (0, 0).
template <int P>
HWY_NOINLINE void forward_tile(const AdderShape& s, const float* x, std::size_t row_stride,
                               std::size_t channel_stride, std::size_t phase_stride, const float* w,
                               const float* position_sums, const float* weight_sums, float* y,
                               int used_lanes) {
  const Lane d;
  using V = hn::Vec<Lane>;
  V acc[P];
  for (int p = 0; p < P; ++p) acc[p] = hn::Zero(d);
  // Adding by a multiplication with 1: maximum and addition share execution units on many
  // processors, the fused multiply-add has its own. It rounds like the addition.
  const V one = hn::Set(d, 1.0F);
  for (int ky = 0; ky < s.kernel; ++ky) {
    for (int kx = 0; kx < s.kernel; ++kx) {
      const float* xr = x + ky * row_stride + (kx % s.stride) * phase_stride + kx / s.stride;
      for (int c = 0; c < s.input_channels; ++c) {
        const V wv = hn::LoadU(d, w);
        HWY_UNROLL(16)
        for (int p = 0; p < P; ++p) {
          acc[p] = hn::MulAdd(hn::Max(wv, hn::Set(d, xr[p])), one, acc[p]);
        }
        xr += channel_stride;
        w += kLanes;
      }
    }
  }
  const V ws = hn::LoadU(d, weight_sums);
  const V minus_two = hn::Set(d, -2.0F);
  for (int p = 0; p < P; ++p) {
    const V result = hn::MulAdd(minus_two, acc[p], hn::Add(ws, hn::Set(d, position_sums[p])));
    float* to = y + static_cast<std::ptrdiff_t>(p) * s.output_channels;
    if (kLanes == 1 || used_lanes == kLanes) {
      hn::StoreU(result, d, to);
    } else {
      float lane[kLanes];
      hn::StoreU(result, d, lane);
      std::copy_n(lane, used_lanes, to);
    }
  }
}

template <int P, class... Arguments>
HWY_INLINE void forward_tile_of(int positions, Arguments... arguments) {
  if constexpr (P > 1) {
    if (positions < P) return forward_tile_of<P - 1>(positions, arguments...);
  }
  forward_tile<P>(arguments...);
}

void forward_image(const AdderShape& s, const PackedWeights& packed, const float* input,
                   float* output, Scratch& scratch) {
  const int oh = s.output_height(), ow = s.output_width(), channels = s.input_channels;
  const int rows = s.input_height + 2 * s.padding;
  const int columns = ceil_divide(s.input_width + 2 * s.padding, s.stride);
  const std::size_t phase_stride = columns;
  const std::size_t channel_stride = phase_stride * s.stride;
  const std::size_t row_stride = channel_stride * channels;
  scratch.planes.assign(row_stride * rows, 0.0F);
  std::vector<float>& planes = scratch.planes;
  // Σ over channels, then over the window: shared by all output channels.
  scratch.sums.assign(static_cast<std::size_t>(rows) * channel_stride + oh * ow, 0.0F);
  float* const channel_sums = scratch.sums.data();
  float* const window_sums = channel_sums + rows * channel_stride;
  for (int iy = 0; iy < s.input_height; ++iy) {
    const int row = iy + s.padding;
    for (int ix = 0; ix < s.input_width; ++ix) {
      const int padded = ix + s.padding;
      const std::size_t at = (padded % s.stride) * phase_stride + padded / s.stride;
      const float* from = input + (static_cast<std::size_t>(iy) * s.input_width + ix) * channels;
      float* to = planes.data() + row * row_stride + at;
      float sum = 0;
      for (int c = 0; c < channels; ++c) {
        to[c * channel_stride] = from[c];
        sum += from[c];
      }
      channel_sums[row * channel_stride + at] = sum;
    }
  }
  for (int oy = 0; oy < oh; ++oy) {
    for (int ky = 0; ky < s.kernel; ++ky) {
      for (int kx = 0; kx < s.kernel; ++kx) {
        const float* from = channel_sums + (oy * s.stride + ky) * channel_stride +
                            (kx % s.stride) * phase_stride + kx / s.stride;
        for (int ox = 0; ox < ow; ++ox) window_sums[oy * ow + ox] += from[ox];
      }
    }
  }
  const int tiles = ceil_divide(ow, kForwardTile);
  for (int block = 0; block < packed.blocks; ++block) {
    const int first = block * kLanes;
    const int used = std::min(kLanes, s.output_channels - first);
    for (int oy = 0; oy < oh; ++oy) {
      for (int tile = 0; tile < tiles; ++tile) {
        const int begin = ow * tile / tiles, end = ow * (tile + 1) / tiles;
        forward_tile_of<kForwardTile>(
            end - begin, s, planes.data() + oy * s.stride * row_stride + begin, row_stride,
            channel_stride, phase_stride, packed.values.data() + block * packed.block_elements,
            window_sums + oy * ow + begin, packed.sums.data() + first,
            output + (static_cast<std::size_t>(oy) * ow + begin) * s.output_channels + first, used);
      }
    }
  }
}

// One row and column class of taps: those (ky, kx) whose output exists for the tile's positions.
struct Tap {
  const float* gradient;  // dY of output channel 0 at the tile's first position
  const float* weight;    // [output channel][lanes]
};

// dX of P positions, `position_stride` floats apart, for one block of input channels.
template <int P>
HWY_NOINLINE void gradient_tile(const Tap* taps, int tap_count, int output_channels,
                                std::size_t channel_stride, const float* x, float* dx,
                                std::size_t position_stride, int used_lanes) {
  const Lane d;
  using V = hn::Vec<Lane>;
  V acc[P], held[P];
  const V one = hn::Set(d, 1.0F);
  for (int p = 0; p < P; ++p) {
    acc[p] = hn::Zero(d);
    if (kLanes == 1 || used_lanes == kLanes) {
      held[p] = hn::LoadU(d, x + p * position_stride);
    } else {
      float lane[kLanes] = {};
      std::copy_n(x + p * position_stride, used_lanes, lane);
      held[p] = hn::LoadU(d, lane);
    }
  }
  for (int t = 0; t < tap_count; ++t) {
    const float* g = taps[t].gradient;
    const float* w = taps[t].weight;
    for (int k = 0; k < output_channels; ++k) {
      const V wv = hn::LoadU(d, w);
      HWY_UNROLL(16)
      for (int p = 0; p < P; ++p) {
        // Every second difference by the multiply-add units, to share the work with the others.
        const V difference = p % 2 == 0 ? hn::Sub(wv, held[p]) : hn::MulSub(wv, one, held[p]);
        acc[p] = hn::MulAdd(clamp_to_one(difference), hn::Set(d, g[p]), acc[p]);
      }
      g += channel_stride;
      w += kLanes;
    }
  }
  for (int p = 0; p < P; ++p) {
    float* to = dx + p * position_stride;
    if (kLanes == 1 || used_lanes == kLanes) {
      hn::StoreU(acc[p], d, to);
    } else {
      float lane[kLanes];
      hn::StoreU(acc[p], d, lane);
      std::copy_n(lane, used_lanes, to);
    }
  }
}

template <int P, class... Arguments>
HWY_INLINE void gradient_tile_of(int positions, Arguments... arguments) {
  if constexpr (P > 1) {
    if (positions < P) return gradient_tile_of<P - 1>(positions, arguments...);
  }
  gradient_tile<P>(arguments...);
}

void gradient_image(const AdderShape& s, const PackedWeights& packed, const float* input,
                    const float* output_gradient, float* input_gradient, Scratch& scratch) {
  const int oh = s.output_height(), ow = s.output_width(), channels = s.output_channels;
  // Output column of input column st·j + r at tap kx: j + (r + padding − kx) / st. The margins hold
  // the zeros of outputs that do not exist.
  const int left = std::max(0, ceil_divide(s.kernel - 1 - s.padding, s.stride));
  const int right = (s.stride - 1 + s.padding) / s.stride;
  const int columns = left + std::max(ceil_divide(s.input_width, s.stride) + right, ow);
  const std::size_t channel_stride = columns;
  const std::size_t row_stride = channel_stride * channels;
  scratch.planes.assign(row_stride * oh, 0.0F);
  std::vector<float>& planes = scratch.planes;
  for (int oy = 0; oy < oh; ++oy) {
    for (int ox = 0; ox < ow; ++ox) {
      const float* from = output_gradient + (static_cast<std::size_t>(oy) * ow + ox) * channels;
      float* to = planes.data() + oy * row_stride + left + ox;
      for (int k = 0; k < channels; ++k) to[k * channel_stride] = from[k];
    }
  }
  const std::size_t tap_elements = static_cast<std::size_t>(channels) * kLanes;
  std::vector<Tap> taps(static_cast<std::size_t>(s.kernel) * s.kernel);
  for (int block = 0; block < packed.blocks; ++block) {
    const int first = block * kLanes;
    const int used = std::min(kLanes, s.input_channels - first);
    const float* weights = packed.values.data() + block * packed.block_elements;
    for (int iy = 0; iy < s.input_height; ++iy) {
      for (int phase = 0; phase < std::min(s.stride, s.input_width); ++phase) {
        const int count = ceil_divide(s.input_width - phase, s.stride);
        const int tiles = ceil_divide(count, kGradientTile);
        for (int tile = 0; tile < tiles; ++tile) {
          const int begin = count * tile / tiles, end = count * (tile + 1) / tiles;
          int tap_count = 0;
          for (int ky = 0; ky < s.kernel; ++ky) {
            const int y = iy + s.padding - ky;
            if (y < 0 || y % s.stride != 0 || y / s.stride >= oh) continue;
            for (int kx = 0; kx < s.kernel; ++kx) {
              const int x = phase + s.padding - kx;
              if (x % s.stride != 0) continue;
              taps[tap_count++] = {
                  planes.data() + y / s.stride * row_stride + left + begin + x / s.stride,
                  weights + (ky * s.kernel + kx) * tap_elements};
            }
          }
          const std::size_t at =
              (static_cast<std::size_t>(iy) * s.input_width + phase + begin * s.stride) *
                  s.input_channels +
              first;
          gradient_tile_of<kGradientTile>(
              end - begin, taps.data(), tap_count, channels, channel_stride, input + at,
              input_gradient + at, static_cast<std::size_t>(s.stride) * s.input_channels, used);
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace abacus::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace abacus::kernels {

HWY_EXPORT(lanes);
HWY_EXPORT(forward_image);
HWY_EXPORT(gradient_image);

namespace {

PackedWeights pack(const AdderShape& s, const float* weight, bool forward) {
  PackedWeights packed;
  const int outer = forward ? s.output_channels : s.input_channels;
  const int inner = forward ? s.input_channels : s.output_channels;
  const int area = s.kernel * s.kernel;
  packed.lanes = HWY_DYNAMIC_DISPATCH(lanes)();
  packed.blocks = ceil_divide(outer, packed.lanes);
  packed.block_elements = static_cast<std::size_t>(area) * inner * packed.lanes;
  packed.values.assign(packed.block_elements * packed.blocks, 0.0F);
  packed.sums.assign(static_cast<std::size_t>(packed.blocks) * packed.lanes, 0.0F);
  for (int o = 0; o < s.output_channels; ++o) {
    for (int i = 0; i < s.input_channels; ++i) {
      for (int tap = 0; tap < area; ++tap) {
        const float w = weight[(static_cast<std::size_t>(o) * s.input_channels + i) * area + tap];
        const int lane_channel = forward ? o : i, inner_channel = forward ? i : o;
        packed.values[lane_channel / packed.lanes * packed.block_elements +
                      (static_cast<std::size_t>(tap) * inner + inner_channel) * packed.lanes +
                      lane_channel % packed.lanes] = w;
        if (forward) packed.sums[o] += w;
      }
    }
  }
  return packed;
}

}  // namespace

// Dynamic scheduling: on a machine with other work, a thread that is held up does not hold up all.
void adder_forward(const AdderShape& s, const float* input, const float* weight, float* output) {
  const PackedWeights packed = pack(s, weight, true);
  const auto image = HWY_DYNAMIC_DISPATCH(forward_image);
  const std::int64_t in = std::int64_t{s.input_channels} * s.input_height * s.input_width;
  const std::int64_t out = std::int64_t{s.output_channels} * s.output_height() * s.output_width();
#pragma omp parallel
  {
    Scratch scratch;
#pragma omp for schedule(dynamic, 2)
    for (std::int64_t n = 0; n < s.batch; ++n) {
      image(s, packed, input + n * in, output + n * out, scratch);
    }
  }
}

void adder_input_gradient(const AdderShape& s, const float* input, const float* weight,
                          const float* output_gradient, float* input_gradient) {
  const PackedWeights packed = pack(s, weight, false);
  const auto image = HWY_DYNAMIC_DISPATCH(gradient_image);
  const std::int64_t in = std::int64_t{s.input_channels} * s.input_height * s.input_width;
  const std::int64_t out = std::int64_t{s.output_channels} * s.output_height() * s.output_width();
#pragma omp parallel
  {
    Scratch scratch;
#pragma omp for schedule(dynamic, 2)
    for (std::int64_t n = 0; n < s.batch; ++n) {
      image(s, packed, input + n * in, output_gradient + n * out, input_gradient + n * in, scratch);
    }
  }
}

}  // namespace abacus::kernels
#endif  // HWY_ONCE
