#include "sw/quant/quantize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "sw/network/reference_executor.hpp"
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/modules.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/tlm/random_element.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr network::Shape image_shape{1, 12, 12};

struct Made {
  network::Dataset images = test::synthetic_dataset(96, 3, image_shape);
  network::Checkpoint checkpoint;

  Made(const std::string& name, network::Arithmetic arithmetic) {
    network::Normalization normalization;
    normalization.mean = {0.4F};
    normalization.deviation = {0.3F};
    const train::Batch batch =
        train::make_batch(images, normalization, std::int64_t{0}, images.count());
    checkpoint =
        test::random_checkpoint(name, arithmetic, image_shape, images.classes, batch.images, 17);
  }

  QuantizationOptions options(int weight_bits, int activation_bits) const {
    QuantizationOptions result;
    result.scheme = checkpoint.network.arithmetic == network::Arithmetic::adder ? "adderquant-ptq"
                                                                                : "uniform-ptq";
    result.weight_bits = weight_bits;
    result.activation_bits = activation_bits;
    result.calibration_images = 96;
    result.batch_norm_images = 192;
    return result;
  }

  network::IntegerNetwork quantized(const QuantizationOptions& with) const {
    return quantize(checkpoint, images, nullptr, complete(with), {});
  }

  // Correlation between the float network's scores of the first images and the integers'.
  double correlation(const network::IntegerNetwork& integer, int count) const {
    train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
    network.set_batch_norm_mode(train::BatchNormMode::inference);
    torch::NoGradGuard no_gradient;
    const train::Batch batch =
        train::make_batch(images, checkpoint.normalization, std::int64_t{0}, std::int64_t{count});
    const torch::Tensor wanted = network.forward(batch.images).to(torch::kFloat64);
    torch::Tensor found = torch::empty_like(wanted);
    for (int n = 0; n < count; ++n) {
      const network::ReferenceResult result = network::execute_reference(
          integer, network::quantize_image(integer, images.image_data(n)), {32, 16}, {32, 16});
      for (int c = 0; c < images.classes; ++c) {
        found[n][c] = result.outputs.back()[static_cast<std::size_t>(c)];
      }
    }
    const torch::Tensor a = wanted - wanted.mean(), b = found - found.mean();
    return ((a * b).sum() / (a.norm() * b.norm())).item<double>();
  }
};

TEST(Quantize, KeepsTheScoresAtEightBits) {
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn}) {
    for (const char* name : {"lenet", "resnet20", "vgg-small"}) {
      const Made made(name, arithmetic);
      QuantizationOptions options = made.options(8, 8);
      options.crop_padding = 0;
      EXPECT_GT(made.correlation(made.quantized(options), 12), 0.97)
          << name << ' ' << network::to_string(arithmetic);
    }
  }
}

TEST(Quantize, TakesAnyPairOfWidthsAndLosesMoreWithFewer) {
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn}) {
    const Made made("lenet", arithmetic);
    for (int weight_bits = 2; weight_bits <= 8; ++weight_bits) {
      for (int activation_bits = 2; activation_bits <= 8; activation_bits += 3) {
        EXPECT_NO_THROW(made.quantized(made.options(weight_bits, activation_bits)));
      }
    }
    const double two = made.correlation(made.quantized(made.options(2, 2)), 12);
    const double four = made.correlation(made.quantized(made.options(4, 4)), 12);
    const double eight = made.correlation(made.quantized(made.options(8, 8)), 12);
    EXPECT_LT(two, four);
    EXPECT_LT(four, eight);
  }
}

TEST(Quantize, KeepsTheEdgesAtEightBits) {
  const Made made("resnet20", network::Arithmetic::adder);
  const network::IntegerNetwork network = made.quantized(made.options(4, 3));
  int adders = 0;
  for (const network::IntegerLayer& layer : network.layers) {
    if (layer.kind != network::IntegerLayerKind::convolution) continue;
    EXPECT_EQ(layer.weight_bits, layer.edge ? 8 : 4) << layer.name;
    EXPECT_EQ(layer.activation_bits, layer.edge ? 8 : 3) << layer.name;
    EXPECT_EQ(layer.arithmetic, layer.edge ? network::Arithmetic::cnn : network::Arithmetic::adder)
        << layer.name;
    adders += layer.edge ? 0 : 1;
  }
  EXPECT_EQ(adders, 20);
  EXPECT_TRUE(network.layers.front().edge);
  EXPECT_TRUE(network.layers.back().edge);
  EXPECT_EQ(network.layers.back().output.bits, 16);
  EXPECT_EQ(network.origin.weight_bits, 4);
  EXPECT_EQ(network.origin.activation_bits, 3);
  EXPECT_EQ(network.origin.scheme, "adderquant-ptq");
}

