#include "sw/kernels/fake_quantization_kernels.hpp"

#include <algorithm>
#include <cstddef>

#include "sw/kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sw/kernels/fake_quantization_kernels.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace abacus::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

// The grid's numbers in all lanes.
struct Grid {
  explicit Grid(const FakeGrid& grid)
      : lowest(hn::Set(Floats(), grid.lowest)),
        highest(hn::Set(Floats(), grid.highest)),
        step(hn::Set(Floats(), grid.step)),
        inverse(hn::Set(Floats(), 1.0F / grid.step)) {}

  // The comparison fails for NaN, which becomes the lowest.
  Vector clamp(Vector value) const {
    return hn::Min(hn::IfThenElse(hn::Gt(value, lowest), value, lowest), highest);
  }
  // Clamped first: the ends are integers, so that the order does not matter.
  Vector round(Vector value) const {
    return hn::Floor(hn::Add(clamp(value), hn::Set(Floats(), 0.5F)));
  }

  Vector lowest, highest, step, inverse;
};

struct Reader {
  explicit Reader(const FakeReader& reader)
      : inverse_scale(hn::Set(Floats(), reader.inverse_scale)),
        ratio(hn::Set(Floats(), reader.ratio)) {}

  Vector operand(Vector stored, const Grid& grid) const {
    const Vector integer =
        hn::Floor(hn::Add(hn::Mul(stored, inverse_scale), hn::Set(Floats(), 0.5F)));
    return grid.round(hn::Mul(integer, ratio));
  }

  Vector inverse_scale, ratio;
};

// work(index, lanes): the last call may have fewer lanes than a vector.
template <typename Work>
HWY_INLINE void for_each_vector(std::int64_t count, const Work& work) {
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) work(i, lanes);
  if (i < count) work(i, count - i);
}

HWY_INLINE Vector load(const float* from, std::int64_t lanes) {
  const Floats tag;
  if (lanes == static_cast<std::int64_t>(hn::Lanes(tag))) return hn::LoadU(tag, from);
  HWY_ALIGN float buffer[hn::MaxLanes(tag)] = {};
  std::copy_n(from, lanes, buffer);
  return hn::Load(tag, buffer);
}

// Bfloat16s go through the lower half of as many 32-bit lanes.
using Halves = hn::Rebind<std::uint16_t, Floats>;
using Words = hn::RebindToUnsigned<Floats>;

HWY_INLINE Vector load(const Bfloat16Bits* from, std::int64_t lanes) {
  const Halves tag;
  HWY_ALIGN Bfloat16Bits buffer[hn::MaxLanes(Floats())] = {};
  if (lanes < static_cast<std::int64_t>(hn::Lanes(tag))) {
    std::copy_n(from, lanes, buffer);
    from = buffer;
  }
  return hn::BitCast(Floats(), hn::ShiftLeft<16>(hn::PromoteTo(Words(), hn::LoadU(tag, from))));
}

HWY_INLINE void store(Vector value, Bfloat16Bits* to, std::int64_t lanes) {
  const Halves tag;
  const Words words;
  const auto bits = hn::BitCast(words, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(words, 0x7FFF)));
  const auto halves = hn::TruncateTo(tag, hn::ShiftRight<16>(rounded));
  if (lanes == static_cast<std::int64_t>(hn::Lanes(tag))) {
    hn::StoreU(halves, tag, to);
    return;
  }
  HWY_ALIGN Bfloat16Bits buffer[hn::MaxLanes(Floats())];
  hn::StoreU(halves, tag, buffer);
  std::copy_n(buffer, lanes, to);
}

HWY_INLINE void store(Vector value, float* to, std::int64_t lanes) {
  const Floats tag;
  if (lanes == static_cast<std::int64_t>(hn::Lanes(tag))) {
    hn::StoreU(value, tag, to);
    return;
  }
  HWY_ALIGN float buffer[hn::MaxLanes(tag)];
  hn::Store(value, tag, buffer);
  std::copy_n(buffer, lanes, to);
}

void round_all(const float* from, float* to, std::int64_t count, const FakeGrid& onto) {
  const Grid grid(onto);
  for_each_vector(count, [&](std::int64_t i, std::int64_t lanes) {
    const Vector scaled = hn::Mul(load(from + i, lanes), grid.inverse);
    store(hn::Mul(grid.round(scaled), grid.step), to + i, lanes);
  });
}

