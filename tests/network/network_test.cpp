#include "sw/network/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace abacus::network {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Layer& find(const Network& network, const std::string& name) {
  for (const Layer& layer : network.layers) {
    if (layer.name == name) return layer;
  }
  throw std::out_of_range("no layer " + name);
}

std::string shape_text(const Shape& s) {
  return std::to_string(s.channels) + "x" + std::to_string(s.height) + "x" +
         std::to_string(s.width);
}

// "name shape" of every parameter and buffer, as a checkpoint has them.
std::vector<std::string> parameters(const Network& network) {
  std::vector<std::string> all;
  for (const Layer& layer : network.layers) {
    const std::string channels = std::to_string(layer.output.channels);
    if (const Convolution* const convolution = layer.if_convolution()) {
      const std::string kernel = std::to_string(convolution->kernel);
      all.push_back(layer.name + ".weight " + channels + "x" +
                    std::to_string(layer.input.channels) + "x" + kernel + "x" + kernel);
      if (convolution->bias) all.push_back(layer.name + ".bias " + channels);
    }
    if (layer.is<BatchNorm>()) {
      for (const char* field : {".weight ", ".bias ", ".running_mean ", ".running_var "}) {
        all.push_back(layer.name + field + channels);
      }
    }
  }
  return all;
}

// What the AdderNet authors' ResNet-20 checkpoint holds, "module." and ".adder" aside: stem, three
// blocks a stage, projection shortcuts where a stage begins with a stride, classifier.
std::vector<std::string> authors_parameters() {
  std::vector<std::string> all;
  const auto batch_norm = [&](const std::string& name, int channels) {
    for (const char* field : {".weight ", ".bias ", ".running_mean ", ".running_var "}) {
      all.push_back(name + field + std::to_string(channels));
    }
  };
  const auto weight = [&](const std::string& name, int out, int in, int kernel) {
    const std::string k = std::to_string(kernel);
    all.push_back(name + ".weight " + std::to_string(out) + "x" + std::to_string(in) + "x" + k +
                  "x" + k);
  };
  weight("conv1", 16, 3, 3);
  batch_norm("bn1", 16);
  int in = 16;
  for (int stage = 1; stage <= 3; ++stage) {
    const int out = 8 << stage;
    for (int block = 0; block < 3; ++block) {
      const std::string name = "layer" + std::to_string(stage) + "." + std::to_string(block);
      weight(name + ".conv1", out, in, 3);
      batch_norm(name + ".bn1", out);
      weight(name + ".conv2", out, out, 3);
      batch_norm(name + ".bn2", out);
      if (in != out) {
        weight(name + ".downsample.0", out, in, 1);
        batch_norm(name + ".downsample.1", out);
      }
      in = out;
    }
  }
  weight("fc", 10, 64, 1);
  batch_norm("bn2", 10);
  return all;
}

TEST(Arithmetic, TextRoundTrip) {
  EXPECT_THAT(arithmetic_names(),
              ElementsAre("cnn", "adder", "bnn", "shift", "shiftaddnet", "post", "apot", "table"));
  for (const Arithmetic arithmetic : std::vector<Arithmetic>{
           Arithmetic::cnn, Arithmetic::adder, Arithmetic::bnn, Arithmetic::shift,
           Arithmetic::shiftaddnet, Arithmetic::post, Arithmetic::apot}) {
    EXPECT_EQ(arithmetic_from_string(to_string(arithmetic)), arithmetic);
  }
  EXPECT_EQ(to_string(Arithmetic::adder), "adder");
}