TEST(Quantize, StoresTensorsAtTheirOwnWidth) {
  const Made made("resnet20", network::Arithmetic::cnn);
  for (const int bits : {4, 8, 12}) {
    QuantizationOptions options = made.options(4, 4);
    options.storage_bits = bits;
    const network::IntegerNetwork network = made.quantized(options);
    for (std::size_t i = 0; i + 1 < network.layers.size(); ++i) {
      EXPECT_EQ(network.layers[i].output.bits, bits);
    }
  }
}

TEST(Quantize, EachPartOfAdderQuantChangesTheNetwork) {
  const Made made("lenet", network::Arithmetic::adder);
  const QuantizationOptions all = made.options(4, 4);
  const auto weights = [](const network::IntegerNetwork& network) {
    return network.layers[2].weights;
  };
  const network::IntegerNetwork network = made.quantized(all);
  QuantizationOptions part = all;
  part.groups = 1;
  EXPECT_EQ(made.quantized(part).layers[2].read_quantizers.size(), 1U);
  part = all;
  part = all;
  part.activation_clamp = false;
  EXPECT_NE(weights(made.quantized(part)), weights(network));
  part = all;
  part.batch_norm = BatchNormEstimation::kept;
  const network::IntegerNetwork kept = made.quantized(part);
  EXPECT_EQ(weights(kept), weights(network));
  EXPECT_NE(kept.layers[2].biases, network.layers[2].biases);
  // On the very images of the float network's own statistics there would be nothing to correct by.
  part.crop_padding = 2;
  part.flip = true;
  part.batch_norm = BatchNormEstimation::estimated;
  const network::IntegerNetwork estimated = made.quantized(part);
  part.batch_norm = BatchNormEstimation::corrected;
  EXPECT_NE(made.quantized(part).layers[2].biases, estimated.layers[2].biases);
}

// The rows of the paper's Table 3, with the checkpoint's BatchNorms: estimated ones would take in the
// clamp's offset, a constant for each channel.
TEST(Quantize, EachRowOfTableThreeIsAnotherNetwork) {
  Made made("lenet", network::Arithmetic::adder);
  // Some channels within the activations' range, for the groups to tell apart.
  for (auto& [name, tensor] : made.checkpoint.tensors) {
    if (tensor.shape.size() != 4) continue;
    std::vector<float> values = tensor.values<float>();
    const std::size_t size = values.size() / static_cast<std::size_t>(tensor.shape[0]);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] *= 0.2F + 0.3F * static_cast<float>(i / size % 8);
    }
    tensor = network::Tensor::from(values, tensor.shape);
  }
  struct Row {
    bool groups, weight_clamp, activation_clamp;
  };
  const Row rows[] = {{false, false, false}, {true, false, false}, {false, true, false},
                      {false, false, true},  {true, true, false},  {true, true, true}};
  std::vector<network::IntegerNetwork> networks;
  for (const Row& row : rows) {
    QuantizationOptions options = made.options(4, 4);
    options.groups = row.groups ? 4 : 1;
    options.weight_clamp = row.weight_clamp;
    options.activation_clamp = row.activation_clamp;
    options.alpha = 0.9;
    options.batch_norm = BatchNormEstimation::kept;
    networks.push_back(made.quantized(options));
  }
  const auto same = [](const network::IntegerNetwork& a, const network::IntegerNetwork& b) {
    for (std::size_t i = 0; i < a.layers.size(); ++i) {
      if (a.layers[i].weights != b.layers[i].weights || a.layers[i].biases != b.layers[i].biases) {
        return false;
      }
    }
    return true;
  };
  for (std::size_t a = 0; a < networks.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) EXPECT_FALSE(same(networks[a], networks[b])) << a << b;
  }
}

// With BatchNorm's statistics estimated anew, each stored channel's mean and deviation are what its
// weight and bias say: quantization cannot shift them.
TEST(Quantize, ReEstimationRestoresTheScoresOfACoarseNetwork) {
  const Made made("lenet", network::Arithmetic::adder);
  QuantizationOptions options = made.options(3, 3);
  options.crop_padding = 0;
  options.batch_norm = BatchNormEstimation::kept;
  const double kept = made.correlation(made.quantized(options), 24);
  options.batch_norm = BatchNormEstimation::estimated;
  const double estimated = made.correlation(made.quantized(options), 24);
  options.batch_norm = BatchNormEstimation::corrected;
  const double corrected = made.correlation(made.quantized(options), 24);
  EXPECT_GT(estimated, kept);
  EXPECT_GT(corrected, kept);
}

