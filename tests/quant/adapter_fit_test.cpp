#include "sw/quant/adapter_fit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "sw/quant/make_plan.hpp"
#include "sw/quant/qat_quantizers.hpp"
#include "sw/quant/step_ladder.hpp"
#include "sw/train/trainer.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus {
namespace {

// Images whose best β is `best` of their channel means; the error grows with the square of the octaves.
template <typename Best>
AdapterSamples samples(int channels, int images, std::uint64_t seed, const Best& best) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> mean(0, 1);
  AdapterSamples made;
  made.channels = channels;
  for (int n = 0; n < images; ++n) {
    const std::size_t first = made.means.size();
    for (int c = 0; c < channels; ++c) made.means.push_back(mean(random));
    const double octaves = std::log2(best(made.means.data() + first));
    for (std::size_t i = 0; i < tried_steps; ++i) {
      made.errors.push_back(0.01 + std::pow(std::log2(tried_factor(i)) - octaves, 2));
    }
  }
  return made;
}

double mean_octaves_away(const AdapterParameters& adapter, const AdapterSamples& of,
                         double (*best)(const double*)) {
  double sum = 0;
  for (std::size_t n = 0; n < of.images(); ++n) {
    const double* const means = of.means.data() + n * static_cast<std::size_t>(of.channels);
    sum += std::abs(std::log2(step_factor(adapter, means)) - std::log2(best(means)));
  }
  return sum / static_cast<double>(of.images());
}

double falls_with_the_first(const double* means) { return 1.6 - 1.1 * means[0] + 0.2 * means[2]; }

TEST(AdapterFit, LearnsTheBestFactorFromTheMeans) {
  for (const int channels : {3, 16, 40}) {  // without a hidden layer, with a small and a larger one
    for (const std::uint64_t seed : {1, 2, 3}) {
      SCOPED_TRACE(std::to_string(channels) + " channels, seed " + std::to_string(seed));
      const AdapterParameters start = initial_adapter(channels, seed);
      const AdapterParameters fitted =
          fitted_adapter(start, samples(channels, 600, seed, falls_with_the_first));
      const AdapterSamples others = samples(channels, 300, 100 + seed, falls_with_the_first);
      EXPECT_EQ(fitted.channels, channels);
      ASSERT_EQ(fitted.parameters.size(), start.parameters.size());
      EXPECT_GT(mean_octaves_away(start, others, falls_with_the_first), 0.3);
      EXPECT_LT(mean_octaves_away(fitted, others, falls_with_the_first), 0.05);
    }
  }
}

TEST(AdapterFit, ABestFactorBeyondTheLadderLeavesTheAdapterAtItsEnd) {
  const auto far = [](const double*) { return 100.0; };
  const AdapterParameters fitted = fitted_adapter(initial_adapter(4, 1), samples(4, 50, 1, far));
  const double means[] = {0.5, 0.5, 0.5, 0.5};
  EXPECT_GT(step_factor(fitted, means), 3.5);
  EXPECT_LE(step_factor(fitted, means), AdapterParameters::largest);
}

TEST(AdapterFit, WithoutSamplesItIsTheStart) {
  const AdapterParameters start = initial_adapter(8, 1);
  EXPECT_EQ(fitted_adapter(start, {}).parameters, start.parameters);
}

TEST(AdapterFit, RefusesSamplesOfAnotherNumberOfChannels) {
  try {
    fitted_adapter(initial_adapter(8, 1), samples(4, 5, 1, falls_with_the_first));
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "an adapter of 8 channels was to be fitted to samples of 4");
  }
}

TEST(StepLadder, ErrorsAreThoseOfTheDefinition) {
  const std::vector<std::int64_t> counts = {2, 0, 1, 4};  // −1 twice, 1 once, 2 four times
  const std::vector<double> errors = errors_of_tried_steps(counts, -1, 0.5, -2, 1);
  ASSERT_EQ(errors.size(), tried_steps);
  EXPECT_DOUBLE_EQ(tried_factor(64), 1);
  EXPECT_DOUBLE_EQ(tried_factor(0), 0.25);
  EXPECT_DOUBLE_EQ(tried_factor(tried_steps - 1), 4);
  // Step 1/2: −1, ½ and ½; step 2: 0 (halves go to even), 0, 2.
  EXPECT_DOUBLE_EQ(errors[64], 0.25 + 4 * 2.25);
  EXPECT_DOUBLE_EQ(errors[tried_steps - 1], 2 + 1);
}

// Of a network's own tensors, on images that the fit has not seen.
TEST(AdapterFit, LowersTheErrorOfOtherImages) {
  prepare_torch(1);
  const Dataset training = test::synthetic_dataset(120, 1);
  const Dataset others = test::synthetic_dataset(120, 2);
  const Normalization normalization = {{0.3F, 0, 0}, {0.3F, 1, 1}};
  const torch::Tensor images = make_batch(training, normalization, std::int64_t{0}, 120).images;
  Checkpoint checkpoint = test::random_checkpoint("lenet", Arithmetic::cnn, training.image,
                                                  training.classes, images, 5);
  checkpoint.normalization = normalization;
  QuantizationOptions options;
  options.scheme = QuantizationScheme::uniform_ptq;
  options.weight_bits = options.activation_bits = 3;
  options = with_defaults(options);
  const std::vector<FoldedLayer> folded = fold_graph(checkpoint.network);
  FloatNetwork network(checkpoint.network, checkpoint.tensors);
  const CalibrationData data{training, normalization, {}, 1};
  const std::vector<TensorStatistics> statistics =
      calibrate(network, folded, data, 120, calibration_alpha(options), {});
  QuantizationPlan plan = make_plan(checkpoint, folded, statistics, options);
  set_quantizers(plan, checkpoint, folded, std::vector<double>(folded.size(), 0.3),
                 {WeightQuantizer::lsq, ActivationQuantizer::asq, 0, StepStart::mse}, 1);
  // Mean over the other images of their relative squared error.
  const auto error = [&](const QuantizationPlan& of, std::size_t layer) {
    double sum = 0;
    ForwardHooks hooks;
    hooks.after = [&](int at, torch::Tensor& output) {
      if (at != folded[static_cast<std::size_t>(folded[layer].input)].output) return;
      const ConvolutionPlan& convolution = of.convolutions[layer];
      const torch::Tensor values = output.to(torch::kFloat64);
      const torch::Tensor means = values.mean({2, 3}).contiguous();
      for (std::int64_t n = 0; n < values.size(0); ++n) {
        const double step =
            convolution.activation_step *
            step_factor(convolution.adapter, means.data_ptr<double>() + n * means.size(1));
        const torch::Tensor back = (values[n] / step).round().clamp(0, 7) * step;
        sum += (values[n] - back).square().sum().item<double>() /
               values[n].square().sum().item<double>();
      }
    };
    torch::NoGradGuard no_gradient;
    network.set_batch_norm_mode(BatchNormMode::inference);
    network.forward(make_batch(others, normalization, std::int64_t{0}, 120).images, hooks);
    return sum / 120;
  };
  QuantizationPlan fitted = plan;
  std::int64_t seen = 0;
  fit_adapters(fitted, network, folded, data, 120, [&](std::int64_t done) { seen = done; });
  EXPECT_EQ(seen, 120);
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
}

}  // namespace
}  // namespace abacus
