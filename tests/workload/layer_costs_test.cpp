#include "sw/workload/layer_costs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

namespace abacus::workload {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const LayerCosts& find(const std::vector<LayerCosts>& layers, const std::string& name) {
  return *std::find_if(layers.begin(), layers.end(),
                       [&](const LayerCosts& layer) { return layer.name == name; });
}

TEST(LayerCosts, TotalsAreThePublishedOnes) {
  const std::vector<LayerCosts> layers =
      layer_costs(network::make_network("resnet18", network::Arithmetic::cnn, {3, 224, 224}, 1000));
  const LayerCosts total = total_costs(layers);
  EXPECT_EQ(total.taps, 1'814'073'344);
  EXPECT_EQ(total.parameters(), 11'689'512);
  const LayerCosts& classifier = find(layers, "fc");
  EXPECT_EQ(classifier.weights, 512'000);
  EXPECT_EQ(classifier.biases, 1000);
  EXPECT_EQ(find(layers, "layer4.1.bn2").parameters(), 2 * 512);
  EXPECT_EQ(find(layers, "layer4.1.relu2").parameters(), 0);
}

// By hand: C·C/4 + C/4 weights, C/4 + 1 biases, before 6 convolutions of 64 channels, 5 of 128, 5 of
// 256 and 3 of 512.
TEST(LayerCosts, AdaptersOfResNet18) {
  const std::vector<LayerCosts> layers = layer_costs(
      network::make_network("resnet18", network::Arithmetic::post, {3, 224, 224}, 1000));
  const AdapterCosts& first = find(layers, "layer1.0.conv1").adapter;
  EXPECT_EQ(first.hidden, 16);
  EXPECT_EQ(first.weights, 64 * 16 + 16);
  EXPECT_EQ(first.biases, 17);
  EXPECT_EQ(first.operations, 1040);
  EXPECT_EQ(first.pool_additions, 64 * 56 * 56);
  EXPECT_EQ(find(layers, "conv1").adapter.weights, 0);
  EXPECT_EQ(find(layers, "fc").adapter.weights, 0);
  const LayerCosts total = total_costs(layers);
  EXPECT_EQ(total.adapter.weights, 6 * 1040 + 5 * 4128 + 5 * 16448 + 3 * 65664);
  EXPECT_EQ(total.adapter.biases, 6 * 17 + 5 * 33 + 5 * 65 + 3 * 129);
}

TEST(LayerCosts, FewChannelsTakeOneLayer) {
  const AdapterCosts costs = adapter_costs({7, 5, 4});
  EXPECT_EQ(costs.hidden, 0);
  EXPECT_EQ(costs.weights, 7);
  EXPECT_EQ(costs.biases, 1);
  EXPECT_EQ(costs.pool_additions, 140);
  EXPECT_EQ(adapter_costs({8, 5, 4}).hidden, 2);
}

TEST(LayerCosts, AddersAndSignsHaveNoAdapters) {
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::bnn}) {
    EXPECT_EQ(
        total_costs(layer_costs(network::make_network("resnet20", arithmetic, {3, 32, 32}, 10)))
            .adapter.weights,
        0);
  }
  const std::vector<LayerCosts> pairs = layer_costs(
      network::make_network("resnet20", network::Arithmetic::shiftaddnet, {3, 32, 32}, 10));
  EXPECT_GT(find(pairs, "layer1.0.conv1.shift").adapter.weights, 0);
  EXPECT_EQ(find(pairs, "layer1.0.conv1.adder").adapter.weights, 0);
}

TEST(LayerCosts, CsvHasALineALayerAndATotal) {
  const std::vector<LayerCosts> layers = layer_costs(
      network::make_network("mobilenet-v2", network::Arithmetic::cnn, {3, 224, 224}, 1000));
  std::ostringstream text;
  write_costs_csv(text, layers);
  std::istringstream lines(text.str());
  std::string line;
  std::vector<std::string> all;
  while (std::getline(lines, line)) all.push_back(line);
  ASSERT_EQ(all.size(), layers.size() + 2);
  for (const std::string& row : all) EXPECT_EQ(std::count(row.begin(), row.end(), ','), 22) << row;
  EXPECT_THAT(all[0], StartsWith("layer,kind,arithmetic,array,input_channels"));
  EXPECT_EQ(all[1],
            "features.0.0,convolution,cnn,edge,3,224,224,32,112,112,3,2,1,1,10838016,864,0,864,0,0,"
            "0,0,0");
  EXPECT_EQ(
      all[4],
      "features.1.conv.0.0,convolution,cnn,main,32,112,112,32,112,112,3,1,1,32,3612672,288,0,288,"
      "8,264,9,264,401408");
  EXPECT_THAT(all.back(), StartsWith("total,,,,,,,,,,,,,,300774272,"));
}

TEST(LayerCosts, TableIsAligned) {
  std::ostringstream text;
  write_costs_table(text, layer_costs(network::make_network("lenet", network::Arithmetic::adder,
                                                            {1, 28, 28}, 10)));
  std::istringstream lines(text.str());
  std::string line;
  std::size_t width = 0;
  int count = 0;
  while (std::getline(lines, line)) {
    if (count++ == 0) width = line.size();
    EXPECT_EQ(line.size(), width) << line;
  }
  EXPECT_GT(count, 10);
  EXPECT_THAT(text.str(), HasSubstr("16x14x14"));
}

}  // namespace
}  // namespace abacus::workload
