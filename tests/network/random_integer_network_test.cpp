// The random networks are worth their tests only if they are valid, differ, and reach every
// operation with outputs that are not all alike.
#include "tests/network/random_integer_network.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "sw/network/reference_executor.hpp"

namespace abacus::test {
namespace {

constexpr int seeds = 150;

TEST(RandomIntegerNetwork, SameSeedGivesTheSameNetworkAndAnotherSeedAnother) {
  const network::IntegerNetwork a = random_integer_network(5);
  const network::IntegerNetwork b = random_integer_network(5);
  const network::IntegerNetwork c = random_integer_network(6);
  EXPECT_EQ(a.input_table, b.input_table);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_EQ(a.layers[i].weights, b.layers[i].weights);
    EXPECT_EQ(a.layers[i].biases, b.layers[i].biases);
  }
  EXPECT_NE(a.input_table, c.input_table);
}

TEST(RandomIntegerNetwork, KeepsToItsOptions) {
  RandomNetworkOptions options;
  options.arithmetic = network::Arithmetic::adder;
  options.layers = 4;
  options.channels = 5;
  options.side = 6;
  options.operand_bits = 4;
  options.edge_layers = false;
  for (int seed = 0; seed < seeds; ++seed) {
    const network::IntegerNetwork network = random_integer_network(seed, options);
    EXPECT_LE(network.layers.size(), 4U);
    EXPECT_LE(network.image.shape.height, 6);
    for (const network::IntegerLayer& layer : network.layers) {
      EXPECT_LE(layer.output.shape.channels, 5);
      if (layer.kind != network::IntegerLayerKind::convolution) continue;
      EXPECT_EQ(layer.arithmetic, network::Arithmetic::adder);
      EXPECT_FALSE(layer.edge);
      EXPECT_LE(layer.weight_bits, 4);
      EXPECT_LE(layer.activation_bits, 4);
    }
  }
}

TEST(RandomIntegerNetwork, ReachesEveryOperation) {
  std::set<std::string> seen;
  std::set<int> weight_bits;
  std::set<int> activation_bits;
  std::set<int> stored_bits;
  for (int seed = 0; seed < seeds; ++seed) {
    for (const network::IntegerLayer& layer : random_integer_network(seed).layers) {
      seen.insert(network::to_string(layer.kind));
      stored_bits.insert(layer.output.bits);
      seen.insert(layer.output.is_signed ? "signed output" : "unsigned output");
      if (layer.kind != network::IntegerLayerKind::convolution) continue;
      seen.insert(network::to_string(layer.arithmetic));
      weight_bits.insert(layer.weight_bits);
      activation_bits.insert(layer.activation_bits);
      if (layer.edge) seen.insert("edge");
      if (layer.read_quantizers.size() > 1) seen.insert("groups");
      if (layer.residual != network::no_tensor) seen.insert("residual");
      if (layer.stride > 1) seen.insert("stride");
      if (layer.padding > 0) seen.insert("padding");
      if (layer.weight_shift > 0) seen.insert("weight shift");
      if (layer.activation_shift > 0) seen.insert("activation shift");
      seen.insert(layer.activation_signed ? "signed activation" : "unsigned activation");
      seen.insert(layer.weight_signed ? "signed weight" : "unsigned weight");
      seen.insert(layer.relu ? "relu" : "no relu");
    }
  }
  const std::set<std::string> all = {"convolution",
                                     "add",
                                     "average_pool",
                                     "max_pool",
                                     "signed output",
                                     "unsigned output",
                                     "adder",
                                     "cnn",
                                     "edge",
                                     "groups",
                                     "residual",
                                     "stride",
                                     "padding",
                                     "weight shift",
                                     "activation shift",
                                     "signed activation",
                                     "unsigned activation",
                                     "signed weight",
                                     "unsigned weight",
                                     "relu",
                                     "no relu"};
  EXPECT_EQ(seen, all);
  EXPECT_EQ(weight_bits, (std::set<int>{2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(activation_bits, (std::set<int>{2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(stored_bits.size(), 15U);
}

TEST(RandomIntegerNetwork, OutputsAreNeitherConstantNorAllClamped) {
  int layers = 0;
  int lively = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const network::IntegerNetwork network = random_integer_network(seed);
    const network::ReferenceResult result = network::execute_reference(
        network, network::quantize_image(network, random_pixels(network, seed).data()), {32, 16},
        {32, 16});
    for (std::size_t i = 0; i < result.outputs.size(); ++i) {
      const network::StoredTensor& format = network.layers[i].output;
      if (format.shape.elements() < 16) continue;
      int inside = 0;
      for (const std::int32_t value : result.outputs[i]) {
        inside += value > format.lowest() && value < format.highest() ? 1 : 0;
      }
      const std::set<std::int32_t> values(result.outputs[i].begin(), result.outputs[i].end());
      ++layers;
      lively += values.size() >= 3 && inside * 5 > format.shape.elements() ? 1 : 0;
    }
  }
  EXPECT_GT(layers, 300);
  EXPECT_GT(lively * 10, layers * 7) << lively << " of " << layers;
}

}  // namespace
}  // namespace abacus::test
