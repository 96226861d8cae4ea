#include "sw/kernels/adder_maxima_kernels.hpp"

#include "sw/kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sw/kernels/adder_maxima_kernels.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace abacus::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Narrow = hn::ScalableTag<std::int16_t>;
#if HWY_TARGET != HWY_SCALAR
using Wide = hn::RepartitionToWide<Narrow>;
#endif

HWY_INLINE void widen(hn::Vec<Narrow> sum, std::int32_t* to) {
#if HWY_TARGET == HWY_SCALAR
  *to += hn::GetLane(sum);
#else
  const Narrow narrow;
  const Wide wide;
  const hn::Half<Narrow> half;
  const auto low = hn::PromoteTo(wide, hn::LowerHalf(half, sum));
  const auto high = hn::PromoteTo(wide, hn::UpperHalf(half, sum));
  std::int32_t* const upper = to + hn::Lanes(narrow) / 2;
  hn::StoreU(hn::Add(hn::LoadU(wide, to), low), wide, to);
  hn::StoreU(hn::Add(hn::LoadU(wide, upper), high), wide, upper);
#endif
}

// Adds Σ max(a, w) to `maxima` for C output channels and two vectors of positions.
template <int C>
HWY_NOINLINE void add_maxima_of(const MaximaShape& g, const std::int16_t* planes,
                                const std::int16_t* weights, std::int32_t* maxima,
                                std::size_t maxima_stride) {
  const Narrow d;
  const std::size_t lanes = hn::Lanes(d);
  const int area = g.kernel * g.kernel;
  const std::size_t channel_weights = static_cast<std::size_t>(g.input_channels) * area;
  using V = hn::Vec<Narrow>;
  V first[C], second[C];
  for (int c = 0; c < C; ++c) first[c] = second[c] = hn::Zero(d);
  int taps = 0;
  for (int i = 0; i < g.input_channels; ++i) {
    for (int tap = 0; tap < area; ++tap) {
      const int ky = tap / g.kernel, kx = tap % g.kernel;
      const std::int16_t* a = planes + i * g.channel +
                              ((ky % g.stride) * g.stride + kx % g.stride) * g.phase +
                              (ky / g.stride) * g.row + kx / g.stride;
      const V a0 = hn::LoadU(d, a), a1 = hn::LoadU(d, a + lanes);
      const std::int16_t* w = weights + static_cast<std::size_t>(i) * area + tap;
      HWY_UNROLL(4)
      for (int c = 0; c < C; ++c) {
        const V wv = hn::Set(d, w[c * channel_weights]);
        first[c] = hn::Add(first[c], hn::Max(a0, wv));
        second[c] = hn::Add(second[c], hn::Max(a1, wv));
      }
      if (++taps == g.taps_between_widenings) {
        taps = 0;
        for (int c = 0; c < C; ++c) {
          widen(first[c], maxima + c * maxima_stride);
          widen(second[c], maxima + c * maxima_stride + lanes);
          first[c] = second[c] = hn::Zero(d);
        }
      }
    }
  }
  for (int c = 0; c < C; ++c) {
    widen(first[c], maxima + c * maxima_stride);
    widen(second[c], maxima + c * maxima_stride + lanes);
  }
}

void add_all_maxima(const MaximaShape& g, int channels, const std::int16_t* planes,
                    const std::int16_t* weights, std::int32_t* maxima, std::size_t stride) {
  const int step = 2 * static_cast<int>(hn::Lanes(Narrow()));
  for (int p = 0; p < g.positions; p += step) {
    switch (channels) {
      case 1:
        add_maxima_of<1>(g, planes + p, weights, maxima + p, stride);
        break;
      case 2:
        add_maxima_of<2>(g, planes + p, weights, maxima + p, stride);
        break;
      case 3:
        add_maxima_of<3>(g, planes + p, weights, maxima + p, stride);
        break;
      default:
        add_maxima_of<4>(g, planes + p, weights, maxima + p, stride);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace abacus::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace abacus::kernels {

HWY_EXPORT(add_all_maxima);

void add_maxima(const MaximaShape& shape, int channels, const std::int16_t* planes,
                const std::int16_t* weights, std::int32_t* maxima, std::size_t stride) {
  HWY_DYNAMIC_DISPATCH(add_all_maxima)(shape, channels, planes, weights, maxima, stride);
}

}  // namespace abacus::kernels
#endif  // HWY_ONCE
