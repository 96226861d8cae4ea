#include <cuda_runtime.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "sw/kernels/cuda/adder_cuda.hpp"
#include "sw/kernels/cuda/adder_reader.cuh"
#include "sw/kernels/cuda/adder_windows.hpp"

// The forward pass and the input gradient are matrix products with another inner operation: rows are
// positions, columns are channels, and the sum runs over taps times channels. A block of threads
// computes a tile of rows and columns, each thread four by four of them; slices of both operands go
// through shared memory.

namespace abacus::kernels {
namespace {

constexpr int kSlice = 16;  // of the summed-over channels
constexpr int kPad = 4;     // keeps rows of shared memory on 16 bytes and apart in the banks

struct Sizes {
  int batch, in, height, width, out, out_height, out_width, kernel, stride, padding;
};

Sizes sizes_of(const AdderShape& shape) {
  return {static_cast<int>(shape.batch),
          shape.input_channels,
          shape.input_height,
          shape.input_width,
          shape.output_channels,
          shape.output_height(),
          shape.output_width(),
          shape.kernel,
          shape.stride,
          shape.padding};
}

void check(const AdderShape& shape) {
  const std::int64_t largest =
      std::max(shape.batch * shape.input_channels * shape.input_height * shape.input_width,
               shape.batch * shape.output_channels * shape.output_height() * shape.output_width());
  if (largest >= std::int64_t{1} << 31) {
    throw std::runtime_error("adder layer on the GPU: found a tensor of " +
                             std::to_string(largest) + " values, allowed: below 2^31");
  }
}

void check_launch(const char* what) {
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string(what) + " on the GPU: " + cudaGetErrorString(error));
  }
}

int blocks(std::int64_t work, int of) { return static_cast<int>((work + of - 1) / of); }

// Columns of a tile, and what follows from them. The fewer positions a layer has, the more channels:
// small blocks give every multiprocessor several, one of which computes while others load.
template <int Columns>
struct Tile {
  static constexpr int threads = Columns == 16 ? 256 : 128;
  static constexpr int column_threads = Columns / 4;
  static constexpr int rows = threads / column_threads * 4;
};

template <int Columns>
__global__ void __launch_bounds__(Tile<Columns>::threads)
    forward_kernel(Sizes s, AdderReader reader, float unit, const float* __restrict__ input,
                   const float* __restrict__ weight, float* __restrict__ output) {
  constexpr int threads = Tile<Columns>::threads, rows = Tile<Columns>::rows;
  __shared__ __align__(16) float xs[kSlice][rows + kPad];
  __shared__ __align__(16) float ws[kSlice][Columns];
  __shared__ int base[rows], top[rows], left[rows];
  const int positions = s.batch * s.out_height * s.out_width;
  const int first_row = blockIdx.x * rows, first_column = blockIdx.y * Columns;
  for (int row = threadIdx.x; row < rows; row += threads) {
    const int position = first_row + row;
    const int x = position % s.out_width, y = position / s.out_width % s.out_height;
    const int image = position / (s.out_width * s.out_height);
    base[row] = position < positions ? image * s.height * s.width : -1;
    top[row] = y * s.stride - s.padding;
    left[row] = x * s.stride - s.padding;
  }
  const int column = threadIdx.x % Tile<Columns>::column_threads * 4;
  const int row = threadIdx.x / Tile<Columns>::column_threads * 4;
  const int loaded = threadIdx.x % kSlice, loaded_row = threadIdx.x / kSlice;
  const int taps = s.kernel * s.kernel;
  float sums[4][4] = {};
  for (int tap = 0; tap < taps; ++tap) {
    const int ky = tap / s.kernel, kx = tap % s.kernel;
    for (int channel = 0; channel < s.in; channel += kSlice) {
      __syncthreads();
      const int c = channel + loaded;
#pragma unroll
      for (int r = loaded_row; r < rows; r += threads / kSlice) {
        const int y = top[r] + ky, x = left[r] + kx;
        const bool inside =
            base[r] >= 0 && c < s.in && y >= 0 && y < s.height && x >= 0 && x < s.width;
        xs[loaded][r] =
            inside ? reader.activation(input[(base[r] + y * s.width + x) * s.in + c]) : 0.0F;
      }
      for (int e = threadIdx.x; e < kSlice * Columns; e += threads) {
        const int o = first_column + e / kSlice, i = channel + e % kSlice;
        ws[e % kSlice][e / kSlice] =
            o < s.out && i < s.in ? reader.weight(weight[(o * s.in + i) * taps + tap]) : 0.0F;
      }
      __syncthreads();
#pragma unroll
      for (int k = 0; k < kSlice; ++k) {
        const float4 x = *reinterpret_cast<const float4*>(&xs[k][row]);
        const float4 w = *reinterpret_cast<const float4*>(&ws[k][column]);
        const float of_row[4] = {x.x, x.y, x.z, x.w}, of_column[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
        for (int i = 0; i < 4; ++i) {
#pragma unroll
          for (int j = 0; j < 4; ++j) sums[i][j] += fabsf(of_row[i] - of_column[j]);
        }
      }
    }
  }
  const float sign = unit == 0 ? -1.0F : -unit;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int position = first_row + row + i;
    if (position >= positions) break;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int o = first_column + column + j;
      if (o < s.out) output[static_cast<std::int64_t>(position) * s.out + o] = sign * sums[i][j];
    }
  }
}

