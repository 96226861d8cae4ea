#include "sw/network/graph_folding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace abacus::network {
namespace {

using ::testing::HasSubstr;

const FoldedLayer& find(const std::vector<FoldedLayer>& folded, const std::string& name) {
  return *std::find_if(folded.begin(), folded.end(),
                       [&](const FoldedLayer& layer) { return layer.name == name; });
}
int index_of(const std::vector<FoldedLayer>& folded, const std::string& name) {
  return static_cast<int>(&find(folded, name) - folded.data());
}

TEST(GraphFolding, PutsABlocksAdditionIntoItsLastConvolution) {
  const Network network = make_network("resnet20", Arithmetic::adder, {3, 32, 32}, 10);
  const std::vector<FoldedLayer> folded = fold_graph(network);
  EXPECT_EQ(folded.size(), 23U);  // 19 + 2 shortcuts + pool + classifier

  const FoldedLayer& plain = find(folded, "layer1.1.conv2");
  EXPECT_EQ(plain.input, index_of(folded, "layer1.1.conv1"));
  EXPECT_EQ(plain.residual, index_of(folded, "layer1.0.conv2"));
  EXPECT_TRUE(plain.relu);
  EXPECT_TRUE(plain.nonnegative);

  const FoldedLayer& projected = find(folded, "layer2.0.conv2");
  EXPECT_EQ(projected.residual, index_of(folded, "layer2.0.downsample.0"));
  EXPECT_LT(projected.residual, index_of(folded, "layer2.0.conv2"));
  const FoldedLayer& shortcut = find(folded, "layer2.0.downsample.0");
  EXPECT_EQ(shortcut.input, index_of(folded, "layer1.2.conv2"));
  EXPECT_EQ(shortcut.residual, no_tensor);
  EXPECT_FALSE(shortcut.relu);
  EXPECT_FALSE(shortcut.nonnegative);

  EXPECT_EQ(folded.front().name, "conv1");
  EXPECT_EQ(folded.front().input, image_tensor);
  EXPECT_EQ(folded.back().name, "fc");
  EXPECT_EQ(network.layers[static_cast<std::size_t>(folded.back().batch_norm)].name, "bn2");
  EXPECT_FALSE(folded.back().relu);
  EXPECT_TRUE(find(folded, "avgpool").nonnegative);
}

TEST(GraphFolding, TakesInEveryLayerOfTheZooOnce) {
  for (const std::string& name : network_names()) {
    const Network network = make_network(name, Arithmetic::cnn, {3, 32, 32}, 10);
    const std::vector<FoldedLayer> folded = fold_graph(network);
    std::size_t layers = 0;
    for (std::size_t i = 0; i < folded.size(); ++i) {
      const FoldedLayer& layer = folded[i];
      layers += 1U + (layer.batch_norm != no_tensor) + layer.relu;
      layers += layer.kind == IntegerLayerKind::convolution && layer.residual != no_tensor;
      EXPECT_LT(layer.input, static_cast<int>(i));
      EXPECT_LT(layer.residual, static_cast<int>(i));
    }
    EXPECT_EQ(layers, network.layers.size()) << name;
    EXPECT_EQ(folded.back().output, static_cast<int>(network.layers.size()) - 1) << name;
  }
}

Layer layer(const std::string& name, const LayerKind& kind, std::vector<int> inputs) {
  Layer result;
  result.name = name;
  result.kind = kind;
  result.inputs = std::move(inputs);
  return result;
}

TEST(GraphFolding, PutsNothingBetweenAShiftLayerAndItsAdderLayer) {
  for (const std::string& name : network_names()) {
    SCOPED_TRACE(name);
    const Network network = make_network(name, Arithmetic::shiftaddnet, {3, 32, 32}, 10);
    const std::vector<FoldedLayer> folded = fold_graph(network);
    int shifts = 0;
    for (std::size_t i = 0; i < folded.size(); ++i) {
      const int index = static_cast<int>(i);
      EXPECT_LT(folded[i].input, index);
      EXPECT_LT(folded[i].residual, index);
      const Layer& layer = network.layers[static_cast<std::size_t>(folded[i].layer)];
      if (!layer.computes(Arithmetic::shift)) continue;
      ++shifts;
      ASSERT_LT(i + 1, folded.size());
      EXPECT_EQ(folded[i + 1].input, index);
      EXPECT_TRUE(network.layers[static_cast<std::size_t>(folded[i + 1].layer)].computes(
          Arithmetic::adder));
      EXPECT_EQ(folded[i].residual, no_tensor);
      EXPECT_FALSE(folded[i].nonnegative);
    }
    EXPECT_GT(shifts, 1);
  }
}

TEST(GraphFolding, LeavesAnAdditionOfSharedTensorsAlone) {
  Network network;
  network.layers = {layer("a", Convolution{}, {-1}), layer("ar", Relu{}, {0}),
                    layer("b", MaxPool{}, {1}), layer("sum", Add{}, {1, 2}),
                    layer("r", Relu{}, {3})};
  const std::vector<FoldedLayer> folded = fold_graph(network);
  ASSERT_EQ(folded.size(), 3U);
  EXPECT_EQ(folded[2].kind, IntegerLayerKind::add);
  EXPECT_EQ(folded[2].input, 0);
  EXPECT_EQ(folded[2].residual, 1);
  EXPECT_TRUE(folded[2].relu);
}

TEST(GraphFolding, TakesTheSecondOperandsConvolutionIfNeedBe) {
  Network network;
  network.layers = {layer("a", Convolution{}, {-1}), layer("ar", Relu{}, {0}),
                    layer("b", Convolution{}, {1}), layer("sum", Add{}, {1, 2})};
  const std::vector<FoldedLayer> folded = fold_graph(network);
  ASSERT_EQ(folded.size(), 2U);
  EXPECT_EQ(folded[1].name, "b");
  EXPECT_EQ(folded[1].residual, 0);
  EXPECT_FALSE(folded[1].relu);
}

// What the synthetic networks have of the graph, and the quantized ones.
TEST(GraphFolding, GivesAnIntegerLayerItsWindowAndPlace) {
  const Network network = make_network("mobilenet-v2", Arithmetic::adder, {3, 32, 32}, 10);
  const std::vector<FoldedLayer> folded = fold_graph(network);
  const IntegerLayer first = integer_layer(network, folded.front());
  EXPECT_EQ(first.name, "features.0.0");
  EXPECT_EQ(first.input, image_tensor);
  EXPECT_TRUE(first.edge);
  EXPECT_TRUE(first.relu);
  EXPECT_EQ(first.arithmetic, Arithmetic::cnn);
  const IntegerLayer depthwise = integer_layer(network, find(folded, "features.2.conv.1.0"));
  EXPECT_TRUE(depthwise.depthwise);
  EXPECT_FALSE(depthwise.edge);
  EXPECT_EQ(depthwise.arithmetic, Arithmetic::adder);
  EXPECT_EQ(depthwise.kernel, 3);
  EXPECT_EQ(depthwise.stride, 2);
  EXPECT_EQ(depthwise.padding, 1);
  EXPECT_EQ(depthwise.output.shape, (Shape{96, 8, 8}));
  const IntegerLayer block = integer_layer(network, find(folded, "features.3.conv.2"));
  EXPECT_EQ(block.residual, index_of(folded, "features.2.conv.2"));
  EXPECT_FALSE(block.relu);
  const IntegerLayer pool = integer_layer(network, find(folded, "avgpool"));
  EXPECT_EQ(pool.kind, IntegerLayerKind::average_pool);
  EXPECT_EQ(pool.kernel, 1);
  const Network lenet = make_network("lenet", Arithmetic::cnn, {1, 28, 28}, 10);
  const IntegerLayer maximum = integer_layer(lenet, find(fold_graph(lenet), "pool1"));
  EXPECT_EQ(maximum.kind, IntegerLayerKind::max_pool);
  EXPECT_EQ(maximum.kernel, 2);
  EXPECT_EQ(maximum.stride, 2);
  EXPECT_EQ(maximum.output.shape, (Shape{8, 14, 14}));
}

TEST(GraphFolding, NamesALayerThatHasNoPlace) {
  Network network;
  network.name = "odd";
  network.layers = {layer("a", Convolution{}, {-1}), layer("pool", AveragePool{}, {0}),
                    layer("norm", BatchNorm{}, {1})};
  try {
    fold_graph(network);
    FAIL() << "a BatchNorm after a pool was folded";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("norm"));
  }
}

}  // namespace
}  // namespace abacus::network
