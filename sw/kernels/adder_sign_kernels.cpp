#include "sw/kernels/adder_sign_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#include "sw/kernels/vnni.hpp"

namespace abacus::kernels {
namespace {

constexpr int kVector = 64;    // positions at a time
constexpr int kTile = 4;       // taps that share what is read of dY; 5 for a rest of 5
constexpr int kTapBlock = 12;  // taps whose operands are laid out together, to stay in the cache
constexpr std::int64_t kParts = 16;  // of the batch, each with its own sums, added in order

// Images taken together, so that there are enough positions to be worth a sum.
std::int64_t images_together(const AdderShape& s) {
  return std::clamp<std::int64_t>(1024 / (s.output_height() * s.output_width()), 1, 64);
}

// Where the positions of some images lie in a row of bytes, and dY with them. With stride 1 a channel's
// rows follow one another with the padding between them, which is both the right one of a row and the
// left one of the next; likewise images. Every tap then reads the same bytes, moved by an offset. Positions
// that are no output have dY = 0. Otherwise there are outputs only, and each tap has bytes of its own.
struct Layout {
  bool shared = false;
  std::size_t row = 0, image = 0;  // from one row of outputs, one image, to the next
  std::size_t first = 0;           // of the input's first element, shared

  explicit Layout(const AdderShape& s) {
    const int p = s.padding;
    shared = s.stride == 1 && s.output_height() <= s.input_height + p &&
             s.output_width() <= s.input_width + p;
    row = static_cast<std::size_t>(shared ? s.input_width + p : s.output_width());
    image = static_cast<std::size_t>(shared ? s.input_height + p : s.output_height()) * row;
    if (shared) first = static_cast<std::size_t>(p) * row + static_cast<std::size_t>(p);
  }
};

// dY of some images, output channel by output channel, positions padded with zeros to `positions`.
struct Gradients {
  std::vector<std::int8_t> upper, lower;  // scale · (256 · upper + lower)
  std::vector<float> whole;               // the portable path's
  float scale = 1;
};

// What min(subs(x, below), top) makes of an operand: 0, 1, 2 for x < w, =, >; for w = 0 one less.
struct Threshold {
  std::uint8_t below = 0;
  std::uint8_t top = 2;
};
Threshold threshold(std::int32_t weight) {
  if (weight <= 0) return {0, 1};
  return {static_cast<std::uint8_t>(std::min(weight - 1, 255)), 2};
}

// The operands that tap `tap` reads at all positions of `images` images.
void lay_out(const AdderShape& s, const std::uint8_t* input, std::int64_t images, int tap,
             std::uint8_t* to) {
  const int kx = tap % s.kernel, ky = tap / s.kernel % s.kernel, c = tap / (s.kernel * s.kernel);
  const int oh = s.output_height(), ow = s.output_width();
  const std::size_t plane = static_cast<std::size_t>(s.input_height) * s.input_width;
  // Outputs whose column lies within the image.
  const int left = std::max(0, (s.padding - kx + s.stride - 1) / s.stride);
  const int right = std::min(ow, (s.input_width - 1 + s.padding - kx) / s.stride + 1);
  for (std::int64_t n = 0; n < images; ++n) {
    const std::uint8_t* const from = input + (n * s.input_channels + c) * plane;
    for (int oy = 0; oy < oh; ++oy, to += ow) {
      const int y = oy * s.stride + ky - s.padding;
      if (y < 0 || y >= s.input_height || left >= right) {
        std::memset(to, 0, static_cast<std::size_t>(ow));
        continue;
      }
      const std::uint8_t* const row = from + static_cast<std::size_t>(y) * s.input_width;
      std::memset(to, 0, static_cast<std::size_t>(left));
      const int first = left * s.stride + kx - s.padding;
      if (s.stride == 1) {
        std::memcpy(to + left, row + first, static_cast<std::size_t>(right - left));
      } else {
        for (int ox = left; ox < right; ++ox) to[ox] = row[first + (ox - left) * s.stride];
      }
      std::memset(to + right, 0, static_cast<std::size_t>(ow - right));
    }
  }
}

// A channel of `images` images by a shared layout, zeros around.
void lay_out_shared(const AdderShape& s, const Layout& layout, const std::uint8_t* input,
                    std::int64_t images, int channel, std::uint8_t* to) {
  const std::size_t plane = static_cast<std::size_t>(s.input_height) * s.input_width;
  for (std::int64_t n = 0; n < images; ++n) {
    const std::uint8_t* const from = input + (n * s.input_channels + channel) * plane;
    std::uint8_t* const image = to + layout.first + static_cast<std::size_t>(n) * layout.image;
    for (int y = 0; y < s.input_height; ++y) {
      std::memcpy(image + static_cast<std::size_t>(y) * layout.row,
                  from + static_cast<std::size_t>(y) * s.input_width,
                  static_cast<std::size_t>(s.input_width));
    }
  }
}

#ifdef ABACUS_HAS_VNNI

template <int T>
ABACUS_VNNI void sum_tile(const std::uint8_t* const* x, const Threshold* thresholds,
                          const std::int8_t* upper, const std::int8_t* lower, std::size_t positions,
                          float scale, float* sums) {
  __m512i high[T], low[T], below[T], top[T];
  for (int t = 0; t < T; ++t) {
    high[t] = low[t] = _mm512_setzero_si512();
    below[t] = _mm512_set1_epi8(static_cast<char>(thresholds[t].below));
    top[t] = _mm512_set1_epi8(static_cast<char>(thresholds[t].top));
  }
  for (std::size_t p = 0; p < positions; p += kVector) {
    const __m512i dy_high = _mm512_loadu_si512(upper + p);
    const __m512i dy_low = _mm512_loadu_si512(lower + p);
    for (int t = 0; t < T; ++t) {
      const __m512i operand = _mm512_loadu_si512(x[t] + p);
      const __m512i level = _mm512_min_epu8(_mm512_subs_epu8(operand, below[t]), top[t]);
      high[t] = _mm512_dpbusd_epi32(high[t], level, dy_high);
      low[t] = _mm512_dpbusd_epi32(low[t], level, dy_low);
    }
  }
  for (int t = 0; t < T; ++t) {
    sums[t] += scale * (256.0F * static_cast<float>(_mm512_reduce_add_epi32(high[t])) +
                        static_cast<float>(_mm512_reduce_add_epi32(low[t])));
  }
}

ABACUS_VNNI void split(const float* dy, std::size_t count, float factor, std::int8_t* upper,
                       std::int8_t* lower) {
  for (std::size_t i = 0; i < count; i += 16) {
    const int left = static_cast<int>(std::min<std::size_t>(16, count - i));
    const BytePair pair = split_bytes(dy + i, left, _mm512_set1_ps(factor));
    _mm512_mask_cvtepi32_storeu_epi8(upper + i, first_lanes(left), pair.upper);
    _mm512_mask_cvtepi32_storeu_epi8(lower + i, first_lanes(left), pair.lower);
  }
}

void sum_bytes(const std::uint8_t* const* x, const Threshold* thresholds, int taps,
               const std::int8_t* upper, const std::int8_t* lower, std::size_t positions,
               float scale, float* sums) {
  int t = 0;
  for (; t + kTile <= taps && taps - t != kTile + 1; t += kTile) {
    sum_tile<kTile>(x + t, thresholds + t, upper, lower, positions, scale, sums + t);
  }
  if (taps - t == kTile + 1) {
    sum_tile<kTile + 1>(x + t, thresholds + t, upper, lower, positions, scale, sums + t);
    return;
  }
  for (; t < taps; ++t) {
    sum_tile<1>(x + t, thresholds + t, upper, lower, positions, scale, sums + t);
  }
}

#else

constexpr float kLargestPair = 1;
void split(const float*, std::size_t, float, std::int8_t*, std::int8_t*) {}
float largest_magnitude(const float*, std::size_t) { return 0; }
void sum_bytes(const std::uint8_t* const*, const Threshold*, int, const std::int8_t*,
               const std::int8_t*, std::size_t, float, float*) {}

#endif

void sum_portably(const std::uint8_t* const* x, const Threshold* thresholds, int taps,
                  const float* dy, std::size_t positions, float* sums) {
  for (int t = 0; t < taps; ++t) {
    const std::uint8_t* const operand = x[t];
    const int below = thresholds[t].below, top = thresholds[t].top;
    float sum = 0;
    for (std::size_t p = 0; p < positions; ++p) {
      const int level = std::min(std::max(int{operand[p]} - below, 0), top);
      sum += static_cast<float>(level) * dy[p];
    }
    sums[t] += sum;
  }
}

// Sums of one part of the batch: Σ level · dY by output channel and tap, and Σ dY.
struct Sums {
  std::vector<float> taps, gradient;
};

class Worker {
 public:
  Worker(const AdderShape& shape, const std::int32_t* weight, bool bytes)
      : s_(shape),
        layout_(shape),
        bytes_(bytes),
        taps_(shape.input_channels * shape.kernel * shape.kernel),
        outputs_(static_cast<std::size_t>(shape.output_height()) * shape.output_width()) {
    thresholds_.reserve(static_cast<std::size_t>(shape.output_channels) * taps_);
    for (std::int64_t i = 0; i < std::int64_t{shape.output_channels} * taps_; ++i) {
      thresholds_.push_back(threshold(weight[i]));
    }
  }