// clamp(slope·(w − x), −1, 1) = 2·saturate(slope/2·(w − x) + 1/2) − 1, and saturation to 0 … 1 comes
// with the subtraction for nothing.
template <int Columns>
__global__ void __launch_bounds__(Tile<Columns>::threads)
    input_gradient_kernel(Sizes s, AdderReader reader, float half_slope,
                          const float* __restrict__ input, const float* __restrict__ weight,
                          const float* __restrict__ gradient, float* __restrict__ result) {
  constexpr int threads = Tile<Columns>::threads, rows = Tile<Columns>::rows;
  __shared__ __align__(16) float ds[kSlice][rows + kPad];
  __shared__ __align__(16) float ws[kSlice][Columns];
  __shared__ int base[rows], bottom[rows], right[rows];
  const int positions = s.batch * s.height * s.width;
  const int first_row = blockIdx.x * rows, first_column = blockIdx.y * Columns;
  for (int row = threadIdx.x; row < rows; row += threads) {
    const int position = first_row + row;
    const int image = position / (s.width * s.height);
    base[row] = position < positions ? image * s.out_height * s.out_width : -1;
    bottom[row] = position / s.width % s.height + s.padding;
    right[row] = position % s.width + s.padding;
  }
  const int column = threadIdx.x % Tile<Columns>::column_threads * 4;
  const int row = threadIdx.x / Tile<Columns>::column_threads * 4;
  const int loaded = threadIdx.x % kSlice, loaded_row = threadIdx.x / kSlice;
  const int taps = s.kernel * s.kernel;
  float own[4][4], sums[4][4] = {}, total[4] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int position = first_row + row + i, c = first_column + column + j;
      own[i][j] = position < positions && c < s.in
                      ? half_slope *
                            reader.activation(input[static_cast<std::int64_t>(position) * s.in + c])
                      : 0.0F;
    }
  }
  for (int tap = 0; tap < taps; ++tap) {
    const int ky = tap / s.kernel, kx = tap % s.kernel;
    for (int channel = 0; channel < s.out; channel += kSlice) {
      __syncthreads();
      const int o = channel + loaded;
#pragma unroll
      for (int r = loaded_row; r < rows; r += threads / kSlice) {
        const int y = bottom[r] - ky, x = right[r] - kx;
        const int oy = y / s.stride, ox = x / s.stride;
        const bool inside = base[r] >= 0 && o < s.out && y >= 0 && x >= 0 && oy * s.stride == y &&
                            ox * s.stride == x && oy < s.out_height && ox < s.out_width;
        ds[loaded][r] = inside ? gradient[(base[r] + oy * s.out_width + ox) * s.out + o] : 0.0F;
      }
      for (int e = threadIdx.x; e < kSlice * Columns; e += threads) {
        const int out = channel + e % kSlice, in = first_column + e / kSlice;
        ws[e % kSlice][e / kSlice] =
            out < s.out && in < s.in
                ? half_slope * reader.weight(weight[(out * s.in + in) * taps + tap]) + 0.5F
                : 0.0F;
      }
      __syncthreads();
#pragma unroll
      for (int k = 0; k < kSlice; ++k) {
        const float4 d = *reinterpret_cast<const float4*>(&ds[k][row]);
        const float4 w = *reinterpret_cast<const float4*>(&ws[k][column]);
        const float of_row[4] = {d.x, d.y, d.z, d.w}, of_column[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          total[i] += of_row[i];
#pragma unroll
          for (int j = 0; j < 4; ++j) {
            sums[i][j] = fmaf(__saturatef(of_column[j] - own[i][j]), of_row[i], sums[i][j]);
          }
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int position = first_row + row + i;
    if (position >= positions) break;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int c = first_column + column + j;
      if (c < s.in) {
        result[static_cast<std::int64_t>(position) * s.in + c] = 2 * sums[i][j] - total[i];
      }
    }
  }
}

// Weight gradients: a block sums one part of the positions, for 16 output channels by 16 input
// channels by up to nine taps; a second kernel adds up the parts.
constexpr int kPart = 256;      // positions
constexpr int kPositions = 32;  // of a part at a time
constexpr int kChannels = 16;
constexpr int kTaps = 9;

template <CudaWeightGradient kind>
__global__ void __launch_bounds__(kChannels* kTaps)
    weight_gradient_kernel(Sizes s, AdderReader reader, float unit, const float* __restrict__ input,
                           const float* __restrict__ weight, const float* __restrict__ gradient,
                           float* __restrict__ parts) {
  __shared__ __align__(16) float xs[kPositions][kChannels * kTaps];
  __shared__ __align__(16) float ds[kPositions][kChannels];
  __shared__ int base[kPositions], top[kPositions], left[kPositions];
  constexpr bool sign = kind == CudaWeightGradient::sign;
  const int in_tiles = (s.in + kChannels - 1) / kChannels;
  const int first_out = blockIdx.y / in_tiles * kChannels;
  const int first_in = blockIdx.y % in_tiles * kChannels;
  const int first_tap = blockIdx.z * kTaps, taps = s.kernel * s.kernel;
  const int threads = blockDim.x;
  const int positions = s.batch * s.out_height * s.out_width;
  const int part_first = blockIdx.x * kPart, part_end = min(positions, part_first + kPart);
  // What this thread loads: one column of xs.
  const int tap = first_tap + threadIdx.x / kChannels, in = first_in + threadIdx.x % kChannels;
  const int ky = tap / s.kernel, kx = tap % s.kernel;
  const bool loads = tap < taps && in < s.in;
  // What it computes: four output channels by four columns.
  const int out_at = threadIdx.x % 4 * 4, column = threadIdx.x / 4 * 4;
  float w[4][4], sums[4][4] = {}, total[4] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int o = first_out + out_at + i, c = first_in + (column + j) % kChannels;
      const int t = first_tap + (column + j) / kChannels;
      float value = 0;
      if (o < s.out && c < s.in && t < taps) {
        value = reader.weight(weight[(o * s.in + c) * taps + t]);
      }
      w[i][j] = sign ? 0.5F * value - 0.5F : value;
    }
  }
  for (int first = part_first; first < part_end; first += kPositions) {
    __syncthreads();
    for (int p = threadIdx.x; p < kPositions; p += threads) {
      const int position = first + p;
      const int x = position % s.out_width, y = position / s.out_width % s.out_height;
      const int image = position / (s.out_width * s.out_height);
      base[p] = position < part_end ? image * s.height * s.width : -1;
      top[p] = y * s.stride - s.padding;
      left[p] = x * s.stride - s.padding;
    }
    for (int e = threadIdx.x; e < kPositions * kChannels; e += threads) {
      const int position = first + e / kChannels, o = first_out + e % kChannels;
      ds[e / kChannels][e % kChannels] =
          position < part_end && o < s.out
              ? gradient[static_cast<std::int64_t>(position) * s.out + o]
              : 0.0F;
    }
    __syncthreads();
#pragma unroll 8
    for (int p = 0; p < kPositions; ++p) {
      const int y = top[p] + ky, x = left[p] + kx;
      const bool inside = loads && base[p] >= 0 && y >= 0 && y < s.height && x >= 0 && x < s.width;
      const float value =
          inside ? reader.activation(input[(base[p] + y * s.width + x) * s.in + in]) : 0.0F;
      xs[p][threadIdx.x] = sign ? 0.5F * value : value;
    }
    __syncthreads();
#pragma unroll 8
    for (int p = 0; p < kPositions; ++p) {
      const float4 x = *reinterpret_cast<const float4*>(&xs[p][column]);
      const float4 d = *reinterpret_cast<const float4*>(&ds[p][out_at]);
      const float of_column[4] = {x.x, x.y, x.z, x.w}, of_out[4] = {d.x, d.y, d.z, d.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        total[i] += of_out[i];
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const float distance = of_column[j] - w[i][j];
          sums[i][j] = fmaf(sign ? __saturatef(distance) : distance, of_out[i], sums[i][j]);
        }
      }
    }
  }
  float* const part = parts + static_cast<std::int64_t>(blockIdx.x) * s.out * s.in * taps;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int o = first_out + out_at + i, c = first_in + (column + j) % kChannels;
      const int t = first_tap + (column + j) / kChannels;
      if (o < s.out && c < s.in && t < taps) {
        part[(o * s.in + c) * taps + t] = sign        ? 2 * sums[i][j] - total[i]
                                          : unit == 0 ? sums[i][j]
                                                      : unit * sums[i][j];
      }
    }
  }
}