TEST(Quantize, GivesTheSameNetworkTwice) {
  const Made made("lenet", network::Arithmetic::adder);
  const network::IntegerNetwork a = made.quantized(made.options(5, 5));
  const network::IntegerNetwork b = made.quantized(made.options(5, 5));
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_EQ(a.layers[i].weights, b.layers[i].weights);
    EXPECT_EQ(a.layers[i].multipliers, b.layers[i].multipliers);
    EXPECT_EQ(a.layers[i].biases, b.layers[i].biases);
    EXPECT_EQ(a.layers[i].output.scale, b.layers[i].output.scale);
  }
  QuantizationOptions other = made.options(5, 5);
  other.seed = 2;
  EXPECT_NE(made.quantized(other).layers[2].biases, a.layers[2].biases);
}

TEST(Quantize, MeasuresTheAccuracyThatTheIntegersHave) {
  const Made made("lenet", network::Arithmetic::adder);
  const network::IntegerNetwork network =
      quantize(made.checkpoint, made.images, &made.images, complete(made.options(4, 4)), {});
  int correct = 0;
  for (std::int64_t n = 0; n < made.images.count(); ++n) {
    correct += network::execute_reference(
                   network, network::quantize_image(network, made.images.image_data(n)), {32, 16},
                   {32, 16})
                   .predicted_class == made.images.labels[static_cast<std::size_t>(n)];
  }
  EXPECT_DOUBLE_EQ(network.origin.fake_quantized_accuracy_percent,
                   100.0 * correct / static_cast<double>(made.images.count()));
}

TEST(Quantize, EverySchemeForAdderNetworksKeepsTheScoresAtEightBits) {
  for (const char* name : {"lenet", "resnet20"}) {
    const Made made(name, network::Arithmetic::adder);
    for (const char* scheme : {"qssf-ptq", "nonnegative-ptq", "best-ptq"}) {
      QuantizationOptions options = made.options(8, 8);
      options.scheme = scheme;
      options.crop_padding = 0;
      const network::IntegerNetwork network = made.quantized(options);
      EXPECT_EQ(network.origin.scheme, scheme);
      EXPECT_GT(made.correlation(network, 12), 0.9) << name << ' ' << scheme;
    }
  }
}

TEST(Quantize, EveryAdderSchemeTakesAnyPairOfWidths) {
  const Made made("lenet", network::Arithmetic::adder);
  for (const char* scheme : {"qssf-ptq", "nonnegative-ptq", "best-ptq"}) {
    for (const int weight_bits : {2, 5, 8}) {
      for (const int activation_bits : {2, 5, 8}) {
        QuantizationOptions options = made.options(weight_bits, activation_bits);
        options.scheme = scheme;
        options.calibration_images = 24;
        options.batch_norm_images = 24;
        if (scheme == std::string("best-ptq") && activation_bits <= 4) options.iterations = 2;
        EXPECT_NO_THROW(made.quantized(options)) << scheme;
      }
    }
  }
}

TEST(Quantize, NonnegativeGridsMakeNonnegativeWeights) {
  const Made made("lenet", network::Arithmetic::adder);
  QuantizationOptions options = made.options(3, 3);
  options.scheme = "nonnegative-ptq";
  for (const network::IntegerLayer& layer : made.quantized(options).layers) {
    if (layer.kind != network::IntegerLayerKind::convolution || layer.edge) continue;
    EXPECT_FALSE(layer.weight_signed);
    EXPECT_FALSE(layer.activation_signed);
    EXPECT_EQ(layer.weight_shift, 0);
    EXPECT_EQ(layer.read_quantizers.size(), 1U);
    for (const std::int16_t weight : layer.weights) {
      EXPECT_GE(weight, 0);
      EXPECT_LE(weight, 7);
    }
  }
}

// What best-ptq adds to the nonnegative grid brings few bits nearer to the float network.
TEST(Quantize, CalibrationLayerByLayerHelpsFewBits) {
  const Made made("lenet", network::Arithmetic::adder);
  QuantizationOptions options = made.options(2, 3);
  options.crop_padding = 0;
  options.scheme = "nonnegative-ptq";
  options.range_search = RangeSearch::none;
  const double plain = made.correlation(made.quantized(options), 24);
  options.scheme = "best-ptq";
  options.iterations = 200;
  options.range_search.reset();
  EXPECT_GT(made.correlation(made.quantized(options), 24), plain);
}

