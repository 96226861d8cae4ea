#include "sw/kernels/adder_byte_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "sw/kernels/vnni.hpp"

namespace abacus::kernels {

#ifdef ABACUS_HAS_VNNI

namespace {

constexpr int ceil_divide(int a, int b) { return (a + b - 1) / b; }

// Positions held in registers at once; two blocks share what is read of the activations.
constexpr int kForwardTile = 16;
constexpr int kForwardPairTile = 12;
constexpr int kGradientTile = 8;

struct ForwardPlanes {
  const std::uint32_t* x;  // group 0 of the tile's first position at tap (0, 0)
  std::size_t row_stride, group_stride, phase_stride;
};

// Blocks × P outputs. |x − w| = 2 max(x, w) − x − w; the sums of x and of w are added at the end.
template <int Blocks, int P>
ABACUS_VNNI void forward_tile(const AdderShape& s, const ForwardBytes& packed, int block,
                              const ForwardPlanes& planes, const std::int32_t* position_sums,
                              float* y) {
  __m512i acc[Blocks][P];
  for (int b = 0; b < Blocks; ++b) {
    for (int p = 0; p < P; ++p) acc[b][p] = _mm512_setzero_si512();
  }
  const __m512i ones = _mm512_set1_epi8(1);
  const std::uint8_t* w = packed.weights.data() + block * packed.block_bytes;
  const std::size_t block_bytes = packed.block_bytes;
  for (int ky = 0; ky < s.kernel; ++ky) {
    for (int kx = 0; kx < s.kernel; ++kx) {
      const std::uint32_t* x =
          planes.x + ky * planes.row_stride + (kx % s.stride) * planes.phase_stride + kx / s.stride;
      for (int group = 0; group < packed.groups; ++group) {
        __m512i wv[Blocks];
        for (int b = 0; b < Blocks; ++b) wv[b] = _mm512_loadu_si512(w + b * block_bytes);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) {
          const __m512i xv = _mm512_set1_epi32(static_cast<int>(x[p]));
#pragma GCC unroll 2
          for (int b = 0; b < Blocks; ++b) {
            acc[b][p] = _mm512_dpbusd_epi32(acc[b][p], _mm512_max_epu8(wv[b], xv), ones);
          }
        }
        x += planes.group_stride;
        w += kByteLanes * kByteGroup;
      }
    }
  }
  const __m512 unit = _mm512_set1_ps(packed.unit);
  for (int b = 0; b < Blocks; ++b) {
    const int first = (block + b) * kByteLanes;
    const __mmask16 used = first_lanes(s.output_channels - first);
    const __m512i sums = _mm512_loadu_si512(packed.sums.data() + first);
    const __m512 excess = _mm512_loadu_ps(packed.excess.data() + first);
    for (int p = 0; p < P; ++p) {
      const __m512i both = _mm512_add_epi32(sums, _mm512_set1_epi32(position_sums[p]));
      const __m512i value = _mm512_sub_epi32(both, _mm512_slli_epi32(acc[b][p], 1));
      const __m512 result = _mm512_mul_ps(_mm512_sub_ps(_mm512_cvtepi32_ps(value), excess), unit);
      _mm512_mask_storeu_ps(y + static_cast<std::ptrdiff_t>(p) * s.output_channels + first, used,
                            result);
    }
  }
}

template <int Blocks, int P, class... Arguments>
void forward_tile_of(int positions, const Arguments&... arguments) {
  if constexpr (P > 1) {
    if (positions < P) return forward_tile_of<Blocks, P - 1>(positions, arguments...);
  }
  forward_tile<Blocks, P>(arguments...);
}

// to[x] += from[x], which the compiler makes vectors of.
ABACUS_VNNI void add_row(const std::int32_t* from, int count, std::int32_t* to) {
  for (int i = 0; i < count; ++i) to[i] += from[i];
}

// Four positions of four groups each, transposed: to[group · group_stride + position].
ABACUS_VNNI_INLINE void store_groups(const __m128i (&position)[4], int positions, int groups,
                                     std::size_t group_stride, std::uint32_t* to) {
  const __m128i low01 = _mm_unpacklo_epi32(position[0], position[1]);
  const __m128i low23 = _mm_unpacklo_epi32(position[2], position[3]);
  const __m128i high01 = _mm_unpackhi_epi32(position[0], position[1]);
  const __m128i high23 = _mm_unpackhi_epi32(position[2], position[3]);
  const __m128i group[4] = {_mm_unpacklo_epi64(low01, low23), _mm_unpackhi_epi64(low01, low23),
                            _mm_unpacklo_epi64(high01, high23), _mm_unpackhi_epi64(high01, high23)};
  const __mmask8 used = static_cast<__mmask8>((1U << positions) - 1U);
  for (int g = 0; g < 4; ++g) {
    if (g < groups) _mm_mask_storeu_epi32(to + g * group_stride, used, group[g]);
  }
}

// `count` pixels, `pixel_stride` bytes apart, to the planes of their groups; the channels past the
// last are 0.
ABACUS_VNNI void group_pixels(const std::uint8_t* pixels, int count, std::size_t pixel_stride,
                              int channels, std::size_t group_stride, std::uint32_t* to) {
  for (int first = 0; first < channels; first += kByteLanes) {
    const int rest = std::min(kByteLanes, channels - first);
    const int groups = ceil_divide(rest, kByteGroup);
    const __mmask16 used = first_lanes(rest);
    std::uint32_t* const plane = to + first / kByteGroup * group_stride;
    for (int p = 0; p < count; p += 4) {
      __m128i pixel[4];
      for (int i = 0; i < 4; ++i) {
        pixel[i] = _mm_maskz_loadu_epi8(p + i < count ? used : __mmask16{0},
                                        pixels + (p + i) * pixel_stride + first);
      }
      store_groups(pixel, std::min(4, count - p), groups, group_stride, plane + p);
    }
  }
}

// to[i] = Σ over groups of the four bytes of planes[group · stride + i], taken as unsigned (of
// activations) or as signed (of gradients).
template <bool Signed>
ABACUS_VNNI void sum_groups(const std::uint32_t* planes, int groups, std::size_t stride,
                            std::int32_t* to) {
  const __m512i ones = _mm512_set1_epi8(1);
  const int count = static_cast<int>(stride);
  for (int i = 0; i < count; i += 16) {
    const __mmask16 used = first_lanes(count - i);
    __m512i sum = _mm512_setzero_si512();
    for (int g = 0; g < groups; ++g) {
      const __m512i bytes = _mm512_maskz_loadu_epi32(used, planes + g * stride + i);
      sum = Signed ? _mm512_dpbusd_epi32(sum, ones, bytes) : _mm512_dpbusd_epi32(sum, bytes, ones);
    }
    _mm512_mask_storeu_epi32(to + i, used, sum);
  }
}

// dX of P positions for one block of input channels; a tap is where its dY and its weights are.
struct GradientTap {
  std::size_t plane;           // of group 0 at the tile's first position
  const std::uint8_t* weight;  // [group][lane][byte]
};

struct GradientRows {
  const std::uint32_t* upper;
  const std::uint32_t* lower;
  std::size_t group_stride;
  const std::int32_t* upper_sums;  // Σ over the outputs of each position's taps
  const std::int32_t* lower_sums;
};

template <int P>
ABACUS_VNNI void gradient_tile(const GradientTap* taps, int tap_count, const GradientRows& rows,
                               const GradientBytes& packed, int first_channel,
                               const std::uint8_t* x, std::size_t x_stride, float scale, float* dx,
                               std::size_t dx_stride, int used_channels) {
  __m512i upper[P], lower[P], held[P];
  const __m512i spread = _mm512_set4_epi32(0x0C0C0C0C, 0x08080808, 0x04040404, 0x00000000);
  for (int p = 0; p < P; ++p) {
    upper[p] = lower[p] = _mm512_setzero_si512();
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + p * x_stride));
    held[p] = _mm512_shuffle_epi8(_mm512_cvtepu8_epi32(bytes), spread);
  }
  const __m512 levels = _mm512_loadu_ps(packed.levels.data() + first_channel);
  const __m512i whole = _mm512_cvtps_epi32(levels);
  const __m512i top = _mm512_shuffle_epi8(_mm512_slli_epi32(whole, 1), spread);
  for (int t = 0; t < tap_count; ++t) {
    const std::uint32_t* up = rows.upper + taps[t].plane;
    const std::uint32_t* low = rows.lower + taps[t].plane;
    const std::uint8_t* w = taps[t].weight;
    for (int group = 0; group < packed.groups; ++group) {
      const __m512i wv = _mm512_loadu_si512(w);
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        // The saturating difference stops at the clamp's lower end, the minimum at its upper.
        const __m512i clamped = _mm512_min_epu8(_mm512_subs_epu8(wv, held[p]), top);
        upper[p] =
            _mm512_dpbusd_epi32(upper[p], clamped, _mm512_set1_epi32(static_cast<int>(up[p])));
        lower[p] =
            _mm512_dpbusd_epi32(lower[p], clamped, _mm512_set1_epi32(static_cast<int>(low[p])));
      }
      up += rows.group_stride;
      low += rows.group_stride;
      w += kByteLanes * kByteGroup;
    }
  }
  const __m512 factor = _mm512_div_ps(_mm512_set1_ps(scale), levels);
  const __mmask16 used = first_lanes(used_channels);
  for (int p = 0; p < P; ++p) {
    // The clamped difference was counted from −1: take 1 · Σ dY away.
    const __m512i high = _mm512_sub_epi32(
        upper[p], _mm512_mullo_epi32(whole, _mm512_set1_epi32(rows.upper_sums[p])));
    const __m512i rest = _mm512_sub_epi32(
        lower[p], _mm512_mullo_epi32(whole, _mm512_set1_epi32(rows.lower_sums[p])));
    const __m512 sum =
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), _mm512_set1_ps(256.0F), _mm512_cvtepi32_ps(rest));
    _mm512_mask_storeu_ps(dx + p * dx_stride, used, _mm512_mul_ps(sum, factor));
  }
}