constexpr int kSummed = 32;  // values of a block
constexpr int kSummers = 8;  // threads that share one

__global__ void sum_parts_kernel(const float* __restrict__ parts, int count, int values,
                                 float* __restrict__ result) {
  __shared__ double shared[kSummers][kSummed];
  const int at = blockIdx.x * kSummed + threadIdx.x;
  double sum = 0;
  if (at < values) {
#pragma unroll 8
    for (int part = threadIdx.y; part < count; part += kSummers) {
      sum += parts[static_cast<std::int64_t>(part) * values + at];
    }
  }
  shared[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || at >= values) return;
  for (int i = 1; i < kSummers; ++i) sum += shared[i][threadIdx.x];
  result[at] = static_cast<float>(sum);
}

template <int Columns>
dim3 tiles(std::int64_t positions, int channels) {
  return dim3(blocks(positions, Tile<Columns>::rows), blocks(channels, Columns));
}

std::int64_t outputs(const AdderShape& shape) {
  return shape.batch * shape.output_height() * shape.output_width();
}

int parts_of(const AdderShape& shape) {
  return has_window_kernels(shape) ? window_parts(shape) : blocks(outputs(shape), kPart);
}

}  // namespace

bool built_with_cuda() { return true; }

void cuda_adder_forward(const AdderShape& shape, const CudaAdderOperands& operands, float* output) {
  check(shape);
  if (has_window_kernels(shape)) {
    window_forward(shape, operands, output);
    return check_launch("adder layer");
  }
  const Sizes s = sizes_of(shape);
  const AdderReader reader(operands.unit);
  const auto launch = [&](auto kernel, dim3 grid, int threads) {
    kernel<<<grid, threads>>>(s, reader, operands.unit, operands.input, operands.weight, output);
  };
  if (s.out <= 16) {
    launch(forward_kernel<16>, tiles<16>(outputs(shape), s.out), Tile<16>::threads);
  } else {
    launch(forward_kernel<32>, tiles<32>(outputs(shape), s.out), Tile<32>::threads);
  }
  check_launch("adder layer");
}

