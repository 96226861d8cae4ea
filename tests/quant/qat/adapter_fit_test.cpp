#include "sw/quant/qat/adapter_fit.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "sw/quant/activations/step_ladder.hpp"
#include "sw/quant/calibrate/make_plan.hpp"
#include "sw/quant/fake/fake_quantization.hpp"
#include "sw/quant/fake/quantizer_functions.hpp"
#include "sw/quant/plan/adapter_arithmetic.hpp"
#include "sw/quant/qat/qat_quantizers.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/trainer.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

// Images whose best β is `best` of their channel means over `size`, all of which are below `size`; the
// error grows with the square of the octaves.
template <typename Best>
AdapterSamples samples(int channels, int images, std::uint64_t seed, double size,
                       const Best& best) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> mean(0, 1);
  AdapterSamples made;
  made.channels = channels;
  for (int n = 0; n < images; ++n) {
    std::vector<double> means;
    for (int c = 0; c < channels; ++c) means.push_back(mean(random));
    const double octaves = std::log2(best(means));
    for (const double one : means) made.means.push_back(size * one);
    for (std::size_t i = 0; i < tried_step_count; ++i) {
      made.errors.push_back(0.01 + std::pow(std::log2(tried_factor(i)) - octaves, 2));
    }
  }
  return made;
}

// Of two channels, however many there are.
double falls(const std::vector<double>& means) {
  return 1.6 - 1.1 * means[0] + 0.2 * means[means.size() - 1];
}

TEST(AdapterFit, LearnsTheBestFactorFromTheMeans) {
  for (const int channels : {3, 16, 64, 256}) {  // of 3 there is no hidden layer
    for (const double size : {0.02, 1.0, 50.0}) {
      SCOPED_TRACE(std::to_string(channels) + " channels, means up to " + std::to_string(size));
      const AdapterParameters start = initial_adapter(channels, 7);
      const AdapterSamples shown = samples(channels, 600, 1, size, falls);
      const AdapterParameters fitted = fitted_adapter(start, shown);
      EXPECT_EQ(fitted.channels, channels);
      ASSERT_EQ(fitted.parameters.size(), start.parameters.size());
      // 0.01 is what the best β would leave; of images that the fit has not seen.
      const AdapterSamples others = samples(channels, 300, 2, size, falls);
      EXPECT_GT(mean_error(start, others), 0.15);
      EXPECT_LT(mean_error(fitted, shown), 0.02);
      EXPECT_LT(mean_error(fitted, others), channels < 256 ? 0.02 : 0.04);
    }
  }
}

TEST(AdapterFit, MeanErrorIsThatOfTheFactorsBetweenTheStepsTried) {
  AdapterParameters adapter = initial_adapter(2, 1);
  adapter.parameters = {0.5, 0, 1};  // β = 1 + m₀/2
  AdapterSamples two;
  two.channels = 2;
  two.means = {2, 9, 0, 9};  // β: 2 and 1
  for (int n = 0; n < 2; ++n) {
    for (std::size_t i = 0; i < tried_step_count; ++i) {
      two.errors.push_back(static_cast<double>(i) * (n + 1));
    }
  }
  const double at_one = 4 * 16, at_two = 5 * 16;  // places on the ladder
  EXPECT_NEAR(mean_error(adapter, two), (at_two + 2 * at_one) / 2, 1e-9);
  adapter.parameters = {0, 0, std::exp2(1.0 / 32)};
  EXPECT_NEAR(mean_error(adapter, two), 1.5 * (at_one + 0.5), 1e-9);
}

TEST(AdapterFit, ReachesTheEndsOfWhatAFactorCanBe) {
  for (const double best : {AdapterParameters::smallest, AdapterParameters::largest}) {
    const auto same = [&](const std::vector<double>&) { return best; };
    const AdapterSamples shown = samples(4, 50, 1, 1, same);
    const AdapterParameters fitted = fitted_adapter(initial_adapter(4, 1), shown);
    const double means[] = {0.5, 0.5, 0.5, 0.5};
    EXPECT_NEAR(std::log2(step_factor(fitted, means)), std::log2(best), 0.35) << best;
  }
}

