#include "sw/quant/plan/graph_folding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace abacus {
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

Layer layer(const std::string& name, LayerKind kind, std::vector<int> inputs) {
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
      if (layer.kind != LayerKind::convolution || layer.arithmetic != Arithmetic::shift) continue;
      ++shifts;
      ASSERT_LT(i + 1, folded.size());
      EXPECT_EQ(folded[i + 1].input, index);
      EXPECT_EQ(network.layers[static_cast<std::size_t>(folded[i + 1].layer)].arithmetic,
                Arithmetic::adder);
      EXPECT_EQ(folded[i].residual, no_tensor);
      EXPECT_FALSE(folded[i].nonnegative);
    }
    EXPECT_GT(shifts, 1);
  }
}

TEST(GraphFolding, LeavesAnAdditionOfSharedTensorsAlone) {
  Network network;
  network.layers = {layer("a", LayerKind::convolution, {-1}), layer("ar", LayerKind::relu, {0}),
                    layer("b", LayerKind::max_pool, {1}), layer("sum", LayerKind::add, {1, 2}),
                    layer("r", LayerKind::relu, {3})};
  const std::vector<FoldedLayer> folded = fold_graph(network);
  ASSERT_EQ(folded.size(), 3U);
  EXPECT_EQ(folded[2].kind, IntegerLayerKind::add);
  EXPECT_EQ(folded[2].input, 0);
  EXPECT_EQ(folded[2].residual, 1);
  EXPECT_TRUE(folded[2].relu);
}

TEST(GraphFolding, TakesTheSecondOperandsConvolutionIfNeedBe) {
  Network network;
  network.layers = {layer("a", LayerKind::convolution, {-1}), layer("ar", LayerKind::relu, {0}),
                    layer("b", LayerKind::convolution, {1}), layer("sum", LayerKind::add, {1, 2})};
  const std::vector<FoldedLayer> folded = fold_graph(network);
  ASSERT_EQ(folded.size(), 2U);
  EXPECT_EQ(folded[1].name, "b");
  EXPECT_EQ(folded[1].residual, 0);
  EXPECT_FALSE(folded[1].relu);
}

TEST(GraphFolding, NamesALayerThatHasNoPlace) {
  Network network;
  network.name = "odd";
  network.layers = {layer("a", LayerKind::convolution, {-1}),
                    layer("pool", LayerKind::average_pool, {0}),
                    layer("norm", LayerKind::batch_norm, {1})};
  try {
    fold_graph(network);
    FAIL() << "a BatchNorm after a pool was folded";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("norm"));
  }
}

}  // namespace
}  // namespace abacus