void cuda_adder_input_gradient(const AdderShape& shape, const CudaAdderOperands& operands,
                               float slope, const float* output_gradient, float* input_gradient) {
  check(shape);
  if (has_window_kernels(shape)) {
    window_input_gradient(shape, operands, slope, output_gradient, input_gradient);
    return check_launch("adder layer's input gradient");
  }
  const Sizes s = sizes_of(shape);
  const AdderReader reader(operands.unit);
  const std::int64_t positions = shape.batch * s.height * s.width;
  const auto launch = [&](auto kernel, dim3 grid, int threads) {
    kernel<<<grid, threads>>>(s, reader, slope / 2, operands.input, operands.weight,
                              output_gradient, input_gradient);
  };
  if (s.in <= 16) {
    launch(input_gradient_kernel<16>, tiles<16>(positions, s.in), Tile<16>::threads);
  } else {
    launch(input_gradient_kernel<32>, tiles<32>(positions, s.in), Tile<32>::threads);
  }
  check_launch("adder layer's input gradient");
}

std::int64_t cuda_adder_scratch(const AdderShape& shape) {
  return std::int64_t{parts_of(shape)} * shape.output_channels * shape.input_channels *
         shape.kernel * shape.kernel;
}

void cuda_adder_weight_gradient(const AdderShape& shape, const CudaAdderOperands& operands,
                                CudaWeightGradient kind, const float* output_gradient,
                                float* scratch, float* weight_gradient) {
  check(shape);
  const Sizes s = sizes_of(shape);
  const int taps = s.kernel * s.kernel, parts = parts_of(shape);
  if (has_window_kernels(shape)) {
    window_weight_gradient(shape, operands, kind, output_gradient, scratch);
  } else {
    const dim3 grid(parts, blocks(s.out, kChannels) * blocks(s.in, kChannels), blocks(taps, kTaps));
    const int threads = kChannels * std::min(taps, kTaps);
    const auto launch = [&](auto kernel) {
      kernel<<<grid, threads>>>(s, AdderReader(operands.unit), operands.unit, operands.input,
                                operands.weight, output_gradient, scratch);
    };
    if (kind == CudaWeightGradient::sign) {
      launch(weight_gradient_kernel<CudaWeightGradient::sign>);
    } else {
      launch(weight_gradient_kernel<CudaWeightGradient::difference>);
    }
  }
  check_launch("adder layer's weight gradient");
  const int values = s.out * s.in * taps;
  sum_parts_kernel<<<blocks(values, kSummed), dim3(kSummed, kSummers)>>>(scratch, parts, values,
                                                                         weight_gradient);
  check_launch("adder layer's weight gradient");
}

}  // namespace abacus::kernels