template <int P, class... Arguments>
void gradient_tile_of(int positions, const Arguments&... arguments) {
  if constexpr (P > 1) {
    if (positions < P) return gradient_tile_of<P - 1>(positions, arguments...);
  }
  gradient_tile<P>(arguments...);
}

// dY of a row of outputs to the planes of their groups.
ABACUS_VNNI void split_row(const float* dy, int count, int channels, float factor,
                           std::size_t group_stride, std::uint32_t* upper, std::uint32_t* lower) {
  for (int first = 0; first < channels; first += kByteLanes) {
    const int rest = std::min(kByteLanes, channels - first);
    const int groups = ceil_divide(rest, kByteGroup);
    const std::size_t plane = first / kByteGroup * group_stride;
    for (int p = 0; p < count; p += 4) {
      __m128i high[4], low[4];
      for (int i = 0; i < 4; ++i) {
        const BytePair pair = split_bytes(dy + static_cast<std::size_t>(p + i) * channels + first,
                                          p + i < count ? rest : 0, _mm512_set1_ps(factor));
        high[i] = _mm512_cvtepi32_epi8(pair.upper);
        low[i] = _mm512_cvtepi32_epi8(pair.lower);
      }
      const int positions = std::min(4, count - p);
      store_groups(high, positions, groups, group_stride, upper + plane + p);
      store_groups(low, positions, groups, group_stride, lower + plane + p);
    }
  }
}