TEST(Arithmetic, SquareRootsAndSumsOfPowersQuantizeOrdinaryNetworks) {
  EXPECT_EQ(checkpoint_arithmetic(Arithmetic::post), Arithmetic::cnn);
  EXPECT_EQ(checkpoint_arithmetic(Arithmetic::apot), Arithmetic::cnn);
  EXPECT_EQ(checkpoint_arithmetic(Arithmetic::shiftaddnet), Arithmetic::shiftaddnet);
  hw::ElementTable element;
  EXPECT_EQ(checkpoint_arithmetic(Arithmetic::table, &element), Arithmetic::cnn);
  element.scales = hw::StepRule::shared;
  EXPECT_EQ(checkpoint_arithmetic(Arithmetic::table, &element), Arithmetic::adder);
}

TEST(Arithmetic, UnknownTextNamesTheAllowedOnes) {
  try {
    arithmetic_from_string("multiply");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"multiply\""));
    EXPECT_THAT(error.what(), HasSubstr("cnn, adder, bnn, shift, shiftaddnet, post, apot"));
  }
}

TEST(ResNet20, HasTheAuthorsParametersInTheirOrder) {
  const Network network = make_network("resnet20", Arithmetic::adder, {3, 32, 32}, 10);
  EXPECT_EQ(parameters(network), authors_parameters());
}

// By hand: a stage-1 convolution has 32·32·16·16·9 = 2,359,296 taps, and so has every other 3×3
// convolution but the first of stages 2 and 3 (half of that); shortcuts 16·16·32·16 = 8·8·64·32 =
// 131,072; first convolution 32·32·16·3·9 = 442,368; classifier 640. The AdderNet paper states
// 41.17 M for the whole network, 0.9 % more than its layers have.
TEST(ResNet20, CountsTaps) {
  const Network network = make_network("resnet20", Arithmetic::adder, {3, 32, 32}, 10);
  std::int64_t adder = 0;
  std::int64_t all = 0;
  for (const Layer& layer : network.layers) {
    all += Network::taps(layer);
    if (layer.computes(Arithmetic::adder)) adder += Network::taps(layer);
  }
  EXPECT_EQ(Network::taps(find(network, "conv1")), 442368);
  EXPECT_EQ(Network::taps(find(network, "layer1.2.conv2")), 2359296);
  EXPECT_EQ(Network::taps(find(network, "layer2.0.conv1")), 1179648);
  EXPECT_EQ(Network::taps(find(network, "layer3.0.downsample.0")), 131072);
  EXPECT_EQ(Network::taps(find(network, "fc")), 640);
  EXPECT_EQ(Network::taps(find(network, "bn1")), 0);
  EXPECT_EQ(Network::taps(find(network, "avgpool")), 0);
  EXPECT_EQ(adder, 16 * 2359296 + 2 * 1179648 + 2 * 131072);
  EXPECT_EQ(all, 40813184);
  EXPECT_NEAR(static_cast<double>(all), 41.17e6, 0.01 * 41.17e6);
}

TEST(ResNet20, BlocksAreWiredAsResiduals) {
  const Network network = make_network("resnet20", Arithmetic::cnn, {1, 28, 28}, 10);
  const auto name = [&](int index) {
    return index < 0 ? std::string("image") : network.layers[static_cast<std::size_t>(index)].name;
  };
  const auto inputs = [&](const std::string& layer) {
    std::vector<std::string> names;
    for (const int index : find(network, layer).inputs) names.push_back(name(index));
    return names;
  };
  EXPECT_THAT(inputs("conv1"), ElementsAre("image"));
  EXPECT_THAT(inputs("layer1.0.conv1"), ElementsAre("relu1"));
  EXPECT_THAT(inputs("layer1.0.conv2"), ElementsAre("layer1.0.relu1"));
  EXPECT_THAT(inputs("layer1.0.add"), ElementsAre("layer1.0.bn2", "relu1"));
  EXPECT_THAT(inputs("layer2.0.downsample.0"), ElementsAre("layer1.2.relu2"));
  EXPECT_THAT(inputs("layer2.0.add"), ElementsAre("layer2.0.bn2", "layer2.0.downsample.1"));
  EXPECT_THAT(inputs("layer3.1.add"), ElementsAre("layer3.1.bn2", "layer3.0.relu2"));
  EXPECT_THAT(inputs("avgpool"), ElementsAre("layer3.2.relu2"));
  EXPECT_THAT(inputs("bn2"), ElementsAre("fc"));
  EXPECT_EQ(find(network, "layer2.0.downsample.0").convolution().stride, 2);
  EXPECT_EQ(find(network, "layer2.0.downsample.0").convolution().padding, 0);
}