template <typename To>
void read_all(const float* stored, To* to, std::int64_t count, const FakeReader& with,
              const FakeGrid& onto) {
  const Grid grid(onto);
  const Reader reader(with);
  for_each_vector(count, [&](std::int64_t i, std::int64_t lanes) {
    store(hn::Mul(reader.operand(load(stored + i, lanes), grid), grid.step), to + i, lanes);
  });
}

template <typename Gradient>
void mask_all(const float* x, const Gradient* gradient, float* to, std::int64_t count,
              const FakeGrid& of) {
  const Floats tag;
  // A hair of tolerance, so that the ends themselves are within whatever the product's rounding.
  const float slack = 1e-4F * of.step;
  const Vector low = hn::Set(tag, of.lowest * of.step - slack);
  const Vector high = hn::Set(tag, of.highest * of.step + slack);
  for_each_vector(count, [&](std::int64_t i, std::int64_t lanes) {
    const Vector value = load(x + i, lanes);
    const auto inside = hn::And(hn::Ge(value, low), hn::Le(value, high));
    store(hn::IfThenElseZero(inside, load(gradient + i, lanes)), to + i, lanes);
  });
}

// Σ derivative(x) · gradient, where derivative takes and gives a vector.
template <typename Gradient, typename Derivative>
double gradient_sum(const float* x, const Gradient* gradient, std::int64_t count,
                    const Derivative& derivative) {
  const Floats tag;
  // Each lane adds up run / lanes terms in single precision before they go into the double.
  constexpr std::int64_t run = 512;
  double total = 0;
  for (std::int64_t first = 0; first < count; first += run) {
    Vector sum = hn::Zero(tag);
    for_each_vector(std::min(run, count - first), [&](std::int64_t i, std::int64_t lanes) {
      const Vector of = derivative(load(x + first + i, lanes));
      sum = hn::Add(sum, hn::Mul(of, load(gradient + first + i, lanes)));
    });
    HWY_ALIGN float parts[hn::MaxLanes(tag)];
    hn::Store(sum, tag, parts);
    for (std::size_t lane = 0; lane < hn::Lanes(tag); ++lane) {
      total += static_cast<double>(parts[lane]);
    }
  }
  return total;
}

template <typename Gradient>
double step_gradient(const float* stored, const Gradient* gradient, std::int64_t count,
                     const FakeReader& with, const FakeGrid& of) {
  const Grid grid(of);
  const Reader reader(with);
  return gradient_sum(stored, gradient, count, [&](Vector x) {
    const Vector v = hn::Mul(x, grid.inverse);
    const Vector operand = reader.operand(x, grid);
    // Beyond the range the operand is the range's end, whose derivative is itself.
    return hn::IfThenElse(hn::Eq(v, grid.clamp(v)), hn::Sub(operand, v), operand);
  });
}

template <typename Gradient>
double end_gradient(const float* x, const Gradient* gradient, std::int64_t count,
                    const FakeGrid& of) {
  const Grid grid(of);
  return gradient_sum(x, gradient, count, [&](Vector value) {
    const Vector v = hn::Mul(value, grid.inverse);
    const Vector end = grid.clamp(v);
    return hn::IfThenElse(hn::Eq(v, end), hn::Zero(Floats()), end);
  });
}

void sum_all(const float* stored, std::int64_t pixels, std::int64_t channels, float inverse_scale,
             std::int64_t* sums) {
  const hn::RebindToSigned<Floats> integers;
  // So many integers of 16 bits that a lane of 32 holds their sum.
  constexpr std::int64_t run = 1 << 15;
  const Vector inverse = hn::Set(Floats(), inverse_scale), half = hn::Set(Floats(), 0.5F);
  std::fill_n(sums, channels, std::int64_t{0});
  for (std::int64_t first = 0; first < pixels; first += run) {
    const std::int64_t last = std::min(pixels, first + run);
    for_each_vector(channels, [&](std::int64_t channel, std::int64_t lanes) {
      auto sum = hn::Zero(integers);
      for (std::int64_t pixel = first; pixel < last; ++pixel) {
        const Vector value = load(stored + pixel * channels + channel, lanes);
        sum = hn::Add(sum,
                      hn::ConvertTo(integers, hn::Floor(hn::Add(hn::Mul(value, inverse), half))));
      }
      HWY_ALIGN std::int32_t parts[hn::MaxLanes(Floats())];
      hn::Store(sum, integers, parts);
      for (std::int64_t lane = 0; lane < lanes; ++lane) sums[channel + lane] += parts[lane];
    });
  }
}