// Activations of one pixel on the gradient's grids.
ABACUS_VNNI void to_gradient_levels(const std::uint8_t* pixel, int channels,
                                    const GradientBytes& packed, std::uint8_t* to) {
  for (int first = 0; first < channels; first += kByteLanes) {
    const __m128i bytes = _mm_maskz_loadu_epi8(first_lanes(channels - first), pixel + first);
    const __m512 x =
        _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes)), _mm512_set1_ps(packed.unit));
    const __m512 level = _mm512_mul_ps(_mm512_sub_ps(x, _mm512_loadu_ps(packed.low.data() + first)),
                                       _mm512_loadu_ps(packed.levels.data() + first));
    const __m512i whole = _mm512_max_epi32(_mm512_cvtps_epi32(level), _mm512_setzero_si512());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + first), _mm512_cvtusepi32_epi8(whole));
  }
}

// Bytes of four neighbouring positions: of dY for 16 output channels, [image][oy][quad][lane], of X
// by channel, [image][channel][row][phase][column].
struct QuadRows {
  const std::uint32_t* upper;
  const std::uint32_t* lower;
  std::size_t image_quads;  // vectors from one image to the next
  int height, quads;        // rows of an image, vectors of a row
  std::int64_t images;
  std::size_t image_bytes, row_bytes;  // of X: to the next image, to the next output's row
  float scale;
};