// Bi-Real Net's order: every 3×3 convolution has a shortcut of its own, and nothing but the sign
// that a binary convolution begins with stands between them.
TEST(ResNet20, BinaryOnesHaveAShortcutForEachConvolutionAndNoRelu) {
  const Network network = make_network("resnet20", Arithmetic::bnn, {3, 32, 32}, 10);
  const auto inputs = [&](const std::string& layer) {
    std::vector<std::string> names;
    for (const int index : find(network, layer).inputs) {
      names.push_back(network.layers[static_cast<std::size_t>(index)].name);
    }
    return names;
  };
  EXPECT_THAT(inputs("layer1.0.conv1"), ElementsAre("bn1"));
  EXPECT_THAT(inputs("layer1.0.add1"), ElementsAre("layer1.0.bn1", "bn1"));
  EXPECT_THAT(inputs("layer1.0.conv2"), ElementsAre("layer1.0.add1"));
  EXPECT_THAT(inputs("layer1.0.add2"), ElementsAre("layer1.0.bn2", "layer1.0.add1"));
  EXPECT_THAT(inputs("layer2.0.downsample.0"), ElementsAre("layer1.2.add2"));
  EXPECT_THAT(inputs("layer2.0.add1"), ElementsAre("layer2.0.bn1", "layer2.0.downsample.1"));
  EXPECT_THAT(inputs("avgpool"), ElementsAre("layer3.2.add2"));
  for (const std::string& name : workload_names()) {
    for (const Layer& layer : make_network(name, Arithmetic::bnn, {3, 32, 32}, 10).layers) {
      EXPECT_FALSE(layer.is<Relu>()) << name << " " << layer.name;
    }
  }
}

// Shift k×k with the stride, adder k×k of stride 1, BatchNorm, ReLU, and nothing between the first two.
TEST(ResNet20, ShiftAddNetsHaveAnAdderDirectlyBehindEachShift) {
  const Network network = make_network("resnet20", Arithmetic::shiftaddnet, {3, 32, 32}, 10);
  int shifts = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& shift = network.layers[i];
    if (!shift.computes(Arithmetic::shift)) continue;
    ++shifts;
    const Layer& adder = network.layers[i + 1];
    ASSERT_TRUE(adder.computes(Arithmetic::adder));
    EXPECT_THAT(adder.inputs, ElementsAre(static_cast<int>(i)));
    EXPECT_TRUE(network.layers[i + 2].is<BatchNorm>());
    EXPECT_EQ(adder.convolution().kernel, shift.convolution().kernel);
    EXPECT_EQ(adder.convolution().stride, 1);
    EXPECT_EQ(adder.input.channels, shift.output.channels);
    EXPECT_EQ(shape_text(adder.output), shape_text(shift.output));
    for (std::size_t other = 0; other < network.layers.size(); ++other) {
      if (other == i + 1) continue;
      EXPECT_THAT(network.layers[other].inputs,
                  ::testing::Not(::testing::Contains(static_cast<int>(i))));
    }
  }
  EXPECT_EQ(shifts, 20);  // 18 of the blocks, 2 shortcuts
  EXPECT_EQ(find(network, "layer2.0.conv1.shift").convolution().stride, 2);
  EXPECT_EQ(find(network, "layer2.0.downsample.0.shift").convolution().kernel, 1);
  EXPECT_EQ(find(network, "layer2.0.downsample.0.adder").convolution().padding, 0);
}

