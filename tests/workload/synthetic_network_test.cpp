#include "sw/workload/synthetic_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/network/counter_generator.hpp"
#include "sw/network/reference_executor.hpp"
#include "sw/workload/stored_distribution.hpp"
#include "sw/workload/synthetic_images.hpp"
#include "tests/support/sampled.hpp"
#include "tests/tlm/random_element.hpp"

namespace abacus::workload {
namespace {

using ::testing::HasSubstr;

SyntheticOptions options(const std::string& network, network::Arithmetic arithmetic, int side,
                         int bits) {
  SyntheticOptions given;
  given.network = network;
  given.arithmetic = arithmetic;
  given.image = {3, side, side};
  given.weight_bits = given.activation_bits = bits;
  given.most_levels = 15;
  if (arithmetic == network::Arithmetic::table) {
    given.element = test::product_element({bits, true, bits, true});
  }
  return given;
}

std::vector<network::Arithmetic> all_arithmetics() {
  std::vector<network::Arithmetic> all;
  for (const std::string& name : network::arithmetic_names())
    all.push_back(network::arithmetic_from_string(name));
  return all;
}

// Share of a tensor's values within its range, without a ReLU's zeros; and how many differ.
struct Liveliness {
  double low = 0;   // at the lowest value
  double high = 0;  // at the highest value
  std::size_t different = 0;
};

Liveliness liveliness(const std::vector<std::int32_t>& values,
                      const network::StoredTensor& tensor) {
  Liveliness result;
  for (const std::int32_t value : values) {
    result.low += value == tensor.lowest();
    result.high += value == tensor.highest();
  }
  result.low /= static_cast<double>(values.size());
  result.high /= static_cast<double>(values.size());
  result.different = std::set<std::int32_t>(values.begin(), values.end()).size();
  return result;
}

// Neither dies out nor saturates, in any layer of a deep network.
void expect_lively(const SyntheticOptions& given) {
  const network::IntegerNetwork network = synthetic_network(given);
  const network::Dataset images = synthetic_images(given.image, given.classes, 1, 3);
  const network::ReferenceResult result = network::execute_reference(
      network, network::quantize_image(network, images.image_data(0)), {24, 16}, {24, 4});
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const network::StoredTensor& tensor = network.layers[i].output;
    const std::string what = given.network + " " + network::to_string(given.arithmetic) + " " +
                             std::to_string(given.weight_bits) + " bits, layer " +
                             network.layers[i].name;
    const Liveliness found = liveliness(result.outputs[i], tensor);
    // Ten scores vary a lot.
    const double most = result.outputs[i].size() < 64 ? 0.5 : 0.25;
    EXPECT_LT(found.high, most) << what;
    EXPECT_LT(found.low, tensor.is_signed ? most : 0.9) << what;
    EXPECT_GE(found.different, std::min<std::size_t>(5, result.outputs[i].size() / 2)) << what;
    EXPECT_EQ(result.saturations[i], 0) << what;
    if (network.layers[i].adapter) {
      EXPECT_EQ(result.steps[i].overflows + result.steps[i].underflows, 0) << what;
    }
  }
}

TEST(SyntheticNetwork, EveryArithmeticKeepsItsActivationsAliveThroughADeepNetwork) {
  for (const network::Arithmetic arithmetic : all_arithmetics()) {
    for (const int bits : {4, 8}) expect_lively(options("resnet32", arithmetic, 32, bits));
  }
}

TEST(SyntheticNetwork, ElementsOfDistancesAreSubtracted) {
  SyntheticOptions given = options("resnet20", network::Arithmetic::table, 32, 4);
  given.element = test::difference_element({4, true, 4, false});
  for (const network::IntegerLayer& layer : synthetic_network(given).layers) {
    if (layer.arithmetic != network::Arithmetic::table || layer.multipliers.empty()) continue;
    EXPECT_LT(layer.multipliers.front(), 0) << "accumulate -1: " << layer.name;
  }
}

TEST(SyntheticNetwork, ArithmeticAndElementGoTogether) {
  SyntheticOptions given = options("lenet", network::Arithmetic::table, 28, 4);
  given.element.reset();
  EXPECT_THROW(synthetic_network(given), std::runtime_error);
  given = options("lenet", network::Arithmetic::cnn, 28, 4);
  given.element = test::product_element({4, true, 4, true});
  EXPECT_THROW(synthetic_network(given), std::runtime_error);
}

TEST(SyntheticNetwork, TwoBitsAndUnequalWidthsKeepTheirActivationsAlive) {
  for (const network::Arithmetic arithmetic : all_arithmetics()) {
    SyntheticOptions given = options("vgg-small", arithmetic, 16, 2);
    expect_lively(given);
    given.weight_bits = 3;
    given.activation_bits = 6;
    given.storage_bits = 10;
    expect_lively(given);
    std::swap(given.weight_bits, given.activation_bits);
    given.storage_bits = 4;
    expect_lively(given);
  }
}

TEST(SyntheticNetwork, DepthwiseConvolutionsKeepTheirActivationsAlive) {
  for (const network::Arithmetic arithmetic : all_arithmetics()) {
    expect_lively(options("mobilenet-v2", arithmetic, 64, 4));
  }
}

TEST(SyntheticNetwork, AdaptersStayNearOne) {
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::cnn, network::Arithmetic::post, network::Arithmetic::apot}) {
    SyntheticOptions given = options("resnet20", arithmetic, 32, 4);
    given.adapters = true;
    expect_lively(given);
    const network::IntegerNetwork network = synthetic_network(given);
    for (const network::IntegerLayer& layer : network.layers) {
      const bool adapted = layer.kind == network::IntegerLayerKind::convolution && !layer.edge;
      EXPECT_EQ(layer.adapter.has_value(), adapted) << layer.name;
      if (adapted) {
        EXPECT_EQ(layer.adapter->hidden(), network.tensor(layer.input).shape.channels / 4);
      }
    }
  }
}