// Channels × Columns taps: `x` points at the first channel's first tap, `channel_bytes` lies
// between channels, columns[i] between the tap columns. Adds to `sums`, which has
// `channel_elements` between channels and a vector for each column.
template <int Channels, int Columns>
ABACUS_VNNI void weight_tile(const QuadRows& rows, const std::uint8_t* x, std::size_t channel_bytes,
                             const std::size_t* columns, float* sums,
                             std::size_t channel_elements) {
  __m512i upper[Channels][Columns], lower[Channels][Columns];
  for (int c = 0; c < Channels; ++c) {
    for (int k = 0; k < Columns; ++k) upper[c][k] = lower[c][k] = _mm512_setzero_si512();
  }
  std::size_t column[Columns];
  for (int k = 0; k < Columns; ++k) column[k] = columns[k];
  for (std::int64_t n = 0; n < rows.images; ++n) {
    const std::uint32_t* up = rows.upper + n * rows.image_quads * kByteLanes;
    const std::uint32_t* low = rows.lower + n * rows.image_quads * kByteLanes;
    for (int y = 0; y < rows.height; ++y) {
      const std::uint8_t* from = x + n * rows.image_bytes + y * rows.row_bytes;
      for (int quad = 0; quad < rows.quads; ++quad) {
        const __m512i high = _mm512_loadu_si512(up), rest = _mm512_loadu_si512(low);
        const std::uint8_t* channel = from;
#pragma GCC unroll 4
        for (int c = 0; c < Channels; ++c) {
#pragma GCC unroll 3
          for (int k = 0; k < Columns; ++k) {
            std::int32_t four = 0;
            std::memcpy(&four, channel + column[k], sizeof four);
            const __m512i xv = _mm512_set1_epi32(four);
            upper[c][k] = _mm512_dpbusd_epi32(upper[c][k], xv, high);
            lower[c][k] = _mm512_dpbusd_epi32(lower[c][k], xv, rest);
          }
          channel += channel_bytes;
        }
        up += kByteLanes;
        low += kByteLanes;
        from += kByteGroup;
      }
    }
  }
  for (int c = 0; c < Channels; ++c) {
    for (int k = 0; k < Columns; ++k) {
      const __m512 sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(upper[c][k]), _mm512_set1_ps(256.0F),
                                         _mm512_cvtepi32_ps(lower[c][k]));
      float* to = sums + c * channel_elements + k * kByteLanes;
      _mm512_storeu_ps(to, _mm512_fmadd_ps(sum, _mm512_set1_ps(rows.scale), _mm512_loadu_ps(to)));
    }
  }
}

constexpr int kTileChannels = 4, kTileColumns = 3;

template <int Channels, int Columns, class... Arguments>
void weight_tile_of(int channels, int columns, const Arguments&... arguments) {
  if constexpr (Channels > 1) {
    if (channels < Channels) {
      return weight_tile_of<Channels - 1, Columns>(channels, columns, arguments...);
    }
  }
  if constexpr (Columns > 1) {
    if (columns < Columns) {
      return weight_tile_of<Channels, Columns - 1>(channels, columns, arguments...);
    }
  }
  weight_tile<Channels, Columns>(arguments...);
}

// Four neighbouring positions of 16 channels of dY, `position_stride` floats apart, to one vector of
// upper bytes and one of lower ones; positions past `count` are 0.
ABACUS_VNNI void split_quad(const float* dy, std::size_t position_stride, int count, int channels,
                            float factor, std::uint32_t* upper, std::uint32_t* lower) {
  const __m512i byte = _mm512_set1_epi32(255);
  __m512i up = _mm512_setzero_si512(), low = _mm512_setzero_si512();
  for (int p = count - 1; p >= 0; --p) {
    const BytePair pair = split_bytes(dy + p * position_stride, channels, _mm512_set1_ps(factor));
    up = _mm512_or_si512(_mm512_slli_epi32(up, 8), _mm512_and_si512(pair.upper, byte));
    low = _mm512_or_si512(_mm512_slli_epi32(low, 8), _mm512_and_si512(pair.lower, byte));
  }
  _mm512_storeu_si512(upper, up);
  _mm512_storeu_si512(lower, low);
}

// `count` pixels, `pixel_stride` bytes apart, to rows of channels, `plane` bytes apart.
ABACUS_VNNI void transpose_pixels(const std::uint8_t* pixels, int count, std::size_t pixel_stride,
                                  int channels, std::size_t plane, std::uint8_t* to) {
  for (int p = 0; p < count; p += kByteGroup) {
    const int used = std::min(kByteGroup, count - p);
    for (int first = 0; first < channels; first += kByteLanes) {
      const int rest = std::min(kByteLanes, channels - first);
      __m128i pixel[kByteGroup];
      for (int i = 0; i < kByteGroup; ++i) {
        pixel[i] = _mm_maskz_loadu_epi8(i < used ? first_lanes(rest) : __mmask16{0},
                                        pixels + (p + i) * pixel_stride + first);
      }
      const __m128i low01 = _mm_unpacklo_epi8(pixel[0], pixel[1]);
      const __m128i low23 = _mm_unpacklo_epi8(pixel[2], pixel[3]);
      const __m128i high01 = _mm_unpackhi_epi8(pixel[0], pixel[1]);
      const __m128i high23 = _mm_unpackhi_epi8(pixel[2], pixel[3]);
      alignas(16) std::uint32_t quads[kByteLanes];
      const auto store = [](std::uint32_t* at, __m128i value) ABACUS_VNNI {
        _mm_store_si128(reinterpret_cast<__m128i*>(at), value);
      };
      store(quads, _mm_unpacklo_epi16(low01, low23));
      store(quads + 4, _mm_unpackhi_epi16(low01, low23));
      store(quads + 8, _mm_unpacklo_epi16(high01, high23));
      store(quads + 12, _mm_unpackhi_epi16(high01, high23));
      std::uint8_t* at = to + first * plane + p;
      if (used == kByteGroup) {
        for (int c = 0; c < rest; ++c, at += plane) std::memcpy(at, quads + c, kByteGroup);
      } else {
        for (int c = 0; c < rest; ++c, at += plane) std::memcpy(at, quads + c, used);
      }
    }
  }
}

}  // namespace