// Every hidden unit is dead on every image at first.
TEST(AdapterFit, WakesDeadUnits) {
  AdapterParameters start = initial_adapter(16, 1);
  for (std::size_t i = 0; i < 4 * 17; ++i) start.parameters[i] = -std::abs(start.parameters[i]);
  const AdapterSamples shown = samples(16, 400, 3, 1, falls);
  EXPECT_LT(mean_error(fitted_adapter(start, shown), shown), 0.03);
}

TEST(AdapterFit, WithoutSamplesItIsTheStart) {
  const AdapterParameters start = initial_adapter(8, 1);
  EXPECT_EQ(fitted_adapter(start, {}).parameters, start.parameters);
}

TEST(AdapterFit, RefusesSamplesOfAnotherNumberOfChannels) {
  try {
    fitted_adapter(initial_adapter(8, 1), samples(4, 5, 1, 1, falls));
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "an adapter of 8 channels was to be fitted to samples of 4");
  }
}

TEST(AdapterFit, RefusesErrorsOfOtherSteps) {
  AdapterSamples few = samples(4, 5, 1, 1, falls);
  few.errors.pop_back();
  try {
    fitted_adapter(initial_adapter(4, 1), few);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "samples of 5 images have 564 errors; expected 565");
  }
}

TEST(StepLadder, ErrorsAreThoseOfTheDefinition) {
  const std::vector<std::int64_t> counts = {2, 0, 1, 4};  // −1 twice, 1 once, 2 four times
  const std::vector<double> errors = errors_of_tried_steps(counts, -1, 0.5, -2, 1);
  ASSERT_EQ(errors.size(), tried_step_count);
  EXPECT_DOUBLE_EQ(tried_factor(64), 1);
  EXPECT_DOUBLE_EQ(tried_factor(0), AdapterParameters::smallest);
  EXPECT_DOUBLE_EQ(tried_factor(tried_step_count - 1), AdapterParameters::largest);
  // Step 1/2: −1, ½ and ½; step 2: −2 or 0, 0 or 2, 2; step 4: 0, 0, 0 or 4.
  EXPECT_DOUBLE_EQ(errors[64], 0.25 + 4 * 2.25);
  EXPECT_DOUBLE_EQ(errors[64 + 32], 2 + 1);
  EXPECT_DOUBLE_EQ(errors[64 + 48], 2 + 1 + 4 * 4);
}

TEST(StepLadder, ErrorsOfRandomTensorsAreThoseOfEachElement) {
  std::mt19937_64 random(5);
  for (const auto& [first, bins, lowest, highest] :
       {std::array<int, 4>{0, 256, 0, 3}, {0, 256, 0, 255}, {-128, 256, -8, 7}, {0, 4096, 0, 15}}) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(bins), 0);
    for (int i = 0; i < 300; ++i) ++counts[random() % counts.size() * (random() % 2)];
    const double step = 0.3 + static_cast<double>(random() % 1000) / 50;
    const std::vector<double> errors = errors_of_tried_steps(counts, first, step, lowest, highest);
    for (std::size_t i = 0; i < tried_step_count; ++i) {
      const double tried = step * tried_factor(i);
      double wanted = 0, squares = 0;
      for (int bin = 0; bin < bins; ++bin) {
        const double v = first + bin,
                     count = static_cast<double>(counts[static_cast<std::size_t>(bin)]);
        const double level =
            std::min<double>(highest, std::max<double>(lowest, std::round(v / tried)));
        wanted += count * (v - level * tried) * (v - level * tried);
        squares += count * v * v;
      }
      EXPECT_NEAR(errors[i], wanted, 1e-9 * squares) << first << " " << bins << " " << i;
    }
  }
}

TEST(StepLadder, OfEqualErrorsTheOneNearestToOneIsTaken) {
  std::vector<double> errors(tried_step_count, 0);
  EXPECT_EQ(least_error(errors), 64U);
  errors[64] = errors[65] = 1;
  EXPECT_EQ(least_error(errors), 63U);
  errors[63] = 2;
  errors[62] = 3;
  EXPECT_EQ(least_error(errors), 66U);
}