TEST(SyntheticNetwork, TheSameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
  SyntheticOptions given = options("lenet", network::Arithmetic::adder, 16, 4);
  const network::IntegerNetwork first = synthetic_network(given);
  const network::IntegerNetwork again = synthetic_network(given);
  given.seed = 2;
  const network::IntegerNetwork other = synthetic_network(given);
  for (std::size_t i = 0; i < first.layers.size(); ++i) {
    EXPECT_EQ(first.layers[i].weights, again.layers[i].weights);
    EXPECT_EQ(first.layers[i].biases, again.layers[i].biases);
    if (!first.layers[i].weights.empty()) {
      EXPECT_NE(first.layers[i].weights, other.layers[i].weights) << first.layers[i].name;
    }
  }
}

TEST(SyntheticNetwork, HasTheWidthsAndGroupsThatItIsAskedFor) {
  SyntheticOptions given = options("resnet20", network::Arithmetic::adder, 32, 4);
  given.weight_bits = 3;
  given.activation_bits = 5;
  given.storage_bits = 10;
  given.groups = 4;
  const network::IntegerNetwork network = synthetic_network(given);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const network::IntegerLayer& layer = network.layers[i];
    const bool last = i + 1 == network.layers.size();
    EXPECT_EQ(layer.output.bits, last ? 16 : 10) << layer.name;
    if (layer.kind != network::IntegerLayerKind::convolution) continue;
    EXPECT_EQ(layer.weight_bits, layer.edge ? 8 : 3) << layer.name;
    EXPECT_EQ(layer.activation_bits, layer.edge ? 8 : 5) << layer.name;
    EXPECT_EQ(layer.read_quantizers.size(), layer.edge ? 1u : 4u) << layer.name;
  }
}

TEST(SyntheticNetwork, RefusesWidthsThatNoLayerHas) {
  const auto error = [](const SyntheticOptions& given) -> std::string {
    try {
      synthetic_network(given);
    } catch (const std::runtime_error& refusal) {
      return refusal.what();
    }
    return "no error";
  };
  SyntheticOptions given = options("lenet", network::Arithmetic::cnn, 16, 1);
  EXPECT_THAT(error(given), HasSubstr("weight_bits is 1; allowed: 2 to 8"));
  given.weight_bits = 4;
  given.activation_bits = 9;
  EXPECT_THAT(error(given), HasSubstr("activation_bits is 9; allowed: 2 to 8"));
  given.activation_bits = 4;
  given.storage_bits = 17;
  EXPECT_THAT(error(given), HasSubstr("storage_bits is 17; allowed: 2 to 16"));
  given.storage_bits = 8;
  given.fraction_bits = 13;
  EXPECT_THAT(error(given), HasSubstr("fraction_bits is 13; allowed: 0 to 12"));
  given.fraction_bits = 8;
  given.groups = 0;
  EXPECT_THAT(error(given), HasSubstr("groups is 0; allowed: 1 to 64"));
  EXPECT_THROW(synthetic_network(options("lenet", network::Arithmetic::cnn, 2, 4)),
               std::invalid_argument);
}