ABACUS_VNNI void bytes_from_floats(const float* values, std::int64_t count, float inverse_unit,
                                   std::uint8_t* bytes, std::int32_t& least,
                                   std::int32_t& largest) {
  const __m512 factor = _mm512_set1_ps(inverse_unit);
  __m512i low = _mm512_set1_epi32(least), high = _mm512_set1_epi32(largest);
  for (std::int64_t i = 0; i < count; i += 16) {
    const __mmask16 used = first_lanes(static_cast<int>(std::min<std::int64_t>(16, count - i)));
    // NaN and what is too large become the least integer.
    const __m512i whole =
        _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(used, values + i), factor));
    low = _mm512_mask_min_epi32(low, used, low, whole);
    high = _mm512_mask_max_epi32(high, used, high, whole);
    _mm_mask_storeu_epi8(bytes + i, used,
                         _mm512_cvtusepi32_epi8(_mm512_max_epi32(whole, _mm512_setzero_si512())));
  }
  least = _mm512_reduce_min_epi32(low);
  largest = _mm512_reduce_max_epi32(high);
}

ABACUS_VNNI float largest_of_floats(const float* values, std::int64_t count) {
  __m512 largest = _mm512_setzero_ps();
  for (std::int64_t i = 0; i < count; i += 16) {
    const __mmask16 used = first_lanes(static_cast<int>(std::min<std::int64_t>(16, count - i)));
    // The maximum's second operand is taken where the first is NaN.
    largest = _mm512_max_ps(_mm512_maskz_loadu_ps(used, values + i), largest);
  }
  return _mm512_reduce_max_ps(largest);
}

ABACUS_VNNI void widen_byte_maxima(const std::uint8_t* pixels, std::int64_t count, int channels,
                                   std::uint8_t* largest) {
  for (int first = 0; first < channels; first += 64) {
    const int rest = std::min(64, channels - first);
    const __mmask64 used = rest == 64 ? ~0ULL : (1ULL << rest) - 1ULL;
    __m512i most = _mm512_maskz_loadu_epi8(used, largest + first);
    for (std::int64_t i = 0; i < count; ++i) {
      most = _mm512_max_epu8(most, _mm512_maskz_loadu_epi8(used, pixels + i * channels + first));
    }
    _mm512_mask_storeu_epi8(largest + first, used, most);
  }
}

