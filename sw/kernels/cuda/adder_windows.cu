#include <cuda_runtime.h>

#include "sw/kernels/cuda/adder_reader.cuh"
#include "sw/kernels/cuda/adder_windows.hpp"

// A block computes 256 positions, rows of one or more images, by 16 channels. Slices of 16 of the
// other side's channels go through shared memory, each with a rim of one position, so that all nine
// taps read what was loaded once.

namespace abacus::kernels {
namespace {

constexpr int kPositions = 256;
constexpr int kThreads = 256;
constexpr int kChannels = 16;
constexpr int kTaps = 9;

struct Sizes {
  int batch, in, out;
};

// Of square images.
template <int Side>
struct Tile {
  static constexpr int rows = kPositions / Side;                // of the tile
  static constexpr int image_rows = rows < Side ? rows : Side;  // of each image in it
  static constexpr int images = rows / image_rows;
  static constexpr int tiles_an_image = Side / image_rows;  // where an image has several
  static constexpr int rim_rows = images * (image_rows + 2);
  static constexpr int rim_columns = Side + 2;
  static constexpr int pitch = Side + 4;  // a multiple of four, for reads of 16 bytes
  static constexpr int plane = rim_rows * pitch;
};

// The tile's first image, and its first row there.
template <int Side>
__device__ int first_image() {
  return blockIdx.x / Tile<Side>::tiles_an_image * Tile<Side>::images;
}
template <int Side>
__device__ int first_row() {
  return blockIdx.x % Tile<Side>::tiles_an_image * Tile<Side>::image_rows;
}

// planes[c · Plane + row · pitch + column] = change(values of channels first_channel + c), zero beyond
// the images; c = 0 … 15. `image`, `row`: the tile's first.
template <int Side, int Plane, typename Change>
__device__ void load_planes(float* planes, const float* __restrict__ values, int batch,
                            int channels, int image, int row, int first_channel,
                            const Change& change) {
  using T = Tile<Side>;
  for (int e = threadIdx.x; e < T::rim_rows * T::rim_columns * 4; e += kThreads) {
    const int place = e / 4, channel = e % 4 * 4;
    const int rim_row = place / T::rim_columns, column = place % T::rim_columns;
    const int n = image + rim_row / (T::image_rows + 2);
    const int y = row + rim_row % (T::image_rows + 2) - 1, x = column - 1;
    float4 v = {0, 0, 0, 0};
    if (n < batch && y >= 0 && y < Side && x >= 0 && x < Side &&
        first_channel + channel < channels) {
      v = *reinterpret_cast<const float4*>(
          &values[static_cast<std::int64_t>((n * Side + y) * Side + x) * channels + first_channel +
                  channel]);
    }
    float* const to = planes + channel * Plane + rim_row * T::pitch + column;
    to[0] = change(v.x);
    to[Plane] = change(v.y);
    to[2 * Plane] = change(v.z);
    to[3 * Plane] = change(v.w);
  }
}

// Where four neighbouring positions of a tile lie: of thread group 0 … 63.
template <int Side>
struct Place {
  __device__ explicit Place(int group)
      : image(group / (Side / 4) / Tile<Side>::image_rows),
        row(group / (Side / 4) % Tile<Side>::image_rows),
        column(group % (Side / 4) * 4) {}
  // In a plane with a rim: of the window's first row and column.
  __device__ int in_plane() const {
    return (image * (Tile<Side>::image_rows + 2) + row) * Tile<Side>::pitch + column;
  }
  int image, row, column;
};

constexpr int kWeightPitch = kChannels + 4;  // 16 bytes, and apart in the banks

template <int Side>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(Sizes s, AdderReader reader, float unit, const float* __restrict__ input,
                   const float* __restrict__ weight, float* __restrict__ output) {
  using T = Tile<Side>;
  constexpr int plane = T::plane + 4;
  __shared__ __align__(16) float xs[kChannels * plane];
  __shared__ __align__(16) float ws[kChannels * kTaps * kWeightPitch];
  const Place<Side> place(threadIdx.x / 4);
  const int column = threadIdx.x % 4 * 4, first_out = blockIdx.y * kChannels;
  const int image = first_image<Side>(), row = first_row<Side>();
  const float* const from = xs + place.in_plane();
  float sums[4][4] = {};
  for (int channel = 0; channel < s.in; channel += kChannels) {
    __syncthreads();
    load_planes<Side, plane>(xs, input, s.batch, s.in, image, row, channel,
                             [&](float value) { return reader.activation(value); });
    for (int e = threadIdx.x; e < kChannels * kChannels * kTaps; e += kThreads) {
      const int o = first_out + e / (kChannels * kTaps), tap = e % (kChannels * kTaps);
      const bool there = o < s.out && channel + tap / kTaps < s.in;
      ws[tap * kWeightPitch + e / (kChannels * kTaps)] =
          there ? reader.weight(weight[(o * s.in + channel) * kTaps + tap]) : 0.0F;
    }
    __syncthreads();
#pragma unroll 2
    for (int c = 0; c < kChannels; ++c) {
#pragma unroll
      for (int ky = 0; ky < 3; ++ky) {
        const float* const at = from + c * plane + ky * T::pitch;
        const float4 first = *reinterpret_cast<const float4*>(at);
        const float2 last = *reinterpret_cast<const float2*>(at + 4);
        const float x[6] = {first.x, first.y, first.z, first.w, last.x, last.y};
#pragma unroll
        for (int kx = 0; kx < 3; ++kx) {
          const float4 w4 = *reinterpret_cast<const float4*>(
              ws + (c * kTaps + ky * 3 + kx) * kWeightPitch + column);
          const float w[4] = {w4.x, w4.y, w4.z, w4.w};
#pragma unroll
          for (int i = 0; i < 4; ++i) {
#pragma unroll
            for (int j = 0; j < 4; ++j) sums[i][j] += fabsf(x[i + kx] - w[j]);
          }
        }
      }
    }
  }
  const int n = image + place.image, o = first_out + column;
  if (n >= s.batch || o >= s.out) return;
  const float sign = unit == 0 ? -1.0F : -unit;
  float* const to =
      output +
      static_cast<std::int64_t>((n * Side + row + place.row) * Side + place.column) * s.out + o;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    *reinterpret_cast<float4*>(to + i * s.out) = {sign * sums[i][0], sign * sums[i][1],
                                                  sign * sums[i][2], sign * sums[i][3]};
  }
}

// As in adder_cuda.cu: 2·Σ saturate(slope/2·(w − x) + 1/2)·dy − Σ dy.
template <int Side>
__global__ void __launch_bounds__(kThreads)
    input_gradient_kernel(Sizes s, AdderReader reader, float half_slope,
                          const float* __restrict__ input, const float* __restrict__ weight,
                          const float* __restrict__ gradient, float* __restrict__ result) {
  using T = Tile<Side>;
  constexpr int plane = T::plane + 4;
  __shared__ __align__(16) float ds[kChannels * plane];
  __shared__ __align__(16) float ws[kChannels * kTaps * kWeightPitch];
  __shared__ float channel_sums[plane];
  const Place<Side> place(threadIdx.x / 4);
  const int column = threadIdx.x % 4 * 4, first_in = blockIdx.y * kChannels;
  const int image = first_image<Side>(), row = first_row<Side>();
  const int n = image + place.image, in = first_in + column;
  const bool there = n < s.batch && in < s.in;
  const std::int64_t at =
      static_cast<std::int64_t>((n * Side + row + place.row) * Side + place.column) * s.in + in;
  float own[4][4], sums[4][4] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    float4 x = {0, 0, 0, 0};
    if (there) x = *reinterpret_cast<const float4*>(input + at + i * s.in);
    own[i][0] = half_slope * reader.activation(x.x);
    own[i][1] = half_slope * reader.activation(x.y);
    own[i][2] = half_slope * reader.activation(x.z);
    own[i][3] = half_slope * reader.activation(x.w);
  }
  for (int p = threadIdx.x; p < plane; p += kThreads) channel_sums[p] = 0;
  const float* const from = ds + place.in_plane();
  for (int channel = 0; channel < s.out; channel += kChannels) {
    __syncthreads();
    load_planes<Side, plane>(ds, gradient, s.batch, s.out, image, row, channel,
                             [](float value) { return value; });
    // A position's outputs lie where its windows begin: the taps run backwards.
    for (int e = threadIdx.x; e < kChannels * kChannels * kTaps; e += kThreads) {
      const int o = channel + e / (kChannels * kTaps), rest = e % (kChannels * kTaps);
      const int c = rest / kTaps, tap = kTaps - 1 - rest % kTaps;
      const bool inside = o < s.out && first_in + c < s.in;
      ws[((o - channel) * kTaps + tap) * kWeightPitch + c] =
          inside ? half_slope * reader.weight(weight[(o * s.in + first_in) * kTaps + rest]) + 0.5F
                 : 0.0F;
    }
    __syncthreads();
    for (int p = threadIdx.x; p < T::plane; p += kThreads) {
      if (p % T::pitch >= T::rim_columns) continue;  // nothing was written there
      float sum = channel_sums[p];
#pragma unroll
      for (int c = 0; c < kChannels; ++c) sum += ds[c * plane + p];
      channel_sums[p] = sum;
    }
#pragma unroll 2
    for (int c = 0; c < kChannels; ++c) {
#pragma unroll
      for (int ky = 0; ky < 3; ++ky) {
        const float* const line = from + c * plane + ky * T::pitch;
        const float4 first = *reinterpret_cast<const float4*>(line);
        const float2 last = *reinterpret_cast<const float2*>(line + 4);
        const float d[6] = {first.x, first.y, first.z, first.w, last.x, last.y};
#pragma unroll
        for (int kx = 0; kx < 3; ++kx) {
          const float4 w4 = *reinterpret_cast<const float4*>(
              ws + (c * kTaps + ky * 3 + kx) * kWeightPitch + column);
          const float w[4] = {w4.x, w4.y, w4.z, w4.w};
#pragma unroll
          for (int i = 0; i < 4; ++i) {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
              sums[i][j] = fmaf(__saturatef(w[j] - own[i][j]), d[i + kx], sums[i][j]);
            }
          }
        }
      }
    }
  }
  __syncthreads();
  if (!there) return;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    float total = 0;