TEST(ResNet20, EveryArithmeticHasTheSameParameters) {
  EXPECT_THAT(parameters(make_network("resnet20", Arithmetic::bnn, {3, 32, 32}, 10)),
              ::testing::UnorderedElementsAreArray(authors_parameters()));
}

TEST(ResNet20, StageSizes) {
  const Network small = make_network("resnet20", Arithmetic::adder, {1, 28, 28}, 10);
  EXPECT_EQ(shape_text(find(small, "layer1.2.relu2").output), "16x28x28");
  EXPECT_EQ(shape_text(find(small, "layer2.2.relu2").output), "32x14x14");
  EXPECT_EQ(shape_text(find(small, "layer3.2.relu2").output), "64x7x7");
  EXPECT_EQ(std::get<AveragePool>(find(small, "avgpool").kind).kernel, 7);
  const Network large = make_network("resnet20", Arithmetic::adder, {3, 32, 32}, 100);
  EXPECT_EQ(std::get<AveragePool>(find(large, "avgpool").kind).kernel, 8);
  EXPECT_EQ(shape_text(large.layers.back().output), "100x1x1");
  const Network odd = make_network("resnet20", Arithmetic::adder, {3, 9, 9}, 10);
  EXPECT_EQ(shape_text(find(odd, "layer2.0.conv1").output), "32x5x5");
  EXPECT_EQ(shape_text(find(odd, "layer2.0.downsample.0").output), "32x5x5");
}

TEST(ResNet32, HasFiveBlocksAStage) {
  const Network network = make_network("resnet32", Arithmetic::adder, {3, 32, 32}, 10);
  int convolutions = 0;
  for (const Layer& layer : network.layers) {
    convolutions += layer.is<Convolution>() ? 1 : 0;
  }
  EXPECT_EQ(convolutions, 31 + 2 + 1);  // 3×3 ones, shortcuts, classifier
  EXPECT_EQ(shape_text(find(network, "layer3.4.relu2").output), "64x8x8");
}

