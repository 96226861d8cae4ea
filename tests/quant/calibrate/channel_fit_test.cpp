#include "sw/quant/calibrate/channel_fit.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace abacus::quant {
namespace {

TEST(ChannelFit, FindsAnAffineMapThatIsThere) {
  torch::manual_seed(3);
  const torch::Tensor x = torch::randn({20, 2, 4, 3}) * 50 + 10000;
  torch::Tensor t = torch::empty_like(x);
  t.select(1, 0).copy_(x.select(1, 0) * -0.02 + 3);
  t.select(1, 1).copy_(x.select(1, 1) * 0.5 - 7);
  ChannelFit fit(2);
  fit.add(x.slice(0, 0, 5), t.slice(0, 0, 5));
  fit.add(x.slice(0, 5, 20), t.slice(0, 5, 20));
  EXPECT_NEAR(fit.channel(0).gain, -0.02, 1e-5);
  EXPECT_NEAR(fit.channel(1).gain, 0.5, 1e-5);
  EXPECT_NEAR(fit.channel(0).input_mean, x.select(1, 0).mean().item<double>(), 1e-2);
  EXPECT_NEAR(fit.channel(0).target_mean, t.select(1, 0).mean().item<double>(), 1e-2);
  EXPECT_NEAR(fit.channel(1).input_variance,
              x.select(1, 1).to(torch::kFloat64).var(false).item<double>(), 1e-2);
  EXPECT_LT(fit.residual(), 1e-2);
}

TEST(ChannelFit, LeavesTheLeastResidual) {
  torch::manual_seed(4);
  const torch::Tensor x = torch::randn({8, 1, 5, 5}), t = x * 2 + torch::randn({8, 1, 5, 5});
  ChannelFit fit(1);
  fit.add(x, t);
  const AffineFit found = fit.channel(0);
  const auto squares = [&](double gain, double offset) {
    return (((x - found.input_mean) * gain + found.target_mean + offset - t)
                .to(torch::kFloat64)
                .square()
                .sum())
        .item<double>();
  };
  EXPECT_NEAR(squares(found.gain, 0), fit.residual(), 1e-3);
  EXPECT_GT(squares(found.gain * 1.02, 0), fit.residual());
  EXPECT_GT(squares(found.gain * 0.98, 0), fit.residual());
  EXPECT_GT(squares(found.gain, 0.05), fit.residual());
  const torch::Tensor flat_x = x.flatten(), flat_t = t.flatten();
  const AffineFit line =
      fit_line({flat_x.data_ptr<float>(), flat_x.data_ptr<float>() + flat_x.numel()},
               {flat_t.data_ptr<float>(), flat_t.data_ptr<float>() + flat_t.numel()});
  EXPECT_NEAR(line.gain, found.gain, 1e-6);
  EXPECT_NEAR(line.input_mean, found.input_mean, 1e-6);
  EXPECT_NEAR(line.target_mean, found.target_mean, 1e-6);
  EXPECT_NEAR(line.residual, found.residual, 1e-3);
}

TEST(ChannelFit, BelowZeroAllIsAcceptableToAReLU) {
  EXPECT_EQ(acceptable(3, 0, -2), 3);
  EXPECT_EQ(acceptable(-3, 0, -2), -2);  // the value's own negative is as good
  EXPECT_EQ(acceptable(-3, 0, 5), 0);    // the nearest that the ReLU makes 0 of
  EXPECT_EQ(acceptable(-3, -1, 5), -1);
}

TEST(ChannelFit, HasNoGainForAnInputThatDoesNotVary) {
  ChannelFit fit(1);
  fit.add(torch::full({3, 1, 2, 2}, 77.0F), torch::randn({3, 1, 2, 2}));
  EXPECT_EQ(fit.channel(0).gain, 0);
  EXPECT_NEAR(fit.channel(0).input_mean, 77, 1e-9);
}

TEST(ChannelFit, RefusesDifferentShapes) {
  ChannelFit fit(2);
  EXPECT_THROW(fit.add(torch::zeros({3, 2, 2, 2}), torch::zeros({3, 2, 2, 1})),
               std::invalid_argument);
  EXPECT_THROW(fit.add(torch::zeros({3, 1, 2, 2}), torch::zeros({3, 1, 2, 2})),
               std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
