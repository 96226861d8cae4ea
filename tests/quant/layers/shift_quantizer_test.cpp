#include "sw/quant/layers/shift_quantizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "sw/network/reference_executor.hpp"
#include "sw/quant/quantize.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/shift_functions.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

struct Made {
  network::Dataset images = test::synthetic_dataset(96, 3, {1, 12, 12});
  network::Checkpoint checkpoint;

  explicit Made(network::Arithmetic arithmetic, const std::string& name = "lenet") {
    const network::Normalization normalization = {{0.4F, 0, 0}, {0.3F, 1, 1}};
    const train::Batch batch =
        train::make_batch(images, normalization, std::int64_t{0}, images.count());
    checkpoint =
        test::random_checkpoint(name, arithmetic, images.image, images.classes, batch.images, 17);
    checkpoint.normalization = normalization;
  }

  network::IntegerNetwork quantized(int weight_bits, int activation_bits,
                                    bool evaluated = false) const {
    QuantizationOptions options;
    options.scheme =
        checkpoint.network.arithmetic == network::Arithmetic::shift ? "shift" : "shiftaddnet";
    options.weight_bits = weight_bits;
    options.activation_bits = activation_bits;
    options.calibration_images = 96;
    options.batch_norm_images = 96;
    return quantize(checkpoint, images, evaluated ? &images : nullptr, complete(options), {});
  }
};

TEST(ShiftQuantizer, WeightsAreThoseOfTheTraining) {
  Made made(network::Arithmetic::shiftaddnet);
  // Halves, which round to even.
  for (auto& [name, tensor] : made.checkpoint.tensors) {
    if (name.find(".exponent") == std::string::npos && name.find(".sign") == std::string::npos) {
      continue;
    }
    std::vector<float> values = tensor.values<float>();
    for (std::size_t i = 0; i < values.size(); i += 3) {
      values[i] = std::floor(values[i]) + 0.5F;
    }
    tensor = network::Tensor::from(values, tensor.shape);
  }
  train::FloatNetwork network(made.checkpoint.network, made.checkpoint.tensors);
  int layers = 0;
  for (const network::Layer& layer : made.checkpoint.network.layers) {
    if (!layer.computes(network::Arithmetic::shift)) continue;
    ++layers;
    const std::vector<float> found = shift_weights(made.checkpoint, layer);
    const torch::Tensor expected = train::shift_weight(network.parameter(layer.name + ".exponent"),
                                                       network.parameter(layer.name + ".sign"));
    EXPECT_TRUE(torch::tensor(found).view(expected.sizes()).equal(expected)) << layer.name;
    // Five bits hold every one of them.
    const QuantizedWeights codes =
        quantize_weights(shift_plan(layer, 8), found, layer.output.channels);
    EXPECT_EQ(codes.bits, 5);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(codes.code.value(codes.stored[i]), static_cast<double>(found[i]));
    }
  }
  EXPECT_EQ(layers, 2);
}

TEST(ShiftQuantizer, FewerBitsGoToTheNearestCode) {
  const network::Layer layer = [] {
    network::Layer made;
    made.output.channels = 1;
    return made;
  }();
  const std::vector<float> weights = {1, -0.5F, 0.25F, -0.125F, 0.0625F, 0};
  const QuantizedWeights codes = quantize_weights(shift_plan(layer, 3), weights, 1);
  EXPECT_EQ(codes.stored, (std::vector<std::int16_t>{1, -2, 3, 0, 0, 0}));
}