#pragma unroll
    for (int ky = 0; ky < 3; ++ky) {
#pragma unroll
      for (int kx = 0; kx < 3; ++kx) {
        total += channel_sums[place.in_plane() + ky * T::pitch + i + kx];
      }
    }
    *reinterpret_cast<float4*>(result + at + i * s.in) = {
        2 * sums[i][0] - total, 2 * sums[i][1] - total, 2 * sums[i][2] - total,
        2 * sums[i][3] - total};
  }
}

// Weight gradients: a block sums some tiles for 16 output by 16 input channels. A thread has one input
// channel and four output channels, all nine taps of them, and a quarter of the rows; its window
// slides along them.
constexpr int kTilesAPart = 2;
constexpr int kQuarters = 4;
constexpr int kOwn = 4;  // output channels of a thread

template <int Side, CudaWeightGradient kind>
__global__ void __launch_bounds__(kThreads, 2)
    weight_gradient_kernel(Sizes s, AdderReader reader, float unit, int tiles,
                           const float* __restrict__ input, const float* __restrict__ weight,
                           const float* __restrict__ gradient, float* __restrict__ parts) {
  using T = Tile<Side>;
  constexpr bool sign = kind == CudaWeightGradient::sign;
  constexpr int plane = T::plane | 1;  // odd: the sixteen channels lie in different banks
  constexpr int shared_floats =
      (kChannels * plane + kPositions * kChannels) > kThreads * kOwn * kTaps
          ? kChannels * plane + kPositions * kChannels
          : kThreads * kOwn * kTaps;
  __shared__ __align__(16) float shared[shared_floats];
  float* const ds = shared;  // positions × output channels
  float* const xs = shared + kPositions * kChannels;
  const int in_tiles = (s.in + kChannels - 1) / kChannels;
  const int first_out = blockIdx.y / in_tiles * kChannels;
  const int first_in = blockIdx.y % in_tiles * kChannels;
  const int c = threadIdx.x % kChannels, out_at = threadIdx.x / kChannels % kOwn * kOwn;
  const int quarter = threadIdx.x / (kChannels * kOwn);
  float w[kOwn][kTaps], sums[kOwn][kTaps] = {}, total[kOwn] = {};
#pragma unroll
  for (int i = 0; i < kOwn; ++i) {
    const int o = first_out + out_at + i;
    const bool there = o < s.out && first_in + c < s.in;
#pragma unroll
    for (int t = 0; t < kTaps; ++t) {
      const float value =
          there ? reader.weight(weight[(o * s.in + first_in + c) * kTaps + t]) : 0.0F;
      w[i][t] = sign ? 0.5F * value - 0.5F : value;
    }
  }
  for (int tile = blockIdx.x * kTilesAPart;
       tile < min(tiles, static_cast<int>(blockIdx.x + 1) * kTilesAPart); ++tile) {
    const int image = tile / T::tiles_an_image * T::images;
    const int row = tile % T::tiles_an_image * T::image_rows;
    __syncthreads();
    load_planes<Side, plane>(xs, input, s.batch, s.in, image, row, first_in, [&](float value) {
      const float x = reader.activation(value);
      return sign ? 0.5F * x : x;
    });
    for (int e = threadIdx.x; e < kPositions * 4; e += kThreads) {
      const int position = e / 4, o = first_out + e % 4 * 4;
      const int n = image + position / (Side * T::image_rows);
      const int y = row + position / Side % T::image_rows, x = position % Side;
      float4 d = {0, 0, 0, 0};
      if (n < s.batch && o < s.out) {
        d = *reinterpret_cast<const float4*>(
            &gradient[static_cast<std::int64_t>((n * Side + y) * Side + x) * s.out + o]);
      }
      *reinterpret_cast<float4*>(&ds[position * kChannels + e % 4 * 4]) = d;
    }
    __syncthreads();
    for (int r = quarter; r < T::rows; r += kQuarters) {
      const int rim_row = r / T::image_rows * (T::image_rows + 2) + r % T::image_rows;
      const float* const from = xs + c * plane + rim_row * T::pitch;
      const float* const d_row = ds + r * Side * kChannels + out_at;
      float window[3][3];
#pragma unroll
      for (int ky = 0; ky < 3; ++ky) {
        window[ky][1] = from[ky * T::pitch];
        window[ky][2] = from[ky * T::pitch + 1];
      }
#pragma unroll 4
      for (int x = 0; x < Side; ++x) {
#pragma unroll
        for (int ky = 0; ky < 3; ++ky) {
          window[ky][0] = window[ky][1];
          window[ky][1] = window[ky][2];
          window[ky][2] = from[ky * T::pitch + x + 2];
        }
        const float4 d4 = *reinterpret_cast<const float4*>(d_row + x * kChannels);
        const float d[kOwn] = {d4.x, d4.y, d4.z, d4.w};
#pragma unroll
        for (int i = 0; i < kOwn; ++i) {
          if (sign) total[i] += d[i];
#pragma unroll
          for (int t = 0; t < kTaps; ++t) {
            const float distance = window[t / 3][t % 3] - w[i][t];
            sums[i][t] = fmaf(sign ? __saturatef(distance) : distance, d[i], sums[i][t]);
          }
        }
      }
    }
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kOwn; ++i) {
#pragma unroll
    for (int t = 0; t < kTaps; ++t) {
      const float sum = sign        ? 2 * sums[i][t] - total[i]
                        : unit == 0 ? sums[i][t]
                                    : unit * sums[i][t];
      // quarter × output channel × input channel × tap
      shared[((quarter * kChannels + out_at + i) * kChannels + c) * kTaps + t] = sum;
    }
  }
  __syncthreads();
  constexpr int values = kChannels * kChannels * kTaps;
  float* const part = parts + static_cast<std::int64_t>(blockIdx.x) * s.out * s.in * kTaps;
  for (int e = threadIdx.x; e < values; e += kThreads) {
    const int o = first_out + e / (kChannels * kTaps), rest = e % (kChannels * kTaps);
    if (o >= s.out || first_in + rest / kTaps >= s.in) continue;
    part[(o * s.in + first_in) * kTaps + rest] =
        (shared[e] + shared[values + e]) + (shared[2 * values + e] + shared[3 * values + e]);
  }
}