  void add(std::int64_t images, const std::uint8_t* input, const float* dy, Sums& sums) {
    const std::size_t used = static_cast<std::size_t>(images) * layout_.image;
    const std::size_t positions = (used + kVector - 1) / kVector * kVector;
    take_gradients(images, dy, positions, sums);
    if (layout_.shared) {
      add_channels(images, input, positions, sums);
    } else {
      add_taps(images, input, positions, sums);
    }
  }

 private:
  void add_channels(std::int64_t images, const std::uint8_t* input, std::size_t positions,
                    Sums& sums) {
    const int taps = s_.kernel * s_.kernel;
    const auto offset = [&](int tap) {
      return static_cast<std::size_t>(tap / s_.kernel) * layout_.row +
             static_cast<std::size_t>(tap % s_.kernel);
    };
    // Once: what lies between the images' rows stays 0, whatever the channel.
    rows_.assign(positions + offset(taps - 1) + kVector, 0);
    std::vector<const std::uint8_t*> operands;
    for (int tap = 0; tap < taps; ++tap) operands.push_back(rows_.data() + offset(tap));
    for (int c = 0; c < s_.input_channels; ++c) {
      lay_out_shared(s_, layout_, input, images, c, rows_.data());
      add_products(operands, c * taps, positions, sums);
    }
  }