TEST(SyntheticImages, AnImageDoesNotDependOnHowManyThereAre) {
  const network::Dataset one = synthetic_images({3, 8, 8}, 5, 1, 7);
  const network::Dataset three = synthetic_images({3, 8, 8}, 5, 3, 7);
  EXPECT_EQ(three.count(), 3);
  EXPECT_TRUE(std::equal(one.pixels.begin(), one.pixels.end(), three.pixels.begin()));
  EXPECT_FALSE(std::equal(one.pixels.begin(), one.pixels.end(), three.image_data(1)));
  EXPECT_NE(one.pixels, synthetic_images({3, 8, 8}, 5, 1, 8).pixels);
  const auto [low, high] = std::minmax_element(three.pixels.begin(), three.pixels.end());
  EXPECT_LT(*low, 10);
  EXPECT_GT(*high, 245);
}

// Against plain counting.
TEST(StoredDistribution, MomentsOfTapsAreThoseOfTheOperands) {
  network::IntegerLayer layer;
  layer.arithmetic = network::Arithmetic::adder;
  const Distribution operands{0, {0.5, 0.25, 0.25}};
  const Moments moments = tap_moments(operands, layer, 1);  // taps 1, 0, 1
  EXPECT_DOUBLE_EQ(moments.mean, 0.75);
  EXPECT_DOUBLE_EQ(moments.variance, 0.75 - 0.75 * 0.75);
  layer.arithmetic = network::Arithmetic::post;
  layer.levels = 3;
  EXPECT_NEAR(tap_moments(operands, layer, -2).mean, -0.75 / std::sqrt(2.0), 1e-12);
  EXPECT_DOUBLE_EQ(operands.mean(), 0.75);

  const network::StoredTensor tensor{{1, 1, 1}, 8, false, 1.0};
  const Distribution relu = rounded_normal(tensor, 0.0, 85.0);
  EXPECT_NEAR(relu.probability[0], 0.5, 0.01);
  EXPECT_NEAR(relu.mean(), 85.0 / std::sqrt(2 * 3.14159265), 0.5);
  const Distribution largest = largest_of(relu, 4);
  EXPECT_NEAR(largest.probability[0], std::pow(relu.probability[0], 4), 1e-12);

  layer.arithmetic = network::Arithmetic::cnn;
  layer.activation_bits = 4;
  const Distribution narrow = operand_distribution(uniform_distribution(0, 255), layer, {4096, 16});
  EXPECT_EQ(narrow.highest(), 15);
  EXPECT_NEAR(narrow.probability[7], 1.0 / 16, 1e-12);
  EXPECT_NEAR(narrow.probability[0], 8.0 / 256, 1e-12);
}

// Whatever a scenario may ask for: every width, images down to one pixel, with adapters and without.
TEST(SyntheticNetwork, EveryLegalCombinationIsAPackage) {
  const std::vector<network::Arithmetic> arithmetics = {
      network::Arithmetic::cnn, network::Arithmetic::shift, network::Arithmetic::shiftaddnet,
      network::Arithmetic::post, network::Arithmetic::apot};
  network::CounterGenerator draw(1, 2, 3, 4);
  const auto between = [&](int low, int high) {
    return low + static_cast<int>(draw.below(static_cast<std::uint64_t>(high - low) + 1));
  };
  for (int i = 0; i < test::sampled(400); ++i) {
    SyntheticOptions options;
    options.network = "lenet";
    options.arithmetic = arithmetics[static_cast<std::size_t>(i) % arithmetics.size()];
    const int side = between(4, 12);
    options.image = {between(1, 3), side, side};
    options.classes = between(2, 6);
    options.weight_bits = between(2, 8);
    options.activation_bits = between(2, 8);
    options.storage_bits = i % 3 == 0 ? 16 : between(2, 16);
    options.fraction_bits = between(2, 12);
    options.most_levels = between(1, 127);
    options.adapters = i % 4 != 0;
    EXPECT_NO_THROW(synthetic_network(options))
        << network::to_string(options.arithmetic) << ' ' << options.image.height << 'x'
        << options.image.width << ' ' << options.weight_bits << ' ' << options.activation_bits
        << ' ' << options.storage_bits << ' ' << options.fraction_bits;
  }
}

}  // namespace
}  // namespace abacus::workload