// 1.814 G multiplications of a 224×224 image, as commonly counted: 118,013,952 of the first
// convolution, 462,422,016 of stage 1, 411,041,792 of each other stage, 512,000 of the classifier.
TEST(ResNet18, HasTheTapsOfThePaper) {
  const Network network = make_network("resnet18", Arithmetic::cnn, {3, 224, 224}, 1000);
  std::int64_t taps = 0;
  for (const Layer& layer : network.layers) taps += Network::taps(layer);
  EXPECT_EQ(taps, 1'814'073'344);
  EXPECT_EQ(shape_text(find(network, "maxpool").output), "64x56x56");
  EXPECT_EQ(shape_text(find(network, "layer4.1.relu2").output), "512x7x7");
  EXPECT_EQ(find(network, "layer3.0.downsample.0").convolution().stride, 2);
  const Network small = make_network("resnet18", Arithmetic::shiftaddnet, {3, 32, 32}, 10);
  EXPECT_EQ(shape_text(find(small, "relu1").output), "64x32x32");
  EXPECT_EQ(shape_text(find(small, "layer4.1.relu2").output), "512x4x4");
  EXPECT_EQ(find(small, "layer2.0.conv1.shift").convolution().stride, 2);
}

struct Count {
  const char* network;
  std::int64_t taps;
  std::int64_t parameters;
};

// What torchvision's documentation lists for its models of a 224×224 image (num_params; GFLOPS, of
// which one is a multiplication with its addition): 11,689,512 and 1.81; 21,797,672 and 3.66;
// 25,557,032 and 4.09; 3,504,872 and 0.30. Biases and BatchNorms' weights are parameters.
TEST(ImageNetNetworks, HaveTheCountsOfTorchvision) {
  for (const Count& expected :
       {Count{"resnet18", 1'814'073'344, 11'689'512}, Count{"resnet34", 3'663'761'408, 21'797'672},
        Count{"resnet50", 4'089'184'256, 25'557'032},
        Count{"mobilenet-v2", 300'774'272, 3'504'872}}) {
    const Network network = make_network(expected.network, Arithmetic::cnn, {3, 224, 224}, 1000);
    std::int64_t taps = 0;
    std::int64_t parameters = 0;
    for (const Layer& layer : network.layers) {
      taps += Network::taps(layer);
      parameters += Network::parameters(layer);
    }
    EXPECT_EQ(taps, expected.taps) << expected.network;
    EXPECT_EQ(parameters, expected.parameters) << expected.network;
  }
}

TEST(ResNet50, Shapes) {
  const Network network = make_network("resnet50", Arithmetic::cnn, {3, 224, 224}, 1000);
  EXPECT_EQ(shape_text(find(network, "layer1.0.conv3").output), "256x56x56");
  EXPECT_EQ(find(network, "layer1.0.downsample.0").convolution().stride, 1);
  EXPECT_EQ(find(network, "layer2.0.conv1").convolution().stride, 1);
  EXPECT_EQ(find(network, "layer2.0.conv2").convolution().stride, 2);
  EXPECT_EQ(shape_text(find(network, "layer4.2.relu3").output), "2048x7x7");
}

TEST(MobileNetV2, Shapes) {
  const Network network = make_network("mobilenet-v2", Arithmetic::cnn, {3, 224, 224}, 1000);
  EXPECT_EQ(shape_text(find(network, "features.1.conv.1").output), "16x112x112");
  const Layer& depthwise = find(network, "features.2.conv.1.0");
  EXPECT_EQ(depthwise.convolution().groups, 96);
  EXPECT_EQ(depthwise.convolution().stride, 2);
  EXPECT_EQ(shape_text(depthwise.output), "96x56x56");
  EXPECT_EQ(Network::taps(depthwise), 96 * 56 * 56 * 9);
  EXPECT_EQ(find(network, "features.2.conv.0.0").convolution().groups, 1);
  EXPECT_THAT(find(network, "features.3.add").inputs.size(), 2U);
  EXPECT_EQ(shape_text(find(network, "features.18.2").output), "1280x7x7");
  // Both halves of a ShiftAddNet's.
  const Network pair = make_network("mobilenet-v2", Arithmetic::shiftaddnet, {3, 32, 32}, 10);
  EXPECT_EQ(find(pair, "features.1.conv.0.0.shift").convolution().groups, 32);
  EXPECT_EQ(find(pair, "features.1.conv.0.0.adder").convolution().groups, 32);
  EXPECT_EQ(find(pair, "features.1.conv.1.shift").convolution().groups, 1);
}

TEST(VggSmall, Shapes) {
  const Network network = make_network("vgg-small", Arithmetic::adder, {3, 32, 32}, 10);
  EXPECT_EQ(shape_text(find(network, "conv2").output), "128x32x32");
  EXPECT_EQ(shape_text(find(network, "pool1").output), "128x16x16");
  EXPECT_EQ(shape_text(find(network, "pool2").output), "256x8x8");
  EXPECT_EQ(shape_text(find(network, "pool3").output), "512x4x4");
  const Layer& classifier = network.layers.back();
  EXPECT_EQ(classifier.name, "fc");
  EXPECT_EQ(classifier.convolution().kernel, 4);
  EXPECT_TRUE(classifier.convolution().bias);
  EXPECT_EQ(Network::taps(classifier), 512 * 4 * 4 * 10);
  const Network odd = make_network("vgg-small", Arithmetic::cnn, {1, 28, 28}, 10);
  EXPECT_EQ(shape_text(find(odd, "pool3").output), "512x3x3");
  EXPECT_EQ(odd.layers.back().convolution().kernel, 3);
}

TEST(LeNet, Shapes) {
  const Network network = make_network("lenet", Arithmetic::adder, {1, 28, 28}, 10);
  EXPECT_EQ(shape_text(find(network, "conv1").output), "8x28x28");
  EXPECT_EQ(shape_text(find(network, "conv2").output), "16x14x14");
  EXPECT_EQ(find(network, "conv3").convolution().kernel, 7);
  EXPECT_EQ(shape_text(find(network, "conv3").output), "32x1x1");
}

TEST(Layer, KnowsItsKind) {
  const Network network = make_network("lenet", Arithmetic::adder, {1, 28, 28}, 10);
  const Layer& adder = find(network, "conv2");
  EXPECT_TRUE(adder.computes(Arithmetic::adder));
  EXPECT_FALSE(adder.computes(Arithmetic::cnn));
  EXPECT_EQ(&adder.convolution(), adder.if_convolution());
  const Layer& pool = find(network, "pool1");
  EXPECT_TRUE(pool.is<MaxPool>());
  EXPECT_FALSE(pool.is<Convolution>());
  EXPECT_FALSE(pool.computes(Arithmetic::cnn));
  EXPECT_EQ(pool.if_convolution(), nullptr);
  try {
    pool.convolution();
    FAIL() << "a pool is a convolution";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("pool1"));
  }
}

TEST(Layer, NameAndWindowOfEveryKind) {
  std::vector<std::string> names;
  std::vector<int> kernels;  // 0: none
  for (const LayerKind& kind :
       std::vector<LayerKind>{Convolution{Arithmetic::cnn, 3, 2, 1}, BatchNorm{}, Relu{}, Add{},
                              AveragePool{4, 4}, MaxPool{2, 1}}) {
    names.push_back(kind_name(kind));
    const std::optional<Window> window = window_of(kind);
    kernels.push_back(window.has_value() ? window->kernel : 0);
    if (!window.has_value()) continue;
    EXPECT_EQ(window->stride, window->kernel == 4 ? 4 : window->kernel == 3 ? 2 : 1);
    EXPECT_EQ(window->padding, window->kernel == 3 ? 1 : 0);
  }
  EXPECT_THAT(names,
              ElementsAre("convolution", "batch_norm", "relu", "add", "average_pool", "max_pool"));
  EXPECT_THAT(kernels, ElementsAre(3, 0, 0, 0, 4, 2));
}

// Parameters and taps have a case a kind; a BatchNorm's running statistics are no parameters.
TEST(Layer, CountsOfEveryKind) {
  const auto layer = [](const LayerKind& kind) {
    Layer made;
    made.kind = kind;
    made.input = {6, 4, 4};
    made.output = {6, 2, 2};
    return made;
  };
  Convolution convolution;
  convolution.kernel = 3;
  convolution.bias = true;
  EXPECT_EQ(Network::parameters(layer(convolution)), 6 * 6 * 9 + 6);
  EXPECT_EQ(Network::taps(layer(convolution)), 6 * 4 * 6 * 9);
  convolution.groups = 6;
  EXPECT_EQ(Network::parameters(layer(convolution)), 6 * 9 + 6);
  EXPECT_EQ(Network::parameters(layer(BatchNorm{})), 12);
  for (const LayerKind& kind :
       std::vector<LayerKind>{Relu{}, Add{}, AveragePool{2, 2}, MaxPool{}}) {
    EXPECT_EQ(Network::parameters(layer(kind)), 0) << kind.index();
    EXPECT_EQ(Network::taps(layer(kind)), 0) << kind.index();
  }
}

class EveryNetwork : public ::testing::TestWithParam<std::tuple<std::string, Arithmetic, int>> {};

TEST_P(EveryNetwork, IsASoundGraph) {
  const auto& [name, arithmetic, side] = GetParam();
  const Shape image = {3, side, side};
  const Network network = make_network(name, arithmetic, image, 7);
  EXPECT_EQ(network.name, name);
  EXPECT_EQ(network.arithmetic, arithmetic);
  EXPECT_EQ(network.input, image);
  EXPECT_EQ(network.classes, 7);
  std::set<std::string> names;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    EXPECT_TRUE(names.insert(layer.name).second) << layer.name;
    ASSERT_EQ(layer.inputs.size(), layer.is<Add>() ? 2U : 1U) << layer.name;
    for (const int input : layer.inputs) {
      ASSERT_LT(input, static_cast<int>(i)) << layer.name;
      const Shape& shape =
          input < 0 ? network.input : network.layers[static_cast<std::size_t>(input)].output;
      EXPECT_EQ(shape, layer.input) << layer.name;
    }
    EXPECT_GT(layer.output.elements(), 0) << layer.name;
  }
  EXPECT_EQ(network.layers.back().output, (Shape{7, 1, 1}));
}