  void add_taps(std::int64_t images, const std::uint8_t* input, std::size_t positions, Sums& sums) {
    rows_.assign(kTapBlock * positions, 0);
    for (int first = 0; first < taps_; first += kTapBlock) {
      std::vector<const std::uint8_t*> operands;
      for (int t = 0; t < std::min(kTapBlock, taps_ - first); ++t) {
        std::uint8_t* const row = rows_.data() + static_cast<std::size_t>(t) * positions;
        lay_out(s_, input, images, first + t, row);
        operands.push_back(row);
      }
      add_products(operands, first, positions, sums);
    }
  }

  // Of the taps from `first` on, with all output channels.
  void add_products(const std::vector<const std::uint8_t*>& operands, int first,
                    std::size_t positions, Sums& sums) {
    const int count = static_cast<int>(operands.size());
    for (int o = 0; o < s_.output_channels; ++o) {
      const std::size_t at = static_cast<std::size_t>(o) * taps_ + first;
      const std::size_t plane = static_cast<std::size_t>(o) * positions;
      if (bytes_) {
        sum_bytes(operands.data(), thresholds_.data() + at, count, gradients_.upper.data() + plane,
                  gradients_.lower.data() + plane, positions, gradients_.scale,
                  sums.taps.data() + at);
      } else {
        sum_portably(operands.data(), thresholds_.data() + at, count,
                     gradients_.whole.data() + plane, positions, sums.taps.data() + at);
      }
    }
  }