void forward_bytes_of_image(const AdderShape& s, const ForwardBytes& packed,
                            const std::uint8_t* input, float* output, ByteScratch& scratch) {
  const int oh = s.output_height(), ow = s.output_width(), channels = s.input_channels;
  const int rows = s.input_height + 2 * s.padding;
  // Column x of the padded image is at phase x mod stride, column x div stride, so that a strided
  // walk becomes a dense one.
  const std::size_t phase_stride = ceil_divide(s.input_width + 2 * s.padding, s.stride);
  const std::size_t group_stride = phase_stride * s.stride;
  const std::size_t row_stride = group_stride * packed.groups;
  scratch.planes.assign(row_stride * rows, 0);
  scratch.sums.assign(group_stride * rows + static_cast<std::size_t>(oh) * ow, 0);
  std::int32_t* const pixel_sums = scratch.sums.data();
  std::int32_t* const window_sums = pixel_sums + group_stride * rows;
  for (int iy = 0; iy < s.input_height; ++iy) {
    const std::uint8_t* row = input + static_cast<std::size_t>(iy) * s.input_width * channels;
    for (int start = 0; start < std::min(s.stride, s.input_width); ++start) {
      const int padded = start + s.padding;
      group_pixels(row + start * channels, ceil_divide(s.input_width - start, s.stride),
                   static_cast<std::size_t>(s.stride) * channels, channels, group_stride,
                   scratch.planes.data() + (iy + s.padding) * row_stride +
                       (padded % s.stride) * phase_stride + padded / s.stride);
    }
    sum_groups<false>(scratch.planes.data() + (iy + s.padding) * row_stride, packed.groups,
                      group_stride, pixel_sums + (iy + s.padding) * group_stride);
  }
  for (int oy = 0; oy < oh; ++oy) {
    for (int ky = 0; ky < s.kernel; ++ky) {
      for (int kx = 0; kx < s.kernel; ++kx) {
        add_row(pixel_sums + (oy * s.stride + ky) * group_stride + (kx % s.stride) * phase_stride +
                    kx / s.stride,
                ow, window_sums + oy * ow);
      }
    }
  }
  for (int block = 0; block < packed.blocks;) {
    const bool pair = block + 1 < packed.blocks;
    const int tiles = ceil_divide(ow, pair ? kForwardPairTile : kForwardTile);
    for (int oy = 0; oy < oh; ++oy) {
      for (int tile = 0; tile < tiles; ++tile) {
        const int begin = ow * tile / tiles, end = ow * (tile + 1) / tiles;
        const ForwardPlanes planes = {
            scratch.planes.data() + static_cast<std::size_t>(oy) * s.stride * row_stride + begin,
            row_stride, group_stride, phase_stride};
        const std::int32_t* sums = window_sums + oy * ow + begin;
        float* to = output + (static_cast<std::size_t>(oy) * ow + begin) * s.output_channels;
        if (pair) {
          forward_tile_of<2, kForwardPairTile>(end - begin, s, packed, block, planes, sums, to);
        } else {
          forward_tile_of<1, kForwardTile>(end - begin, s, packed, block, planes, sums, to);
        }
      }
    }
    block += pair ? 2 : 1;
  }
}

