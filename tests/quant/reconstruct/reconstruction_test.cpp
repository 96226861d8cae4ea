#include "sw/quant/reconstruct/reconstruction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "sw/network/integer_network.hpp"
#include "sw/quant/reconstruct/reconstruction_data.hpp"
#include "sw/quant/reconstruct/reconstruction_layers.hpp"
#include "sw/quant/reconstruct/reconstruction_units.hpp"
#include "sw/quant/simulate/simulation.hpp"
#include "tests/quant/reconstruct/reconstruction_case.hpp"

namespace abacus::quant {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> unit_ends(const std::string& network) {
  const std::vector<network::FoldedLayer> folded = network::fold_graph(
      network::make_network(network, network::Arithmetic::adder, {3, 32, 32}, 10));
  std::vector<std::string> names;
  std::size_t next = 0;
  for (const ReconstructionUnit& unit : reconstruction_units(folded)) {
    EXPECT_EQ(unit.first, next);
    next = unit.last + 1;
    names.push_back(folded[unit.last].name);
  }
  EXPECT_EQ(next, folded.size());
  return names;
}

TEST(ReconstructionUnits, AreResidualBlocksAndWhatLiesBetween) {
  EXPECT_THAT(unit_ends("resnet20"),
              ElementsAre("conv1", "layer1.0.conv2", "layer1.1.conv2", "layer1.2.conv2",
                          "layer2.0.conv2", "layer2.1.conv2", "layer2.2.conv2", "layer3.0.conv2",
                          "layer3.1.conv2", "layer3.2.conv2", "avgpool", "fc"));
}

TEST(ReconstructionUnits, AreSingleLayersWithoutShortcuts) {
  const network::Network network =
      network::make_network("lenet", network::Arithmetic::cnn, {1, 28, 28}, 10);
  EXPECT_EQ(reconstruction_units(network::fold_graph(network)).size(),
            network::fold_graph(network).size());
}

TEST(RoundStraightThrough, RoundsHalfUpAndPassesTheGradientWithinTheRange) {
  const torch::Tensor x =
      torch::tensor({-3.0F, -0.6F, -0.5F, 0.49F, 0.5F, 2.4F, 2.6F, 3.49F, 3.5F});
  const torch::Tensor given = x.clone().requires_grad_(true);
  const torch::Tensor rounded = round_straight_through(given, 0, 3);
  EXPECT_TRUE(
      torch::equal(rounded.detach(), torch::tensor({0.F, 0.F, 0.F, 0.F, 1.F, 2.F, 3.F, 3.F, 3.F})));
  rounded.sum().backward();
  EXPECT_TRUE(
      torch::equal(given.grad(), torch::tensor({0.F, 0.F, 1.F, 1.F, 1.F, 1.F, 1.F, 1.F, 0.F})));
}

// The units one after the other compute what the simulation does.
TEST(TrainableUnit, ComputesWhatTheSimulationDoes) {
  torch::NoGradGuard no_gradient;
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn}) {
    for (const int bits : {2, 5}) {
      test::ReconstructionCase made("resnet20", arithmetic, bits);
      train::FloatNetwork network = made.float_network();
      const train::Batch batch =
          train::make_batch(made.images, made.data.normalization, std::int64_t{0}, 16);
      const torch::Tensor wanted = Simulation(made.quantized).forward(batch.images);
      const network::StoredTensor& image = made.quantized.image;
      torch::Tensor stored =
          batch.images.div(image.scale).add(0.5).floor().clamp(image.lowest(), image.highest());
      std::vector<network::FoldedLayer> folded;
      for (const QuantizedLayer& layer : made.quantized.layers) folded.push_back(layer.folded);
      for (const ReconstructionUnit& part : reconstruction_units(folded)) {
        TrainableUnit unit(made.quantized, part, network);
        unit.set_normalization(NormalizationMode::fixed);
        stored = unit.forward(stored);
      }
      const torch::Tensor found = stored.flatten(1) * made.quantized.layers.back().output.scale;
      // The two add up in different orders: a stored value on the edge may round the other way.
      EXPECT_LT((found - wanted).norm().item<double>(), 0.01 * wanted.norm().item<double>())
          << network::to_string(arithmetic) << ' ' << bits;
    }
  }
}

TEST(ReconstructionData, GivesTheFloatNetworksOwnTensors) {
  torch::NoGradGuard no_gradient;
  test::ReconstructionCase made("resnet20", network::Arithmetic::adder, 4);
  train::FloatNetwork network = made.float_network();
  ReconstructionData data(made.quantized, network, made.data, 32);
  const torch::Tensor images = data.target().clone();
  std::vector<network::FoldedLayer> folded;
  for (const QuantizedLayer& layer : made.quantized.layers) folded.push_back(layer.folded);
  for (const ReconstructionUnit& unit : reconstruction_units(folded)) {
    torch::Tensor wanted;
    train::ForwardHooks hooks;
    hooks.after = [&](int layer, torch::Tensor& output) {
      if (layer == folded[unit.last].output) wanted = output.clone();
    };
    network.forward(images, hooks);
    data.advance_target(unit);
    EXPECT_TRUE(torch::allclose(data.target(), wanted, 1e-4, 1e-4)) << folded[unit.last].name;
  }
}