  void take_gradients(std::int64_t images, const float* dy, std::size_t positions, Sums& sums) {
    const std::size_t channels = static_cast<std::size_t>(s_.output_channels);
    const std::size_t elements = channels * positions;
    float factor = 0;
    if (bytes_) {
      const float largest =
          largest_magnitude(dy, static_cast<std::size_t>(images) * channels * outputs_);
      gradients_.scale = largest / kLargestPair;
      factor = largest > 0 ? kLargestPair / largest : 0.0F;
      gradients_.upper.assign(elements, 0);
      gradients_.lower.assign(elements, 0);
    } else {
      gradients_.whole.assign(elements, 0);
    }
    for (std::size_t o = 0; o < channels; ++o) {
      for (std::size_t n = 0; n < static_cast<std::size_t>(images); ++n) {
        take_image(dy + (n * channels + o) * outputs_, o * positions + n * layout_.image, factor);
      }
      // Of what the sums above are made of, so that the two cancel where they should.
      float sum = 0;
      if (bytes_) {
        std::int64_t whole = 0;
        for (std::size_t p = 0; p < positions; ++p) {
          whole += 256 * gradients_.upper[o * positions + p] + gradients_.lower[o * positions + p];
        }
        sum = gradients_.scale * static_cast<float>(whole);
      } else {
        for (std::size_t p = 0; p < positions; ++p) sum += gradients_.whole[o * positions + p];
      }
      sums.gradient[o] += sum;
    }
  }

  // One channel of one image to its positions from `at` on.
  void take_image(const float* dy, std::size_t at, float factor) {
    const auto width = static_cast<std::size_t>(s_.output_width());
    // Rows without anything between them are as good as one.
    const std::size_t length = layout_.row == width ? outputs_ : width;
    for (std::size_t done = 0; done < outputs_; done += length, at += layout_.row) {
      if (bytes_) {
        split(dy + done, length, factor, gradients_.upper.data() + at,
              gradients_.lower.data() + at);
      } else {
        std::copy_n(dy + done, length, gradients_.whole.data() + at);
      }
    }
  }

  const AdderShape& s_;
  Layout layout_;
  bool bytes_;
  int taps_;
  std::size_t outputs_;
  std::vector<Threshold> thresholds_;
  std::vector<std::uint8_t> rows_;
  Gradients gradients_;
};

}  // namespace

void adder_sign_weight_gradient(const AdderShape& s, const std::uint8_t* input,
                                const std::int32_t* weight, const float* output_gradient,
                                float* weight_gradient, GridPath path) {
  const bool bytes = path == GridPath::fastest && vnni_supported();
  const std::int64_t chunk = images_together(s);
  const std::int64_t chunks = (s.batch + chunk - 1) / chunk;
  const std::int64_t parts = std::min(kParts, chunks);
  const std::size_t input_image =
      static_cast<std::size_t>(s.input_channels) * s.input_height * s.input_width;
  const std::size_t output_image =
      static_cast<std::size_t>(s.output_channels) * s.output_height() * s.output_width();
  const std::size_t taps = static_cast<std::size_t>(s.input_channels) * s.kernel * s.kernel;
  std::vector<Sums> sums(static_cast<std::size_t>(parts));
  for (Sums& part : sums) {
    part.taps.assign(taps * s.output_channels, 0);
    part.gradient.assign(static_cast<std::size_t>(s.output_channels), 0);
  }
#pragma omp parallel
  {
    Worker worker(s, weight, bytes);
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t part = 0; part < parts; ++part) {
      for (std::int64_t i = chunks * part / parts; i < chunks * (part + 1) / parts; ++i) {
        const std::int64_t first = i * chunk;
        worker.add(std::min(chunk, s.batch - first), input + first * input_image,
                   output_gradient + first * output_image, sums[static_cast<std::size_t>(part)]);
      }
    }
  }
  for (std::size_t part = 1; part < sums.size(); ++part) {
    for (std::size_t i = 0; i < sums[0].taps.size(); ++i) sums[0].taps[i] += sums[part].taps[i];
    for (std::size_t o = 0; o < sums[0].gradient.size(); ++o) {
      sums[0].gradient[o] += sums[part].gradient[o];
    }
  }
  for (std::size_t o = 0; o < static_cast<std::size_t>(s.output_channels); ++o) {
    const float dy = sums[0].gradient[o];
    for (std::size_t i = o * taps; i < (o + 1) * taps; ++i) {
      // Beyond all operands the sign is the same everywhere.
      if (weight[i] < 0 || weight[i] > 255) {
        weight_gradient[i] = weight[i] < 0 ? dy : -dy;
      } else {
        weight_gradient[i] = sums[0].taps[i] - (weight[i] == 0 ? 0 : dy);
      }
    }
  }
}

}  // namespace abacus::kernels
