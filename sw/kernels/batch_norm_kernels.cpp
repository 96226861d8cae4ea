#include "sw/kernels/batch_norm_kernels.hpp"

#include <algorithm>
#include <cstddef>

// The compiler makes each of the loops below once for every one of these, and the program picks one
// when it starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define ABACUS_CLONES __attribute__((target_clones("avx512f", "avx2", "default"), noinline))
#else
#define ABACUS_CLONES
#endif

namespace abacus::kernels {
namespace {

// Several pixels are taken together as one row, so that vectors are full for any number of
// channels.
constexpr int kRow = 256;
constexpr std::int64_t kRowsAtATime = 64;

ABACUS_CLONES void add_squares(const float* __restrict x, const float* __restrict pivot, int count,
                               float* __restrict sum, float* __restrict squares) {
  for (int i = 0; i < count; ++i) {
    const float difference = x[i] - pivot[i];
    sum[i] += difference;
    squares[i] += difference * difference;
  }
}

ABACUS_CLONES void normalize_row(const float* x, const float* __restrict mean,
                                 const float* __restrict scale, const float* __restrict bias,
                                 int count, float* y) {
#pragma GCC ivdep
  for (int i = 0; i < count; ++i) y[i] = (x[i] - mean[i]) * scale[i] + bias[i];
}

ABACUS_CLONES void normalize_relu_row(const float* x, const float* __restrict mean,
                                      const float* __restrict scale, const float* __restrict bias,
                                      int count, float* y) {
#pragma GCC ivdep
  for (int i = 0; i < count; ++i) {
    const float value = (x[i] - mean[i]) * scale[i] + bias[i];
    y[i] = value < 0.0F ? 0.0F : value;  // keeps NaN
  }
}

ABACUS_CLONES void add_row(const float* residual, int count, float* y) {
#pragma GCC ivdep
  for (int i = 0; i < count; ++i) y[i] += residual[i];
}

ABACUS_CLONES void add_relu_row(const float* residual, int count, float* y) {
#pragma GCC ivdep
  for (int i = 0; i < count; ++i) {
    const float value = y[i] + residual[i];
    y[i] = value < 0.0F ? 0.0F : value;
  }
}

ABACUS_CLONES void mask_row(const float* dy, const float* y, int count, float* masked) {
#pragma GCC ivdep
  for (int i = 0; i < count; ++i) masked[i] = y[i] > 0.0F ? dy[i] : 0.0F;
}

ABACUS_CLONES void add_products(const float* __restrict g, const float* __restrict x,
                                const float* __restrict mean, int count, float* __restrict sum,
                                float* __restrict products) {
  for (int i = 0; i < count; ++i) {
    sum[i] += g[i];
    products[i] += g[i] * (x[i] - mean[i]);
  }
}

ABACUS_CLONES void gradient_row(const float* __restrict g, const float* __restrict x,
                                const float* __restrict mean, const float* __restrict factor,
                                const float* __restrict slope, const float* __restrict offset,
                                int count, float* __restrict dx) {
  for (int i = 0; i < count; ++i) {
    dx[i] = factor[i] * g[i] + ((x[i] - mean[i]) * slope[i] + offset[i]);
  }
}

int row_elements(const BatchNormShape& shape) {
  return std::max(1, kRow / shape.channels) * shape.channels;
}

// By channel to by element of a row.
std::vector<float> spread(const BatchNormShape& shape, const float* values) {
  std::vector<float> row(static_cast<std::size_t>(row_elements(shape)));
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = values[i % shape.channels];
  return row;
}

// Calls visit(first element, elements) for every row; `begin(chunk)` before the rows of a chunk.
template <class Begin, class Visit>
void for_rows(const BatchNormShape& shape, std::int64_t chunk, const Begin& begin,
              const Visit& visit) {
  const std::int64_t row = row_elements(shape), total = shape.pixels * shape.channels;
  begin(chunk);
  const std::int64_t end = std::min(total, (chunk + 1) * kRowsAtATime * row);
  for (std::int64_t at = chunk * kRowsAtATime * row; at < end; at += row) {
    visit(at, static_cast<int>(std::min(row, end - at)));
  }
}

std::int64_t chunk_count(const BatchNormShape& shape) {
  const std::int64_t chunk = kRowsAtATime * row_elements(shape);
  return (shape.pixels * shape.channels + chunk - 1) / chunk;
}

// Two sums by channel over all rows: accumulate(first element, elements, sum, other sum). Each
// chunk's sums are floats, they are added as doubles in the chunks' order.
template <class Accumulate>
void sum_rows(const BatchNormShape& shape, const Accumulate& accumulate, std::vector<double>& first,
              std::vector<double>& second) {
  const auto row = static_cast<std::size_t>(row_elements(shape));
  const std::int64_t chunks = chunk_count(shape);
  const auto channels = static_cast<std::size_t>(shape.channels);
  std::vector<double> partial(static_cast<std::size_t>(chunks) * 2 * channels, 0.0);
#pragma omp parallel
  {
    std::vector<float> sums(2 * row);
#pragma omp for schedule(dynamic, 4)
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      for_rows(
          shape, chunk, [&](std::int64_t) { std::fill(sums.begin(), sums.end(), 0.0F); },
          [&](std::int64_t at, int count) {
            accumulate(at, count, sums.data(), sums.data() + row);
          });
      double* const to = partial.data() + static_cast<std::size_t>(chunk) * 2 * channels;
      for (std::size_t i = 0; i < row; ++i) {
        to[i % channels] += sums[i];
        to[channels + i % channels] += sums[row + i];
      }
    }
  }
  first.assign(channels, 0.0);
  second.assign(channels, 0.0);
  for (std::size_t chunk = 0; chunk < static_cast<std::size_t>(chunks); ++chunk) {
    for (std::size_t c = 0; c < channels; ++c) {
      first[c] += partial[chunk * 2 * channels + c];
      second[c] += partial[(chunk * 2 + 1) * channels + c];
    }
  }
}

template <class Visit>
void visit_rows(const BatchNormShape& shape, const Visit& visit) {
  const std::int64_t chunks = chunk_count(shape);
#pragma omp parallel for schedule(dynamic, 4)
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    for_rows(
        shape, chunk, [](std::int64_t) {}, visit);
  }
}

}  // namespace

