#include "sw/quant/fake_quantization_kernels.hpp"

#include <algorithm>
#include <cstddef>

// Highway compiles this file once for each of these: AVX-512, AVX2, and the compiler's baseline.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sw/quant/fake_quantization_kernels.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace abacus {
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

void read_all(const float* stored, float* to, std::int64_t count, const FakeReader& with,
              const FakeGrid& onto) {
  const Grid grid(onto);
  const Reader reader(with);
  for_each_vector(count, [&](std::int64_t i, std::int64_t lanes) {
    store(hn::Mul(reader.operand(load(stored + i, lanes), grid), grid.step), to + i, lanes);
  });
}

void mask_all(const float* x, const float* gradient, float* to, std::int64_t count,
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
template <typename Derivative>
double gradient_sum(const float* x, const float* gradient, std::int64_t count,
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

double step_gradient(const float* stored, const float* gradient, std::int64_t count,
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

double end_gradient(const float* x, const float* gradient, std::int64_t count, const FakeGrid& of) {
  const Grid grid(of);
  return gradient_sum(x, gradient, count, [&](Vector value) {
    const Vector v = hn::Mul(value, grid.inverse);
    const Vector end = grid.clamp(v);
    return hn::IfThenElse(hn::Eq(v, end), hn::Zero(Floats()), end);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace abacus
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace abacus {

HWY_EXPORT(round_all);
HWY_EXPORT(read_all);
HWY_EXPORT(mask_all);
HWY_EXPORT(step_gradient);
HWY_EXPORT(end_gradient);

void round_to_grid(const float* from, float* to, std::int64_t count, const FakeGrid& grid) {
  HWY_DYNAMIC_DISPATCH(round_all)(from, to, count, grid);
}

void read_to_grid(const float* stored, float* to, std::int64_t count, const FakeReader& reader,
                  const FakeGrid& grid) {
  HWY_DYNAMIC_DISPATCH(read_all)(stored, to, count, reader, grid);
}

void mask_gradient(const float* x, const float* gradient, float* to, std::int64_t count,
                   const FakeGrid& grid) {
  HWY_DYNAMIC_DISPATCH(mask_all)(x, gradient, to, count, grid);
}

double read_step_gradient(const float* stored, const float* gradient, std::int64_t count,
                          const FakeReader& reader, const FakeGrid& grid) {
  return HWY_DYNAMIC_DISPATCH(step_gradient)(stored, gradient, count, reader, grid);
}

double end_step_gradient(const float* x, const float* gradient, std::int64_t count,
                         const FakeGrid& grid) {
  return HWY_DYNAMIC_DISPATCH(end_gradient)(x, gradient, count, grid);
}

}  // namespace abacus
#endif  // HWY_ONCE
