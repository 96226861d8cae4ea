#include "sw/quant/simulate/comparison.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "sw/network/reference_executor.hpp"
#include "sw/quant/quantize.hpp"
#include "sw/train/batches.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

constexpr network::Shape image_shape{1, 12, 12};

class ComparisonTest : public ::testing::Test {
 protected:
  ComparisonTest() {
    network::Normalization normalization;
    normalization.mean = {0.4F};
    normalization.deviation = {0.3F};
    const train::Batch batch =
        train::make_batch(images_, normalization, std::int64_t{0}, images_.count());
    checkpoint_ = test::random_checkpoint("lenet", network::Arithmetic::adder, image_shape,
                                          images_.classes, batch.images, 17);
    options_.scheme = "adderquant-ptq";
    options_.calibration_images = 96;
    options_.batch_norm_images = 96;
  }

  Comparison compared(int bits, network::IntegerNetwork* network = nullptr) {
    options_.weight_bits = options_.activation_bits = bits;
    Comparison comparison;
    const network::IntegerNetwork made =
        quantize(checkpoint_, images_, nullptr, complete(options_), {}, &images_, &comparison);
    if (network != nullptr) *network = made;
    return comparison;
  }

  network::Dataset images_ = test::synthetic_dataset(96, 3, image_shape);
  network::Checkpoint checkpoint_;
  QuantizationOptions options_;
};

// The integers by the reference executor, the probabilities by hand.
TEST_F(ComparisonTest, IsThatOfTheIntegerNetworksScores) {
  network::IntegerNetwork network;
  const Comparison found = compared(4, &network);
  train::FloatNetwork float_network(checkpoint_.network, checkpoint_.tensors);
  float_network.set_batch_norm_mode(train::BatchNormMode::inference);
  torch::NoGradGuard no_gradient;
  const auto classes = static_cast<std::size_t>(images_.classes);
  double divergence = 0;
  int agreeing = 0;
  for (std::int64_t n = 0; n < images_.count(); ++n) {
    const torch::Tensor scores =
        float_network.forward(train::make_batch(images_, checkpoint_.normalization, n, 1).images);
    const network::ReferenceResult result = network::execute_reference(
        network, network::quantize_image(network, images_.image_data(n)), {32, 16}, {32, 16});
    std::vector<double> p(classes), q(classes);
    double p_sum = 0, q_sum = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      p_sum += p[c] = std::exp(static_cast<double>(scores.data_ptr<float>()[c]));
      q_sum += q[c] = std::exp(network.layers.back().output.scale * result.outputs.back()[c]);
    }
    for (std::size_t c = 0; c < classes; ++c) {
      divergence += p[c] / p_sum * std::log((p[c] / p_sum) / (q[c] / q_sum));
    }
    const auto largest = [](const std::vector<double>& values) {
      return std::max_element(values.begin(), values.end()) - values.begin();
    };
    agreeing += largest(p) == largest(q) ? 1 : 0;
  }
  EXPECT_EQ(found.images, images_.count());
  EXPECT_NEAR(found.divergence, divergence / static_cast<double>(images_.count()),
              1e-4 * (1 + found.divergence));
  EXPECT_NEAR(found.agreement_percent, 100.0 * agreeing / static_cast<double>(images_.count()),
              1e-9);
}

TEST_F(ComparisonTest, FindsMoreDifferenceAtFewerBits) {
  EXPECT_GT(compared(2).divergence, compared(8).divergence);
}

TEST_F(ComparisonTest, TakesImagesOfOtherClassesButNotOfAnotherShape) {
  options_.weight_bits = options_.activation_bits = 8;
  network::Dataset other = test::synthetic_dataset(20, 4, image_shape);
  other.classes = 100;
  Comparison comparison;
  quantize(checkpoint_, images_, nullptr, complete(options_), {}, &other, &comparison);
  EXPECT_EQ(comparison.images, 20);
  const network::Dataset small = test::synthetic_dataset(20, 4, {1, 8, 8});
  EXPECT_THROW(quantize(checkpoint_, images_, nullptr, complete(options_), {}, &small, &comparison),
               std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