void gradient_bytes_of_image(const AdderShape& s, const GradientBytes& packed,
                             const std::uint8_t* input, const float* output_gradient,
                             float* input_gradient, ByteScratch& scratch) {
  const int oh = s.output_height(), ow = s.output_width(), channels = s.input_channels;
  const std::size_t outputs = static_cast<std::size_t>(oh) * ow * s.output_channels;
  const float largest = largest_magnitude(output_gradient, outputs);
  const float scale = largest / kLargestPair;
  const float factor = scale > 0 ? kLargestPair / largest : 0.0F;
  // Output column of input column st·j + r at tap kx: j + (r + padding − kx) / st. The margins hold
  // the zeros of outputs that do not exist.
  const int left = std::max(0, ceil_divide(s.kernel - 1 - s.padding, s.stride));
  const int right = (s.stride - 1 + s.padding) / s.stride;
  const int columns = left + std::max(ceil_divide(s.input_width, s.stride) + right, ow);
  const std::size_t group_stride = columns;
  const std::size_t row_stride = group_stride * packed.groups;
  scratch.planes.assign(row_stride * oh, 0);
  scratch.lower.assign(row_stride * oh, 0);
  const std::size_t pixels = static_cast<std::size_t>(s.input_height) * s.input_width;
  const std::size_t phase_positions = ceil_divide(s.input_width, s.stride);
  const std::size_t row_positions = phase_positions * s.stride;
  const std::size_t sum_plane = group_stride * oh;
  const std::size_t window_plane = row_positions * s.input_height;
  scratch.sums.assign(2 * (sum_plane + window_plane), 0);
  std::int32_t* const pixel_sums[2] = {scratch.sums.data(), scratch.sums.data() + sum_plane};
  std::int32_t* const window_sums[2] = {scratch.sums.data() + 2 * sum_plane,
                                        scratch.sums.data() + 2 * sum_plane + window_plane};
  for (int oy = 0; oy < oh; ++oy) {
    split_row(output_gradient + static_cast<std::size_t>(oy) * ow * s.output_channels, ow,
              s.output_channels, factor, group_stride,
              scratch.planes.data() + oy * row_stride + left,
              scratch.lower.data() + oy * row_stride + left);
    sum_groups<true>(scratch.planes.data() + oy * row_stride, packed.groups, group_stride,
                     pixel_sums[0] + oy * group_stride);
    sum_groups<true>(scratch.lower.data() + oy * row_stride, packed.groups, group_stride,
                     pixel_sums[1] + oy * group_stride);
  }
  const std::size_t pixel_bytes = static_cast<std::size_t>(packed.blocks) * kByteLanes;
  scratch.levels.resize(pixels * pixel_bytes);
  for (std::size_t i = 0; i < pixels; ++i) {
    to_gradient_levels(input + i * channels, channels, packed,
                       scratch.levels.data() + i * pixel_bytes);
  }
  // Calls `visit` with the output row, the column offset and the number of every tap through which
  // inputs of row iy and this phase take part in an output.
  const auto for_taps = [&](int iy, int phase, const auto& visit) {
    for (int ky = 0; ky < s.kernel; ++ky) {
      const int y = iy + s.padding - ky;
      if (y < 0 || y % s.stride != 0 || y / s.stride >= oh) continue;
      for (int kx = 0; kx < s.kernel; ++kx) {
        const int x = phase + s.padding - kx;
        if (x % s.stride == 0) visit(y / s.stride, left + x / s.stride, ky * s.kernel + kx);
      }
    }
  };
  const int phases = std::min(s.stride, s.input_width);
  for (int iy = 0; iy < s.input_height; ++iy) {
    for (int phase = 0; phase < phases; ++phase) {
      const int count = ceil_divide(s.input_width - phase, s.stride);
      for_taps(iy, phase, [&](int oy, int column, int) {
        for (int half = 0; half < 2; ++half) {
          add_row(pixel_sums[half] + oy * group_stride + column, count,
                  window_sums[half] + iy * row_positions + phase * phase_positions);
        }
      });
    }
  }
  const std::size_t tap_bytes = static_cast<std::size_t>(packed.groups) * kByteLanes * kByteGroup;
  std::vector<GradientTap> taps(static_cast<std::size_t>(s.kernel) * s.kernel);
  for (int block = 0; block < packed.blocks; ++block) {
    const int first = block * kByteLanes;
    const std::uint8_t* weights = packed.weights.data() + block * packed.block_bytes;
    for (int iy = 0; iy < s.input_height; ++iy) {
      for (int phase = 0; phase < phases; ++phase) {
        const int count = ceil_divide(s.input_width - phase, s.stride);
        const int tiles = ceil_divide(count, kGradientTile);
        int tap_count = 0;
        for_taps(iy, phase, [&](int oy, int column, int tap) {
          taps[tap_count++] = {oy * row_stride + column, weights + tap * tap_bytes};
        });
        for (int tile = 0; tile < tiles; ++tile) {
          const int begin = count * tile / tiles, end = count * (tile + 1) / tiles;
          const std::size_t sums_at = iy * row_positions + phase * phase_positions + begin;
          const GradientRows rows = {scratch.planes.data() + begin, scratch.lower.data() + begin,
                                     group_stride, window_sums[0] + sums_at,
                                     window_sums[1] + sums_at};
          const std::size_t pixel =
              static_cast<std::size_t>(iy) * s.input_width + phase + begin * s.stride;
          gradient_tile_of<kGradientTile>(
              end - begin, taps.data(), tap_count, rows, packed, first,
              scratch.levels.data() + pixel * pixel_bytes + first, s.stride * pixel_bytes, scale,
              input_gradient + pixel * channels + first,
              static_cast<std::size_t>(s.stride) * channels, channels - first);
        }
      }
    }
  }
}

std::size_t weight_gradient_elements(const AdderShape& s) {
  return static_cast<std::size_t>(ceil_divide(s.output_channels, kByteLanes)) * kByteLanes *
         (static_cast<std::size_t>(s.input_channels) * s.kernel * s.kernel + 1);
}

std::int64_t weight_gradient_images(const AdderShape& s) {
  // Sums of bytes' products over so many positions stay within 32 bits, unless one image alone has
  // more than 2^16.
  return std::clamp<std::int64_t>(1024 / (s.output_height() * s.output_width()), 1, 64);
}