// Of a network's own tensors, on images that the fit has not seen, with the integers' β.
TEST(AdapterFit, LowersTheErrorOfOtherImages) {
  train::prepare_torch(1);
  const network::Dataset training = test::synthetic_dataset(120, 1);
  const network::Dataset others = test::synthetic_dataset(120, 2);
  const network::Normalization normalization = {{0.3F, 0, 0}, {0.3F, 1, 1}};
  const torch::Tensor images =
      train::make_batch(training, normalization, std::int64_t{0}, 120).images;
  network::Checkpoint checkpoint = test::random_checkpoint(
      "lenet", network::Arithmetic::cnn, training.image, training.classes, images, 5);
  checkpoint.normalization = normalization;
  QuantizationOptions asked;
  asked.scheme = "uniform-ptq";
  asked.weight_bits = asked.activation_bits = 3;
  const CompletedOptions options = complete(asked);
  const std::vector<network::FoldedLayer> folded = network::fold_graph(checkpoint.network);
  train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
  const CalibrationData data{training, normalization, {}, 1};
  const std::vector<TensorStatistics> statistics =
      calibrate(network, folded, data, 120, calibration_alpha(options), {});
  QuantizationPlan plan = make_plan(checkpoint, folded, statistics, options);
  set_quantizers(plan, checkpoint, folded, std::vector<double>(folded.size(), 0.3),
                 {WeightQuantizer::lsq, ActivationQuantizer::asq, 0, StepStart::mse}, 1);
  // Mean over the other images of their relative squared error.
  const auto error = [&](const QuantizationPlan& of, std::size_t layer) {
    double sum = 0;
    train::ForwardHooks hooks;
    hooks.after = [&](int at, torch::Tensor& output) {
      if (at != folded[static_cast<std::size_t>(folded[layer].input)].output) return;
      const ConvolutionPlan& convolution = of.convolutions[layer];
      const network::StoredTensor& tensor =
          of.outputs[static_cast<std::size_t>(folded[layer].input)];
      const torch::Tensor stored =
          fake_quantize(output, tensor.scale,
                        {static_cast<int>(tensor.lowest()), static_cast<int>(tensor.highest())});
      const torch::Tensor values = stored.to(torch::kFloat64);
      const std::vector<int> factors = integer_step_factors(
          integer_adapter(convolution.adapter, tensor), channel_sums(stored, tensor.scale));
      for (std::int64_t n = 0; n < values.size(0); ++n) {
        const double step =
            convolution.activation_step *
            std::ldexp(factors[static_cast<std::size_t>(n)], -network::step_factor_bits);
        const torch::Tensor back = (values[n] / step).round().clamp(0, 7) * step;
        sum += (values[n] - back).square().sum().item<double>() /
               values[n].square().sum().item<double>();
      }
    };
    torch::NoGradGuard no_gradient;
    network.set_batch_norm_mode(train::BatchNormMode::inference);
    network.forward(train::make_batch(others, normalization, std::int64_t{0}, 120).images, hooks);
    return sum / 120;
  };
  QuantizationPlan fitted = plan;
  std::int64_t seen = 0;
  const AdapterFit fit =
      fit_adapters(fitted, network, folded, data, 120, [&](std::int64_t done) { seen = done; });
  EXPECT_EQ(seen, 120);
  EXPECT_LT(fit.after, fit.before);
  EXPECT_GT(fit.after, 0);
  int adapters = 0;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (plan.convolutions[i].adapter.channels == 0) {
      EXPECT_TRUE(fitted.convolutions[i].adapter.parameters.empty());
      continue;
    }
    ++adapters;
    EXPECT_EQ(fitted.convolutions[i].activation_step, plan.convolutions[i].activation_step);
    EXPECT_LT(error(fitted, i), error(plan, i)) << folded[i].name;
  }
  EXPECT_GE(adapters, 1);
  EXPECT_EQ(fit.adapters, adapters);
}

}  // namespace
}  // namespace abacus::quant