TEST_P(EveryNetwork, OnlyFirstConvolutionAndClassifierAreOnTheEdge) {
  const auto& [name, arithmetic, side] = GetParam();
  const Network network = make_network(name, arithmetic, {3, side, side}, 7);
  std::vector<std::string> edges;
  for (const Layer& layer : network.layers) {
    const Convolution* const convolution = layer.if_convolution();
    if (convolution == nullptr) continue;
    if (convolution->edge) {
      edges.push_back(layer.name);
      EXPECT_EQ(convolution->arithmetic, Arithmetic::cnn);
    } else {
      const bool shift = layer.name.find(".shift") != std::string::npos;
      EXPECT_EQ(convolution->arithmetic, shift ? arithmetic.first() : arithmetic.second())
          << layer.name;
    }
  }
  EXPECT_THAT(edges, ElementsAre(network.layers.front().name,
                                 name == "mobilenet-v2" ? "classifier.1" : "fc"));
}

INSTANTIATE_TEST_SUITE_P(Zoo, EveryNetwork,
                         ::testing::Combine(::testing::ValuesIn(workload_names()),
                                            ::testing::Values(Arithmetic::cnn, Arithmetic::adder,
                                                              Arithmetic::bnn, Arithmetic::shift,
                                                              Arithmetic::shiftaddnet,
                                                              Arithmetic::post, Arithmetic::apot),
                                            ::testing::Values(8, 15, 28, 32)));