// Highway dispatches functions, not templates.
void read_floats(const float* stored, float* to, std::int64_t count, const FakeReader& with,
                 const FakeGrid& onto) {
  read_all(stored, to, count, with, onto);
}
void read_halves(const float* stored, Bfloat16Bits* to, std::int64_t count, const FakeReader& with,
                 const FakeGrid& onto) {
  read_all(stored, to, count, with, onto);
}
void mask_floats(const float* x, const float* gradient, float* to, std::int64_t count,
                 const FakeGrid& of) {
  mask_all(x, gradient, to, count, of);
}
void mask_halves(const float* x, const Bfloat16Bits* gradient, float* to, std::int64_t count,
                 const FakeGrid& of) {
  mask_all(x, gradient, to, count, of);
}
double step_floats(const float* stored, const float* gradient, std::int64_t count,
                   const FakeReader& with, const FakeGrid& of) {
  return step_gradient(stored, gradient, count, with, of);
}
double step_halves(const float* stored, const Bfloat16Bits* gradient, std::int64_t count,
                   const FakeReader& with, const FakeGrid& of) {
  return step_gradient(stored, gradient, count, with, of);
}
double end_floats(const float* x, const float* gradient, std::int64_t count, const FakeGrid& of) {
  return end_gradient(x, gradient, count, of);
}
double end_halves(const float* x, const Bfloat16Bits* gradient, std::int64_t count,
                  const FakeGrid& of) {
  return end_gradient(x, gradient, count, of);
}

}  // namespace HWY_NAMESPACE
}  // namespace abacus::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace abacus::kernels {

HWY_EXPORT(round_all);
HWY_EXPORT(read_floats);
HWY_EXPORT(read_halves);
HWY_EXPORT(mask_floats);
HWY_EXPORT(mask_halves);
HWY_EXPORT(step_floats);
HWY_EXPORT(step_halves);
HWY_EXPORT(end_floats);
HWY_EXPORT(end_halves);
HWY_EXPORT(sum_all);

void round_to_grid(const float* from, float* to, std::int64_t count, const FakeGrid& grid) {
  HWY_DYNAMIC_DISPATCH(round_all)(from, to, count, grid);
}

void read_to_grid(const float* stored, float* to, std::int64_t count, const FakeReader& reader,
                  const FakeGrid& grid) {
  HWY_DYNAMIC_DISPATCH(read_floats)(stored, to, count, reader, grid);
}

void read_to_grid(const float* stored, Bfloat16Bits* to, std::int64_t count,
                  const FakeReader& reader, const FakeGrid& grid) {
  HWY_DYNAMIC_DISPATCH(read_halves)(stored, to, count, reader, grid);
}

void mask_gradient(const float* x, const float* gradient, float* to, std::int64_t count,
                   const FakeGrid& grid) {
  HWY_DYNAMIC_DISPATCH(mask_floats)(x, gradient, to, count, grid);
}

void mask_gradient(const float* x, const Bfloat16Bits* gradient, float* to, std::int64_t count,
                   const FakeGrid& grid) {
  HWY_DYNAMIC_DISPATCH(mask_halves)(x, gradient, to, count, grid);
}

double read_step_gradient(const float* stored, const float* gradient, std::int64_t count,
                          const FakeReader& reader, const FakeGrid& grid) {
  return HWY_DYNAMIC_DISPATCH(step_floats)(stored, gradient, count, reader, grid);
}

double read_step_gradient(const float* stored, const Bfloat16Bits* gradient, std::int64_t count,
                          const FakeReader& reader, const FakeGrid& grid) {
  return HWY_DYNAMIC_DISPATCH(step_halves)(stored, gradient, count, reader, grid);
}

double end_step_gradient(const float* x, const float* gradient, std::int64_t count,
                         const FakeGrid& grid) {
  return HWY_DYNAMIC_DISPATCH(end_floats)(x, gradient, count, grid);
}

double end_step_gradient(const float* x, const Bfloat16Bits* gradient, std::int64_t count,
                         const FakeGrid& grid) {
  return HWY_DYNAMIC_DISPATCH(end_halves)(x, gradient, count, grid);
}

void sum_integers(const float* stored, std::int64_t pixels, std::int64_t channels,
                  float inverse_scale, std::int64_t* sums) {
  HWY_DYNAMIC_DISPATCH(sum_all)(stored, pixels, channels, inverse_scale, sums);
}

}  // namespace abacus::kernels
#endif  // HWY_ONCE