TEST(Quantize, EachPartOfLayerByLayerCalibrationChangesTheNetwork) {
  const Made made("lenet", network::Arithmetic::adder);
  QuantizationOptions all = made.options(4, 4);
  all.scheme = "nonnegative-ptq";
  all.weight_rounding = WeightRounding::output_error;
  all.batch_norm = BatchNormEstimation::fitted;
  const network::IntegerNetwork network = made.quantized(all);
  QuantizationOptions part = all;
  part.range_search = RangeSearch::none;
  EXPECT_NE(made.quantized(part).layers[2].read_quantizers[0].multiplier,
            network.layers[2].read_quantizers[0].multiplier);
  part = all;
  part.weight_rounding = WeightRounding::nearest;
  EXPECT_NE(made.quantized(part).layers[2].weights, network.layers[2].weights);
  part = all;
  part.batch_norm = BatchNormEstimation::estimated;
  EXPECT_NE(made.quantized(part).layers[2].multipliers, network.layers[2].multipliers);
}

// best-ptq learns from the float network's scores where bits are few, and nowhere else.
TEST(Quantize, TheBestSchemeTunesTheNetworkUpToFourBits) {
  const Made made("lenet", network::Arithmetic::adder);
  for (const int bits : {4, 5}) {
    QuantizationOptions best = made.options(bits, bits);
    best.scheme = "best-ptq";
    QuantizationOptions plain = best;
    if (bits <= 4) best.iterations = 5;
    plain.reconstruction = Reconstruction::none;
    EXPECT_EQ(made.quantized(best).layers[2].weights == made.quantized(plain).layers[2].weights,
              bits > 4);
  }
}

TEST(Quantize, RefusesANonnegativeGridWhereInputsCanBeNegative) {
  network::FoldedLayer layer;
  layer.name = "layer2.0.conv1";
  QuantizationOptions options;
  options.weight_bits = options.activation_bits = 4;
  options.scheme = "nonnegative-ptq";
  EXPECT_EQ(operand_grid(layer, false, complete(options)), OperandGrid::nonnegative);
  try {
    operand_grid(layer, true, complete(options));
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("layer2.0.conv1"), HasSubstr("nonnegative"),
                                    HasSubstr("adderquant-ptq")));
  }
  options.scheme = "adderquant-ptq";
  EXPECT_EQ(operand_grid(layer, true, complete(options)), OperandGrid::symmetric);
  EXPECT_EQ(operand_grid(layer, false, complete(options)), OperandGrid::unsigned_activations);
}

// Before the first image is looked at.
TEST(Quantize, RefusesANonnegativeGridOnTheImageAtOnce) {
  Made made("lenet", network::Arithmetic::adder);
  network::Layer& first = made.checkpoint.network.layers.front();
  auto& convolution = std::get<network::Convolution>(first.kind);
  convolution.arithmetic = network::Arithmetic::adder;
  convolution.edge = false;
  QuantizationOptions options = made.options(4, 4);
  options.scheme = "nonnegative-ptq";
  bool started = false;
  try {
    quantize(made.checkpoint, made.images, nullptr, complete(options),
             [&](const std::string&, std::int64_t, std::int64_t) { started = true; });
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(first.name), HasSubstr("nonnegative")));
  }
  EXPECT_FALSE(started);
}

void expect_refused(const Made& made, const QuantizationOptions& options, const std::string& found,
                    const std::string& allowed) {
  try {
    made.quantized(options);
    FAIL() << "accepted " << found;
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(found), HasSubstr(allowed)));
  }
}

TEST(Quantize, RefusesOptionsOutOfRange) {
  const Made made("lenet", network::Arithmetic::adder);
  const QuantizationOptions good = made.options(4, 4);
  QuantizationOptions bad = good;
  bad.weight_bits = 1;
  expect_refused(made, bad, "--weight-bits is 1", "2 to 8");
  bad = good;
  bad.activation_bits = 9;
  expect_refused(made, bad, "--activation-bits is 9", "2 to 8");
  bad = good;
  bad.storage_bits = 17;
  expect_refused(made, bad, "--storage-bits is 17", "2 to 16");
  bad = good;
  bad.groups = 0;
  expect_refused(made, bad, "--groups is 0", "1 to 64");
  bad = good;
  bad.alpha = 1.5;
  expect_refused(made, bad, "--alpha is 1.5", "at most 1");
  bad = good;
  bad.calibration_images = 0;
  expect_refused(made, bad, "--calibration-images is 0", "1 to");
  bad = good;
  bad.batch_norm_images = 1;
  expect_refused(made, bad, "--bn-images is 1", "2 to");
}