Sizes sizes_of(const AdderShape& shape) {
  return {static_cast<int>(shape.batch), shape.input_channels, shape.output_channels};
}

int blocks(int work, int of) { return (work + of - 1) / of; }

template <int Side>
int tiles_of(const AdderShape& shape) {
  return blocks(static_cast<int>(shape.batch), Tile<Side>::images) * Tile<Side>::tiles_an_image;
}

// launch(side as a type) for the shape's.
template <int Side>
struct Square {
  static constexpr int side = Side;
};
template <typename Launch>
void for_side(const AdderShape& shape, const Launch& launch) {
  switch (shape.input_width) {
    case 8:
      return launch(Square<8>());
    case 16:
      return launch(Square<16>());
    default:
      return launch(Square<32>());
  }
}

}  // namespace

bool has_window_kernels(const AdderShape& shape) {
  const int side = shape.input_width;
  return shape.kernel == 3 && shape.stride == 1 && shape.padding == 1 &&
         shape.input_height == side && (side == 8 || side == 16 || side == 32) &&
         shape.input_channels % 4 == 0 && shape.output_channels % 4 == 0;
}

void window_forward(const AdderShape& shape, const CudaAdderOperands& of, float* output) {
  for_side(shape, [&](auto square) {
    constexpr int side = decltype(square)::side;
    forward_kernel<side>
        <<<dim3(tiles_of<side>(shape), blocks(shape.output_channels, kChannels)), kThreads>>>(
            sizes_of(shape), AdderReader(of.unit), of.unit, of.input, of.weight, output);
  });
}