void weight_gradient_bytes(const AdderShape& s, std::int64_t images, const std::uint8_t* input,
                           const float* output_gradient, float* sums, ByteScratch& scratch) {
  const int oh = s.output_height(), ow = s.output_width();
  const int blocks = ceil_divide(s.output_channels, kByteLanes),
            quads = ceil_divide(ow, kByteGroup);
  const std::size_t output_elements = static_cast<std::size_t>(oh) * ow * s.output_channels;
  const float largest = largest_magnitude(output_gradient, images * output_elements);
  const float scale = largest / kLargestPair;
  const float factor = scale > 0 ? kLargestPair / largest : 0.0F;
  const std::size_t block_quads = static_cast<std::size_t>(images) * oh * quads;
  scratch.planes.resize(blocks * block_quads * kByteLanes);
  scratch.lower.resize(blocks * block_quads * kByteLanes);
  for (int block = 0; block < blocks; ++block) {
    const int first = block * kByteLanes;
    for (std::int64_t row = 0; row < images * oh; ++row) {
      for (int quad = 0; quad < quads; ++quad) {
        const std::size_t at = (block * block_quads + row * quads + quad) * kByteLanes;
        const int ox = quad * kByteGroup;
        split_quad(output_gradient + (row * ow + ox) * s.output_channels + first, s.output_channels,
                   std::min(kByteGroup, ow - ox), s.output_channels - first, factor,
                   scratch.planes.data() + at, scratch.lower.data() + at);
      }
    }
  }
  // Column x of the padded image is at phase x mod stride, column x div stride.
  const std::size_t phase_bytes = ceil_divide(s.input_width + 2 * s.padding, s.stride);
  const std::size_t row_bytes = phase_bytes * s.stride;
  const std::size_t channel_bytes = row_bytes * (s.input_height + 2 * s.padding);
  const std::size_t image_bytes = channel_bytes * s.input_channels;
  // A last quad reads up to three columns too far; dY is 0 there.
  scratch.levels.assign(images * image_bytes + kByteGroup, 0);
  for (std::int64_t n = 0; n < images; ++n) {
    for (int iy = 0; iy < s.input_height; ++iy) {
      const std::uint8_t* row =
          input + (n * s.input_height + iy) * s.input_width * s.input_channels;
      for (int start = 0; start < std::min(s.stride, s.input_width); ++start) {
        const int padded = start + s.padding;
        transpose_pixels(
            row + start * s.input_channels, ceil_divide(s.input_width - start, s.stride),
            static_cast<std::size_t>(s.stride) * s.input_channels, s.input_channels, channel_bytes,
            scratch.levels.data() + n * image_bytes + (iy + s.padding) * row_bytes +
                (padded % s.stride) * phase_bytes + padded / s.stride);
      }
    }
  }
  const std::vector<std::uint8_t> ones(static_cast<std::size_t>(quads) * kByteGroup, 1);
  const std::size_t no_columns[1] = {0};
  const std::size_t channel_elements = static_cast<std::size_t>(s.kernel) * s.kernel * kByteLanes;
  const std::size_t block_elements = s.input_channels * channel_elements + kByteLanes;
  for (int block = 0; block < blocks; ++block) {
    const std::size_t at = block * block_quads * kByteLanes;
    QuadRows rows = {scratch.planes.data() + at,
                     scratch.lower.data() + at,
                     static_cast<std::size_t>(oh) * quads,
                     oh,
                     quads,
                     images,
                     image_bytes,
                     s.stride * row_bytes,
                     scale};
    float* const block_sums = sums + block * block_elements;
    for (int ky = 0; ky < s.kernel; ++ky) {
      for (int kx = 0; kx < s.kernel; kx += kTileColumns) {
        const int columns = std::min(kTileColumns, s.kernel - kx);
        std::size_t column[kTileColumns] = {};
        for (int i = 0; i < columns; ++i) {
          column[i] = (kx + i) % s.stride * phase_bytes + (kx + i) / s.stride;
        }
        for (int c = 0; c < s.input_channels; c += kTileChannels) {
          weight_tile_of<kTileChannels, kTileColumns>(
              std::min(kTileChannels, s.input_channels - c), columns, rows,
              scratch.levels.data() + c * channel_bytes + ky * row_bytes, channel_bytes, column,
              block_sums + c * channel_elements + (ky * s.kernel + kx) * kByteLanes,
              channel_elements);
        }
      }
    }
    rows.image_bytes = rows.row_bytes = 0;
    weight_tile<1, 1>(rows, ones.data(), 0, no_columns,
                      block_sums + s.input_channels * channel_elements, 0);
  }
}

#else

std::size_t weight_gradient_elements(const AdderShape&) { return 0; }
std::int64_t weight_gradient_images(const AdderShape&) { return 1; }
void weight_gradient_bytes(const AdderShape&, std::int64_t, const std::uint8_t*, const float*,
                           float*, ByteScratch&) {}
void bytes_from_floats(const float*, std::int64_t, float, std::uint8_t*, std::int32_t&,
                       std::int32_t&) {}
float largest_of_floats(const float*, std::int64_t) { return 0; }
void widen_byte_maxima(const std::uint8_t*, std::int64_t, int, std::uint8_t*) {}
void forward_bytes_of_image(const AdderShape&, const ForwardBytes&, const std::uint8_t*, float*,
                            ByteScratch&) {}
void gradient_bytes_of_image(const AdderShape&, const GradientBytes&, const std::uint8_t*,
                             const float*, float*, ByteScratch&) {}

#endif

}  // namespace abacus::kernels