TEST(Quantize, RefusesASchemeForTheOtherKindOfNetwork) {
  const Made adder("lenet", network::Arithmetic::adder);
  QuantizationOptions options = adder.options(8, 8);
  options.scheme = "uniform-ptq";
  expect_refused(adder, options, "uniform-ptq", "adder");
  const Made cnn("lenet", network::Arithmetic::cnn);
  options = cnn.options(8, 8);
  options.scheme = "adderquant-ptq";
  expect_refused(cnn, options, "adderquant-ptq", "cnn");
}

// Of a product table, an ordinary network's scores; of distances, an AdderNet's: as good as those of the
// schemes whose taps they are.
TEST(Quantize, NetworksForAnElementKeepTheScoresWhereItsTableIsExact) {
  const auto scores = [](const Made& made, const hw::ElementTable& table) {
    auto described = std::make_shared<network::DescribedElement>();
    described->table = table;
    described->sha256 = network::hash_of(table);
    QuantizationOptions options;
    options.scheme = "table";
    options.element = described;
    options.calibration_images = 96;
    options.batch_norm_images = 192;
    const network::IntegerNetwork network = made.quantized(options);
    EXPECT_EQ(network.origin.arithmetic, network::Arithmetic::table);
    EXPECT_EQ(network.origin.weight_bits, table.weight_bits);
    EXPECT_TRUE(network.element.value().same_element(table));
    for (const network::IntegerLayer& layer : network.layers) {
      if (layer.kind != network::IntegerLayerKind::convolution) continue;
      EXPECT_EQ(layer.arithmetic,
                layer.edge ? network::Arithmetic::cnn : network::Arithmetic::table);
    }
    return made.correlation(network, 12);
  };
  const Made cnn("lenet", network::Arithmetic::cnn);
  EXPECT_GT(scores(cnn, test::product_element({8, true, 8, false})), 0.99);
  EXPECT_GT(scores(cnn, test::product_element({5, true, 6, false})), 0.95);
  // Signed activations leave half of their codes to what a ReLU stores.
  EXPECT_GT(scores(cnn, test::product_element({8, true, 8, true})), 0.99);
  const Made adder("lenet", network::Arithmetic::adder);
  EXPECT_GT(scores(adder, test::difference_element({8, true, 8, false})), 0.99);
  EXPECT_GT(scores(adder, test::difference_element({8, false, 8, false})), 0.99);
  EXPECT_GT(scores(adder, test::difference_element({5, true, 5, false})), 0.9);
}

TEST(Quantize, RefusesANetworkThatTheElementIsNotFor) {
  auto described = std::make_shared<network::DescribedElement>();
  described->table = test::difference_element({4, true, 4, false});
  QuantizationOptions options;
  options.scheme = "table";
  options.element = described;
  const Made cnn("lenet", network::Arithmetic::cnn);
  try {
    cnn.quantized(options);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("arithmetic is cnn; scheme table is for adder"));
  }
  options.weight_bits = 5;
  EXPECT_THROW(complete(options), std::invalid_argument);
  options.weight_bits.reset();
  options.element.reset();
  EXPECT_THROW(complete(options), std::invalid_argument);
  // Groups are for shared scales.
  described->table = test::product_element({4, true, 4, false});
  options.element = described;
  options.groups = 2;
  try {
    complete(options);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("--groups would do nothing; allowed with an element of "
                                        "shared scales"));
  }
}

TEST(Quantize, RefusesImagesOfAnotherShape) {
  Made made("lenet", network::Arithmetic::adder);
  made.images = test::synthetic_dataset(8, 1, {3, 12, 12});
  EXPECT_THROW(made.quantized(made.options(8, 8)), std::invalid_argument);
}

TEST(TrainingAugmentation, IsReadFromTheRecordedCommand) {
  network::Checkpoint checkpoint;
  checkpoint.command = "abacus-train train --epochs 3 --crop-padding 2 --flip --seed 1";
  EXPECT_EQ(training_augmentation(checkpoint).padding, 2);
  EXPECT_TRUE(training_augmentation(checkpoint).flip);
  checkpoint.command = "abacus-train train --epochs 3";
  EXPECT_EQ(training_augmentation(checkpoint).padding, 0);
  EXPECT_FALSE(training_augmentation(checkpoint).flip);
  checkpoint.command = "abacus-train import";
  EXPECT_EQ(training_augmentation(checkpoint).padding, 4);
  EXPECT_TRUE(training_augmentation(checkpoint).flip);
}

}  // namespace
}  // namespace abacus::quant
