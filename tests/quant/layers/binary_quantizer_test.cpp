#include "sw/quant/layers/binary_quantizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "sw/network/reference_executor.hpp"
#include "sw/quant/quantize.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/modules.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(BinaryQuantizer, TakesSignsAndMeanMagnitudes) {
  const QuantizedConvolution layer =
      quantize_binary_layer({0.5F, -0.5F, 0.0F, -2.0F, -0.0F, 1.0F}, {}, 2);
  EXPECT_THAT(layer.weights, ElementsAre(1, -1, 1, -1, 1, 1));
  EXPECT_EQ(layer.weight_bits, 1);
  EXPECT_EQ(layer.activation_bits, 1);
  EXPECT_TRUE(layer.weight_signed && layer.activation_signed);
  EXPECT_THAT(layer.accumulator_step, ElementsAre(DoubleNear(1.0 / 3, 1e-12), 1.0));
  EXPECT_THAT(layer.offset, Each(0.0));
  EXPECT_THAT(quantize_binary_layer({1, 1}, {0.5F, -3}, 2).offset, ElementsAre(0.5, -3.0));
  EXPECT_GT(quantize_binary_layer({0, 0}, {}, 1).accumulator_step[0], 0);
}

TEST(BinaryQuantizer, RefusesCountsThatDoNotFit) {
  EXPECT_THROW(quantize_binary_layer({1, 1, 1}, {}, 2), std::invalid_argument);
  EXPECT_THROW(quantize_binary_layer({}, {}, 2), std::invalid_argument);
  EXPECT_THROW(quantize_binary_layer({1, 1}, {1}, 2), std::invalid_argument);
}

constexpr network::Shape image_shape{1, 12, 12};

struct Made {
  network::Dataset images = test::synthetic_dataset(96, 3, image_shape);
  network::Checkpoint checkpoint;

  explicit Made(const std::string& name) {
    network::Normalization normalization;
    normalization.mean = {0.4F};
    normalization.deviation = {0.3F};
    const train::Batch batch =
        train::make_batch(images, normalization, std::int64_t{0}, images.count());
    checkpoint = test::random_checkpoint(name, network::Arithmetic::bnn, image_shape,
                                         images.classes, batch.images, 17);
    // Some of BatchNorm's weights are negative: their channels' multipliers must be.
    for (auto& [tensor, values] : checkpoint.tensors) {
      if (tensor.find("bn2.weight") == std::string::npos) continue;
      std::vector<float> changed = values.values<float>();
      for (std::size_t i = 0; i < changed.size(); i += 3) changed[i] = -changed[i];
      values = network::Tensor::from(changed, values.shape);
    }
  }

  QuantizationOptions options() const {
    QuantizationOptions result;
    result.scheme = "bnn";
    result.weight_bits = result.activation_bits = 1;
    result.calibration_images = 96;
    result.batch_norm = BatchNormEstimation::kept;
    return result;
  }
  std::vector<std::int32_t> scores(const network::IntegerNetwork& network, int image) const {
    return network::execute_reference(network,
                                      network::quantize_image(network, images.image_data(image)),
                                      {24, 16}, {24, 4})
        .outputs.back();
  }
};

TEST(QuantizeBinary, GivesOneBitBetweenTheEdges) {
  const Made made("resnet20");
  const network::IntegerNetwork network =
      quantize(made.checkpoint, made.images, nullptr, complete(made.options()), {});
  EXPECT_EQ(network.origin.scheme, "bnn");
  EXPECT_EQ(network.origin.arithmetic, network::Arithmetic::bnn);
  int binary = 0;
  int residuals = 0;
  bool negative = false;
  for (const network::IntegerLayer& layer : network.layers) {
    EXPECT_FALSE(layer.relu) << layer.name;
    EXPECT_TRUE(layer.output.is_signed) << layer.name;
    if (layer.kind != network::IntegerLayerKind::convolution || layer.edge) continue;
    ++binary;
    residuals += layer.residual != network::no_tensor ? 1 : 0;
    EXPECT_EQ(layer.arithmetic, network::Arithmetic::bnn);
    EXPECT_EQ(layer.weight_bits, 1);
    EXPECT_EQ(layer.activation_bits, 1);
    EXPECT_THAT(layer.weights, Each(::testing::AnyOf(-1, 1)));
    for (const std::int32_t multiplier : layer.multipliers) negative |= multiplier < 0;
  }
  EXPECT_EQ(binary, 20);
  EXPECT_EQ(residuals, 18);  // each 3×3 convolution takes its own addition in
  EXPECT_TRUE(negative);
}

// Each sign that the edges' rounding flips, an untrained network hands on amplified: the deeper, the
// less like the float network's its scores.
TEST(QuantizeBinary, KeepsTheScoresWithWideStorageAndMeasuresTheIntegersAccuracy) {
  using Least = std::pair<const char*, double>;
  for (const auto& [name, least] : {Least{"lenet", 0.9}, {"vgg-small", 0.8}, {"resnet20", 0.5}}) {
    const Made made(name);
    QuantizationOptions options = made.options();
    options.storage_bits = 14;
    const network::IntegerNetwork network =
        quantize(made.checkpoint, made.images, &made.images, complete(options), {});
    train::FloatNetwork float_network(made.checkpoint.network, made.checkpoint.tensors);
    float_network.set_batch_norm_mode(train::BatchNormMode::inference);
    torch::NoGradGuard no_gradient;
    const std::int64_t count = made.images.count();
    const train::Batch batch =
        train::make_batch(made.images, made.checkpoint.normalization, std::int64_t{0}, count);
    const torch::Tensor wanted = float_network.forward(batch.images).to(torch::kFloat64);
    torch::Tensor found = torch::empty_like(wanted);
    int correct = 0;
    for (int n = 0; n < count; ++n) {
      const std::vector<std::int32_t> scores = made.scores(network, n);
      for (int c = 0; c < made.images.classes; ++c) {
        found[n][c] = scores[static_cast<std::size_t>(c)];
      }
      const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
      correct += best == made.images.labels[static_cast<std::size_t>(n)];
    }
    const torch::Tensor a = wanted - wanted.mean(), b = found - found.mean();
    EXPECT_GT(((a * b).sum() / (a.norm() * b.norm())).item<double>(), least) << name;
    EXPECT_DOUBLE_EQ(network.origin.fake_quantized_accuracy_percent,
                     100.0 * correct / static_cast<double>(count))
        << name;
  }
}

TEST(QuantizeBinary, RefusesOtherWidthsAndOtherNetworks) {
  const Made made("lenet");
  const auto error = [&](const QuantizationOptions& options) -> std::string {
    try {
      quantize(made.checkpoint, made.images, nullptr, complete(options), {});
    } catch (const std::invalid_argument& refusal) {
      return refusal.what();
    }
    return "accepted";
  };
  QuantizationOptions options = made.options();
  options.weight_bits = 2;
  EXPECT_THAT(error(options), HasSubstr("scheme bnn: --weight-bits is 2; allowed: 1"));
  options = made.options();
  options.activation_bits = 8;
  EXPECT_THAT(error(options), HasSubstr("scheme bnn: --activation-bits is 8; allowed: 1"));
  options = made.options();
  options.groups = 4;
  EXPECT_THAT(error(options),
              HasSubstr("scheme bnn does not take --groups; it takes the options of every scheme"));
  options = made.options();
  options.scheme = "uniform-ptq";
  options.weight_bits = options.activation_bits = 8;
  EXPECT_THAT(error(options), HasSubstr("arithmetic is bnn"));
}

}  // namespace
}  // namespace abacus::quant