ReconstructionOptions few() {
  ReconstructionOptions options;
  options.images = 64;
  options.iterations = 40;
  options.network_iterations = 0;
  options.batch = 32;
  return options;
}

TEST(Reconstruction, LowersEachUnitsErrorAndStaysOnTheGrid) {
  for (const int bits : {2, 3}) {
    for (const int groups : {1, 4}) {
      test::ReconstructionCase made("resnet20", network::Arithmetic::adder, bits, groups);
      train::FloatNetwork network = made.float_network();
      const std::vector<UnitError> errors =
          reconstruct(made.quantized, network, made.data, few(), {});
      ASSERT_EQ(errors.size(), 9U);
      for (const UnitError& error : errors) EXPECT_LT(error.after, error.before) << error.unit;
      for (const QuantizedLayer& layer : made.quantized.layers) {
        const QuantizedConvolution& convolution = layer.convolution;
        for (const int weight : convolution.weights) {
          ASSERT_GE(weight, lowest_integer(convolution.weight_bits, convolution.weight_signed));
          ASSERT_LE(weight, highest_integer(convolution.weight_bits, convolution.weight_signed));
        }
      }
      EXPECT_NO_THROW(network::validate(to_integer_network(made.quantized), "reconstructed"));
    }
  }
}

TEST(Reconstruction, LearnsStepsThatTheIntegerNetworkHas) {
  test::ReconstructionCase made("resnet20", network::Arithmetic::adder, 2, 1);
  train::FloatNetwork network = made.float_network();
  const std::vector<QuantizedLayer> before = made.quantized.layers;
  ReconstructionOptions options = few();
  options.step_rate = 0.01;
  options.network_iterations = 3;
  reconstruct(made.quantized, network, made.data, options, {});
  int moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const QuantizedLayer& layer = made.quantized.layers[i];
    if (layer.folded.kind != network::IntegerLayerKind::convolution) continue;
    const double step = layer.convolution.activation_step.front();
    const double stored = made.quantized.tensor(layer.folded.input).scale;
    if (before[i].convolution.activation_step.front() == step) continue;
    ++moved;
    EXPECT_NEAR(ratio(layer.read_quantizers.front()) * step / stored, 1, 1e-4);
    // The accumulator's unit is still the activations' step.
    EXPECT_NEAR(
        layer.convolution.accumulator_step.front() / before[i].convolution.accumulator_step.front(),
        step / before[i].convolution.activation_step.front(), 1e-3);
  }
  EXPECT_EQ(moved, 20);
}

TEST(Reconstruction, SameSeedSameResult) {
  const auto weights = [](std::uint64_t seed) {
    test::ReconstructionCase made("lenet", network::Arithmetic::adder, 2);
    train::FloatNetwork network = made.float_network();
    ReconstructionOptions options = few();
    options.seed = seed;
    reconstruct(made.quantized, network, made.data, options, {});
    std::vector<std::vector<std::int16_t>> result;
    for (const QuantizedLayer& layer : made.quantized.layers) {
      result.push_back(layer.convolution.weights);
    }
    return result;
  };
  const auto first = weights(5);
  EXPECT_EQ(first, weights(5));
  EXPECT_NE(first, weights(6));
}

TEST(Reconstruction, ReportsProgressToTheEnd) {
  test::ReconstructionCase made("lenet", network::Arithmetic::adder, 3);
  train::FloatNetwork network = made.float_network();
  std::int64_t last = 0, whole = 0;
  reconstruct(made.quantized, network, made.data, few(),
              [&](std::int64_t done, std::int64_t total) {
                EXPECT_GE(done, last);
                last = done;
                whole = total;
              });
  EXPECT_GT(whole, 0);
  EXPECT_EQ(last, whole);
}

TEST(Reconstruction, RefusesBadOptions) {
  const auto refused = [](const ReconstructionOptions& options) -> std::string {
    try {
      check(options);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refused({}), "accepted");
  ReconstructionOptions options;
  options.images = 1;
  EXPECT_THAT(refused(options), AllOf(HasSubstr("images is 1"), HasSubstr("allowed: 2 to")));
  options = {};
  options.iterations = -1;
  EXPECT_THAT(refused(options), HasSubstr("iterations is -1"));
  options = {};
  options.batch = 1;
  EXPECT_THAT(refused(options), HasSubstr("batch is 1"));
  options = {};
  options.weight_rate = -1;
  EXPECT_THAT(refused(options), HasSubstr("weight rate is -1"));
  options = {};
  options.step_rate = std::nan("");
  EXPECT_THAT(refused(options), HasSubstr("step rate is"));
}

}  // namespace
}  // namespace abacus::quant