std::string error_of(const std::string& name, Shape image, int classes) {
  try {
    make_network(name, Arithmetic::cnn, image, classes);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MakeNetwork, RejectsBadArguments) {
  EXPECT_THAT(
      error_of("resnet21", {3, 32, 32}, 10),
      ::testing::AllOf(HasSubstr("\"resnet21\""),
                       HasSubstr("lenet, resnet18, resnet20, resnet32, vgg-small, resnet34, "
                                 "resnet50, mobilenet-v2")));
  EXPECT_THAT(error_of("vgg-small", {3, 7, 7}, 10),
              ::testing::AllOf(HasSubstr("3x7x7"), HasSubstr("at least 8x8")));
  EXPECT_THAT(error_of("resnet20", {3, 3, 3}, 10), HasSubstr("at least 4x4"));
  EXPECT_THAT(error_of("lenet", {0, 28, 28}, 10), HasSubstr("0x28x28"));
  EXPECT_THAT(error_of("lenet", {1, 28, 30}, 10), HasSubstr("square"));
  EXPECT_THAT(error_of("lenet", {1, 28, 28}, 1), HasSubstr("1 classes"));
}

TEST(MakeNetwork, SmallestImagesWork) {
  EXPECT_EQ(error_of("vgg-small", {1, 8, 8}, 2), "accepted");
  EXPECT_EQ(error_of("lenet", {1, 4, 4}, 2), "accepted");
  EXPECT_EQ(error_of("resnet20", {1, 4, 4}, 2), "accepted");
}

}  // namespace
}  // namespace abacus::network