// Packages have the reference executor's accuracy, exactly.
TEST(ShiftQuantizer, PackagesOfBothNetworksAreExact) {
  for (const network::Arithmetic arithmetic : std::vector<network::Arithmetic>{
           network::Arithmetic::shift, network::Arithmetic::shiftaddnet}) {
    for (const auto& [weight_bits, activation_bits] : {std::pair<int, int>{8, 8}, {4, 4}, {3, 5}}) {
      SCOPED_TRACE(network::to_string(arithmetic) + " " + std::to_string(weight_bits));
      const Made made(arithmetic, weight_bits == 4 ? "resnet20" : "lenet");
      const network::IntegerNetwork network = made.quantized(weight_bits, activation_bits, true);
      ASSERT_NO_THROW(network::validate(network, "package"));
      EXPECT_EQ(network.origin.arithmetic, arithmetic);
      int shifts = 0;
      for (const network::IntegerLayer& layer : network.layers) {
        if (layer.kind != network::IntegerLayerKind::convolution) continue;
        if (layer.arithmetic != network::Arithmetic::shift) continue;
        ++shifts;
        EXPECT_EQ(layer.weight_bits, std::min(weight_bits, 5));
        EXPECT_EQ(layer.levels, (1 << (layer.weight_bits - 1)) - 1);
      }
      EXPECT_GE(shifts, 2);
      if (weight_bits == 4) continue;  // the executor takes too long for a large network
      std::int64_t correct = 0;
      for (std::int64_t i = 0; i < made.images.count(); ++i) {
        const network::ReferenceResult result = network::execute_reference(
            network, network::quantize_image(network, made.images.image_data(i)), {32, 16},
            {32, 16});
        correct += result.predicted_class == made.images.labels[static_cast<std::size_t>(i)];
      }
      EXPECT_EQ(100.0 * static_cast<double>(correct) / static_cast<double>(made.images.count()),
                network.origin.fake_quantized_accuracy_percent);
    }
  }
}

// Ordinary networks whose weights become exponents: as exact, and their packages' arithmetic is that of
// the weights.
TEST(LevelSchemes, PackagesAreExact) {
  const Made made(network::Arithmetic::cnn);
  for (const auto& [scheme, arithmetic] :
       {std::pair<std::string, network::Arithmetic>{"pot", network::Arithmetic::shift},
        {"post", network::Arithmetic::post},
        {"apot", network::Arithmetic::apot}}) {
    for (const int bits : {2, 3, 4, 5}) {
      SCOPED_TRACE(scheme + " " + std::to_string(bits));
      QuantizationOptions options;
      options.scheme = scheme;
      options.weight_bits = bits;
      options.activation_bits = bits + 1;
      options.calibration_images = 96;
      options.batch_norm_images = 96;
      const network::IntegerNetwork network =
          quantize(made.checkpoint, made.images, &made.images, complete(options), {});
      ASSERT_NO_THROW(network::validate(network, "package"));
      EXPECT_EQ(network.origin.arithmetic, arithmetic);
      std::int64_t correct = 0;
      for (std::int64_t i = 0; i < made.images.count(); ++i) {
        const network::ReferenceResult result = network::execute_reference(
            network, network::quantize_image(network, made.images.image_data(i)), {32, 16},
            {32, 16});
        correct += result.predicted_class == made.images.labels[static_cast<std::size_t>(i)];
      }
      EXPECT_EQ(100.0 * static_cast<double>(correct) / static_cast<double>(made.images.count()),
                network.origin.fake_quantized_accuracy_percent);
    }
  }
}

TEST(ShiftQuantizer, EightBitsKeepTheScores) {
  const Made made(network::Arithmetic::shiftaddnet);
  const network::IntegerNetwork network = made.quantized(8, 8);
  train::FloatNetwork float_network(made.checkpoint.network, made.checkpoint.tensors);
  float_network.set_batch_norm_mode(train::BatchNormMode::inference);
  const train::Batch batch = train::make_batch(made.images, made.checkpoint.normalization,
                                               std::int64_t{0}, made.images.count());
  const torch::Tensor expected = float_network.forward(batch.images).argmax(1);
  int same = 0;
  for (std::int64_t i = 0; i < made.images.count(); ++i) {
    same += network::execute_reference(network,
                                       network::quantize_image(network, made.images.image_data(i)),
                                       {32, 16}, {32, 16})
                .predicted_class == expected[i].item<int>();
  }
  EXPECT_GE(same, 85);  // of 96
}

}  // namespace
}  // namespace abacus::quant