BatchStatistics batch_statistics(const BatchNormShape& shape, const float* x) {
  const std::vector<float> pivot = spread(shape, x);  // the first pixel
  BatchStatistics result;
  std::vector<double> sum;
  sum_rows(
      shape,
      [&](std::int64_t at, int count, float* sums, float* squares) {
        add_squares(x + at, pivot.data(), count, sums, squares);
      },
      sum, result.variance);
  const auto pixels = static_cast<double>(shape.pixels);
  result.mean.resize(sum.size());
  for (std::size_t c = 0; c < sum.size(); ++c) {
    const double shift = sum[c] / pixels;
    result.mean[c] = pivot[c] + shift;
    result.variance[c] = std::max(0.0, result.variance[c] / pixels - shift * shift);
  }
  return result;
}

void normalize(const BatchNormShape& shape, const float* x, const float* mean, const float* scale,
               const float* bias, const float* residual, bool relu, float* y) {
  const std::vector<float> means = spread(shape, mean), scales = spread(shape, scale),
                           biases = spread(shape, bias);
  visit_rows(shape, [&](std::int64_t at, int count) {
    const bool relu_at_once = relu && residual == nullptr;
    (relu_at_once ? normalize_relu_row : normalize_row)(x + at, means.data(), scales.data(),
                                                        biases.data(), count, y + at);
    if (residual != nullptr) (relu ? add_relu_row : add_row)(residual + at, count, y + at);
  });
}

GradientSums gradient_sums(const BatchNormShape& shape, const float* x, const float* mean,
                           const float* dy, const float* y, float* masked) {
  const std::vector<float> means = spread(shape, mean);
  const auto row = static_cast<std::size_t>(row_elements(shape));
  GradientSums result;
  sum_rows(
      shape,
      [&](std::int64_t at, int count, float* sums, float* products) {
        const float* g = dy + at;
        thread_local std::vector<float> buffer;
        if (y != nullptr) {
          if (masked == nullptr) buffer.resize(row);
          float* to = masked != nullptr ? masked + at : buffer.data();
          mask_row(dy + at, y + at, count, to);
          g = to;
        } else if (masked != nullptr) {
          std::copy_n(g, count, masked + at);
        }
        add_products(g, x + at, means.data(), count, sums, products);
      },
      result.dy, result.dy_x);
  return result;
}

void normalization_gradient(const BatchNormShape& shape, const float* x, const float* mean,
                            const float* dy, const float* y, const float* factor,
                            const float* slope, const float* offset, float* dx) {
  const std::vector<float> means = spread(shape, mean), factors = spread(shape, factor),
                           slopes = spread(shape, slope), offsets = spread(shape, offset);
  const auto row = static_cast<std::size_t>(row_elements(shape));
  visit_rows(shape, [&](std::int64_t at, int count) {
    const float* g = dy + at;
    thread_local std::vector<float> buffer;
    if (y != nullptr) {
      buffer.resize(row);
      mask_row(dy + at, y + at, count, buffer.data());
      g = buffer.data();
    }
    gradient_row(g, x + at, means.data(), factors.data(), slopes.data(), offsets.data(), count,
                 dx + at);
  });
}

}  // namespace abacus::kernels