void window_input_gradient(const AdderShape& shape, const CudaAdderOperands& of, float slope,
                           const float* output_gradient, float* input_gradient) {
  for_side(shape, [&](auto square) {
    constexpr int side = decltype(square)::side;
    input_gradient_kernel<side>
        <<<dim3(tiles_of<side>(shape), blocks(shape.input_channels, kChannels)), kThreads>>>(
            sizes_of(shape), AdderReader(of.unit), slope / 2, of.input, of.weight, output_gradient,
            input_gradient);
  });
}

int window_parts(const AdderShape& shape) {
  int parts = 0;
  for_side(shape, [&](auto square) {
    parts = blocks(tiles_of<decltype(square)::side>(shape), kTilesAPart);
  });
  return parts;
}

void window_weight_gradient(const AdderShape& shape, const CudaAdderOperands& of,
                            CudaWeightGradient kind, const float* output_gradient, float* parts) {
  for_side(shape, [&](auto square) {
    constexpr int side = decltype(square)::side;
    const dim3 grid(window_parts(shape), blocks(shape.output_channels, kChannels) *
                                             blocks(shape.input_channels, kChannels));
    const auto launch = [&](auto kernel) {
      kernel<<<grid, kThreads>>>(sizes_of(shape), AdderReader(of.unit), of.unit,
                                 tiles_of<side>(shape), of.input, of.weight, output_gradient,
                                 parts);
    };
    if (kind == CudaWeightGradient::sign) {
      launch(weight_gradient_kernel<side, CudaWeightGradient::sign>);
    } else {
      launch(weight_gradient_kernel<side, CudaWeightGradient::difference>);
    }
  });
}

}  // namespace abacus::kernels
