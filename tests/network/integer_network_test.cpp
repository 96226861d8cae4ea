#include "sw/network/integer_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/network/safetensors.hpp"
#include "sw/workload/synthetic_network.hpp"
#include "tests/network/random_integer_network.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tlm/random_element.hpp"

namespace abacus::network {
namespace {

using test::read_text;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int first = 0;   // edge convolution 2→3 channels, 4×4
constexpr int second = 1;  // adder convolution 3→3 with two groups and a residual
constexpr int sum = 2;     // add
constexpr int pool = 3;    // average pool, 4×4 → 2×2
constexpr int scores = 4;  // max pool, 2×2 → 1×1

IntegerLayer convolution(int input_channels, int output_channels) {
  IntegerLayer layer;
  layer.kind = IntegerLayerKind::convolution;
  layer.output.shape = {output_channels, 4, 4};
  layer.kernel = 3;
  layer.padding = 1;
  layer.weights.assign(static_cast<std::size_t>(output_channels * input_channels * 9), 1);
  layer.read_quantizers = {{1, 0}};
  layer.group.assign(static_cast<std::size_t>(output_channels), 0);
  layer.multipliers.assign(static_cast<std::size_t>(output_channels), -5);
  layer.biases.assign(static_cast<std::size_t>(output_channels), 1000);
  layer.shift = 4;
  return layer;
}

// One layer of every kind.
IntegerNetwork example() {
  IntegerNetwork network;
  network.origin = {
      "lenet", Arithmetic::adder, "fashion-mnist", "adderquant-ptq", 4, 5, "aa", "bb", 91.25, -1.0};
  network.image.shape = {2, 4, 4};
  network.image.scale = 0.1;
  network.input_table.assign(512, -3);
  network.layers.resize(5);

  network.layers[first] = convolution(2, 3);
  network.layers[first].edge = true;

  IntegerLayer& adder = network.layers[second] = convolution(3, 3);
  adder.input = first;
  adder.arithmetic = Arithmetic::adder;
  adder.weight_bits = 4;
  adder.weight_shift = 1;
  adder.activation_bits = 5;
  adder.read_quantizers = {{3, 2}, {5, 3}};
  adder.group = {0, 1, 0};
  adder.residual = first;
  adder.residual_multiplier = 7;
  adder.residual_shift = 2;

  IntegerLayer& add = network.layers[sum];
  add.kind = IntegerLayerKind::add;
  add.input = second;
  add.residual = first;
  add.output.shape = {3, 4, 4};
  add.residual_multiplier = 1;

  IntegerLayer& average = network.layers[pool];
  average.kind = IntegerLayerKind::average_pool;
  average.input = sum;
  average.kernel = average.stride = 2;
  average.output.shape = {3, 2, 2};
  average.shift = 2;

  IntegerLayer& maximum = network.layers[scores];
  maximum.kind = IntegerLayerKind::max_pool;
  maximum.input = pool;
  maximum.kernel = 2;
  maximum.output.shape = {3, 1, 1};

  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    network.layers[i].name = "layer" + std::to_string(i);
  }
  network.classes = 3;
  return network;
}

std::string validation_error(const IntegerNetwork& network) {
  try {
    validate(network, "net.package");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Validation, ExampleIsValid) { EXPECT_EQ(validation_error(example()), "accepted"); }

// One way to break the example; the error must name the source, the place, the field with what was
// found, and what is allowed.
struct Breach {
  std::string name;
  std::function<void(IntegerNetwork&)> breach;
  std::string place;
  std::string found;
  std::string allowed;
};

void PrintTo(const Breach& breach, std::ostream* out) { *out << breach.name; }

Breach at(int layer, std::string name, std::function<void(IntegerLayer&)> change, std::string found,
          std::string allowed) {
  return {std::move(name),
          [=](IntegerNetwork& network) { change(network.layers[static_cast<std::size_t>(layer)]); },
          "layer " + std::to_string(layer) + " \"layer" + std::to_string(layer) + "\"",
          std::move(found), std::move(allowed)};
}

class Validation : public ::testing::TestWithParam<Breach> {};

TEST_P(Validation, NamesPlaceFindingAndWhatIsAllowed) {
  const Breach& breach = GetParam();
  IntegerNetwork network = example();
  breach.breach(network);
  EXPECT_THAT(validation_error(network),
              AllOf(HasSubstr("net.package: " + breach.place + ": "), HasSubstr(breach.found),
                    HasSubstr("allowed: " + breach.allowed)));
}

std::vector<Breach> network_breaches() {
  using N = IntegerNetwork;
  const std::string network = "network";
  return {
      {"NoLayers", [](N& n) { n.layers.clear(); }, network, "number of layers is 0", "1 or more"},
      {"Classes", [](N& n) { n.classes = 4; }, network, "is 3", "4, one a class"},
      {"NoClasses", [](N& n) { n.classes = 0; }, network, "number of classes is 0", "1 to"},
      {"ImageBitsLow", [](N& n) { n.image.bits = 1; }, network, "image bits is 1", "2 to 16"},
      {"ImageBitsHigh", [](N& n) { n.image.bits = 17; }, network, "image bits is 17", "2 to 16"},
      {"ImageHeight", [](N& n) { n.image.shape.height = 0; }, network, "image height is 0", "1 to"},
      {"ImageScale", [](N& n) { n.image.scale = 0; }, network, "image scale is 0", "finite"},
      {"ImageScaleNotANumber",
       [](N& n) { n.image.scale = std::numeric_limits<double>::quiet_NaN(); }, network,
       "image scale is", "finite"},
      {"TableLength", [](N& n) { n.input_table.pop_back(); }, network,
       "length of input_table is 511", "512"},
      {"TableValue", [](N& n) { n.input_table[300] = 128; }, network, "input_table[300] is 128",
       "-128 to 127"},
      {"OriginWeightBits", [](N& n) { n.origin.weight_bits = 1; }, "origin", "weight_bits is 1",
       "2 to 8"},
      {"OriginActivationBits", [](N& n) { n.origin.activation_bits = 9; }, "origin",
       "activation_bits is 9", "2 to 8"},
      {"OriginFloatAccuracy", [](N& n) { n.origin.float_accuracy_percent = 100.5; }, "origin",
       "float_accuracy_percent is 100.5", "0 to 100"},
      {"OriginQuantizedAccuracy", [](N& n) { n.origin.fake_quantized_accuracy_percent = -2; },
       "origin", "fake_quantized_accuracy_percent is -2", "0 to 100"},
      {"LayerWithoutName", [](N& n) { n.layers[1].name = ""; }, "layer 1", "name is empty",
       "a name"},
      {"NameTwice", [](N& n) { n.layers[1].name = "layer0"; }, "layer 1 \"layer0\"",
       "name is that of an earlier layer", "a name of its own"},
  };
}

std::vector<Breach> layer_breaches() {
  using L = IntegerLayer;
  return {
      at(
          second, "InputLater", [](L& l) { l.input = 1; }, "input is 1", "-1 to 0"),
      at(
          second, "InputBelow", [](L& l) { l.input = -2; }, "input is -2", "-1 to 0"),
      at(
          second, "ResidualLater", [](L& l) { l.residual = 1; }, "residual is 1", "-1 to 0"),
      at(
          second, "ResidualBelow", [](L& l) { l.residual = -3; }, "residual is -3", "-1 to 0"),
      at(
          second, "ResidualShape", [](L& l) { l.residual = -1; }, "shape of the residual is 2x4x4",
          "3x4x4"),
      at(
          second, "OutputBitsLow", [](L& l) { l.output.bits = 1; }, "output bits is 1", "2 to 16"),
      at(
          second, "OutputBitsHigh", [](L& l) { l.output.bits = 17; }, "output bits is 17",
          "2 to 16"),
      at(
          second, "OutputChannels", [](L& l) { l.output.shape.channels = 0; },
          "output channels is 0", "1 to"),
      at(
          first, "OutputHeight", [](L& l) { l.output.shape.height = 3; }, "output shape is 3x3x4",
          "3x4x4"),
      at(
          second, "OutputWidth", [](L& l) { l.output.shape.width = 32768; },
          "output width is 32768", "1 to 32767"),
      at(
          second, "OutputScale", [](L& l) { l.output.scale = -1; }, "output scale is -1", "finite"),
      at(
          second, "KernelZero", [](L& l) { l.kernel = 0; }, "kernel is 0", "1 to 255"),
      at(
          second, "KernelTooLarge", [](L& l) { l.kernel = 7; }, "kernel is 7",
          "at most the padded input, 3x4x4 with padding 1"),
      at(
          second, "KernelHuge", [](L& l) { l.kernel = 256; }, "kernel is 256", "1 to 255"),
      at(
          second, "Stride", [](L& l) { l.stride = 0; }, "stride is 0", "1 to 255"),
      at(
          second, "PaddingNegative", [](L& l) { l.padding = -1; }, "padding is -1", "0 to 2"),
      at(
          second, "PaddingHigh", [](L& l) { l.padding = 3; }, "padding is 3", "0 to 2"),
      at(
          second, "WeightBitsLow", [](L& l) { l.weight_bits = 1; }, "weight_bits is 1", "2 to 8"),
      at(
          second, "WeightBitsHigh", [](L& l) { l.weight_bits = 9; }, "weight_bits is 9", "2 to 8"),
      at(
          second, "ActivationBitsLow", [](L& l) { l.activation_bits = 1; }, "activation_bits is 1",
          "2 to 8"),
      at(
          second, "ActivationBitsHigh", [](L& l) { l.activation_bits = 9; }, "activation_bits is 9",
          "2 to 8"),
      at(
          second, "EdgeAdder", [](L& l) { l.edge = true; }, "arithmetic is adder",
          "cnn on the edge array"),
      at(
          second, "WeightShiftHigh", [](L& l) { l.weight_shift = 8; }, "weight_shift is 8",
          "0 to 7"),
      at(
          second, "WeightShiftNegative", [](L& l) { l.weight_shift = -1; }, "weight_shift is -1",
          "0 to 7"),
      at(
          second, "ActivationShiftHigh", [](L& l) { l.activation_shift = 8; },
          "activation_shift is 8", "0 to 7"),
      at(
          second, "BothShifts", [](L& l) { l.activation_shift = 1; }, "is 1 and 1",
          "at least one of them 0"),
      // 4 bits signed: −8 … 7
      at(
          second, "WeightsShiftedTooFar", [](L& l) { l.weight_shift = 7; },
          "range of the shifted weights is -1024 to 896", "-512 to 512"),
      // 5 bits unsigned: 0 … 31
      at(
          second, "ActivationsShiftedTooFar",
          [](L& l) {
            l.weight_shift = 0;
            l.activation_shift = 5;
          },
          "range of the shifted activations is 0 to 992", "-512 to 512"),
      at(
          first, "CnnWeightShift", [](L& l) { l.weight_shift = 1; }, "weight_shift", "0 to 0"),
      at(
          first, "CnnActivationShift", [](L& l) { l.activation_shift = 1; }, "activation_shift",
          "0 to 0"),
      at(
          second, "WeightCount", [](L& l) { l.weights.pop_back(); }, "length of weights is 80",
          "81"),
      at(
          second, "WeightHigh", [](L& l) { l.weights[7] = 8; }, "weights[7] is 8", "-8 to 7"),
      at(
          second, "WeightLow", [](L& l) { l.weights[80] = -9; }, "weights[80] is -9", "-8 to 7"),
      at(
          second, "UnsignedWeight",
          [](L& l) {
            l.weight_signed = false;
            l.weights[3] = -1;
          },
          "weights[3] is -1", "0 to 15"),
      at(
          second, "NoReadQuantizer", [](L& l) { l.read_quantizers.clear(); },
          "number of read_quantizers is 0", "1 or more"),
      at(
          second, "ReadMultiplierLow", [](L& l) { l.read_quantizers[1].multiplier = 0; },
          "read_quantizers[1].multiplier is 0", "1 to 65535"),
      at(
          second, "ReadMultiplierHigh", [](L& l) { l.read_quantizers[1].multiplier = 65536; },
          "read_quantizers[1].multiplier is 65536", "1 to 65535"),
      at(
          second, "ReadShiftLow", [](L& l) { l.read_quantizers[0].shift = -1; },
          "read_quantizers[0].shift is -1", "0 to 31"),
      at(
          second, "ReadShiftHigh", [](L& l) { l.read_quantizers[0].shift = 32; },
          "read_quantizers[0].shift is 32", "0 to 31"),
      at(
          second, "GroupCount", [](L& l) { l.group.push_back(0); }, "length of group is 4", "3"),
      at(
          second, "GroupHigh", [](L& l) { l.group[1] = 2; }, "group[1] is 2", "0 to 1"),
      at(
          second, "GroupLow", [](L& l) { l.group[2] = -1; }, "group[2] is -1", "0 to 1"),
      at(
          second, "MultiplierCount", [](L& l) { l.multipliers.clear(); },
          "length of multipliers is 0", "3"),
      at(
          second, "MultiplierHigh", [](L& l) { l.multipliers[0] = 32768; },
          "multipliers[0] is 32768", "-32768 to 32767"),
      at(
          second, "MultiplierLow", [](L& l) { l.multipliers[0] = -32769; },
          "multipliers[0] is -32769", "-32768 to 32767"),
      at(
          second, "BiasCount", [](L& l) { l.biases.pop_back(); }, "length of biases is 2", "3"),
      at(
          second, "BiasHigh", [](L& l) { l.biases[2] = (std::int64_t{1} << 46) + 1; },
          "biases[2] is 70368744177665", "-70368744177664 to 70368744177664"),
      at(
          second, "BiasLow", [](L& l) { l.biases[2] = -(std::int64_t{1} << 46) - 1; },
          "biases[2] is -70368744177665", "-70368744177664 to 70368744177664"),
      at(
          second, "ResidualMultiplierHigh", [](L& l) { l.residual_multiplier = 65536; },
          "residual_multiplier is 65536", "0 to 65535"),
      at(
          second, "ResidualMultiplierLow", [](L& l) { l.residual_multiplier = -1; },
          "residual_multiplier is -1", "0 to 65535"),
      at(
          second, "ResidualShiftHigh", [](L& l) { l.residual_shift = 25; }, "residual_shift is 25",
          "0 to 24"),
      at(
          second, "ResidualShiftLow", [](L& l) { l.residual_shift = -1; }, "residual_shift is -1",
          "0 to 24"),
      at(
          second, "ShiftHigh", [](L& l) { l.shift = 47; }, "shift is 47", "0 to 46"),
      at(
          second, "ShiftLow", [](L& l) { l.shift = -1; }, "shift is -1", "0 to 46"),
      at(
          sum, "AddShape", [](L& l) { l.output.shape.channels = 2; },
          "shape of the residual is 3x4x4", "2x4x4"),
      at(
          sum, "AddInputShape", [](L& l) { l.input = image_tensor; }, "output shape is 3x4x4",
          "2x4x4"),
      at(
          sum, "AddWithoutSecondOperand", [](L& l) { l.residual = no_tensor; },
          "residual is no tensor", "a second operand"),
      at(
          sum, "AddMultiplierLow", [](L& l) { l.multiplier = -1; }, "multiplier is -1",
          "0 to 65535"),
      at(
          sum, "AddMultiplierHigh", [](L& l) { l.multiplier = 65536; }, "multiplier is 65536",
          "0 to 65535"),
      at(
          sum, "AddLeftShiftHigh", [](L& l) { l.left_shift = 25; }, "left_shift is 25", "0 to 24"),
      at(
          sum, "AddLeftShiftLow", [](L& l) { l.left_shift = -1; }, "left_shift is -1", "0 to 24"),
      at(
          sum, "AddBias", [](L& l) { l.bias = 1; }, "bias of an add is 1", "0 to 0"),
      at(
          sum, "AddWeights", [](L& l) { l.weights = {1}; }, "length of weights is 1", "0"),
      at(
          sum, "AddReadQuantizers",
          [](L& l) {
            l.read_quantizers = {{1, 0}};
          },
          "length of read_quantizers is 1", "0"),
      at(
          pool, "PoolGroup", [](L& l) { l.group = {0}; }, "length of group is 1", "0"),
      at(
          pool, "PoolMultipliers", [](L& l) { l.multipliers = {0}; }, "length of multipliers is 1",
          "0"),
      at(
          pool, "PoolBiases", [](L& l) { l.biases = {0}; }, "length of biases is 1", "0"),
      at(
          pool, "PoolPadding",
          [](L& l) {
            l.padding = 1;
            l.output.shape = {3, 3, 3};
          },
          "padding of a pool is 1", "0 to 0"),
      at(
          pool, "PoolShape", [](L& l) { l.output.shape.channels = 2; }, "output shape is 2x2x2",
          "3x2x2"),
      at(
          pool, "PoolKernel", [](L& l) { l.kernel = 5; }, "kernel is 5",
          "at most the padded input"),
      at(
          pool, "PoolMultiplierLow", [](L& l) { l.multiplier = -1; }, "multiplier is -1",
          "0 to 65535"),
      at(
          pool, "PoolMultiplierHigh", [](L& l) { l.multiplier = 65536; }, "multiplier is 65536",
          "0 to 65535"),
      at(
          pool, "PoolLeftShift", [](L& l) { l.left_shift = 1; }, "left_shift of a pool is 1",
          "0 to 0"),
      at(
          pool, "PoolBias", [](L& l) { l.bias = (std::int64_t{1} << 46) + 1; },
          "bias is 70368744177665", "-70368744177664 to 70368744177664"),
      at(
          pool, "PoolResidual", [](L& l) { l.residual = 0; }, "shape of the residual is 3x4x4",
          "3x2x2"),
      at(
          scores, "PoolResidualOfItsShape",
          [](L& l) {
            l.kernel = 1;
            l.output.shape = {3, 2, 2};
            l.residual = pool;
          },
          "residual of a pool is 3", "none"),
      at(
          pool, "PoolRelu", [](L& l) { l.relu = true; }, "relu of a pool is true", "false"),
  };
}

std::string breach_name(const ::testing::TestParamInfo<Breach>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Network, Validation, ::testing::ValuesIn(network_breaches()), breach_name);
INSTANTIATE_TEST_SUITE_P(Layer, Validation, ::testing::ValuesIn(layer_breaches()), breach_name);

// Every limit itself is allowed.
// The same network with its second layer binary.
IntegerNetwork binary_example() {
  IntegerNetwork network = example();
  network.origin.arithmetic = Arithmetic::bnn;
  network.origin.weight_bits = network.origin.activation_bits = 1;
  IntegerLayer& layer = network.layers[second];
  layer.arithmetic = Arithmetic::bnn;
  layer.weight_bits = layer.activation_bits = 1;
  layer.activation_signed = true;
  layer.weight_shift = 0;
  layer.read_quantizers = {{1, 0}};
  layer.group = {0, 0, 0};
  for (std::size_t i = 0; i < layer.weights.size(); i += 2) layer.weights[i] = -1;
  return network;
}

TEST(BinaryValidation, AcceptsOneBitOnlyOfBinaryLayersAndNothingElseOfThem) {
  EXPECT_EQ(validation_error(binary_example()), "accepted");
  const auto refuses = [](const std::function<void(IntegerNetwork&, IntegerLayer&)>& breach,
                          const std::string& found, const std::string& allowed) {
    IntegerNetwork network = binary_example();
    breach(network, network.layers[second]);
    EXPECT_THAT(validation_error(network), AllOf(HasSubstr(found), HasSubstr(allowed)));
  };
  using N = IntegerNetwork;
  using L = IntegerLayer;
  const std::string layer = "layer 1 \"layer1\": ";
  refuses([](N&, L& l) { l.weight_bits = 2; }, layer + "weight_bits with arithmetic bnn is 2",
          "allowed: 1 to 1");
  refuses([](N&, L& l) { l.activation_bits = 8; },
          layer + "activation_bits with arithmetic bnn is 8", "allowed: 1 to 1");
  refuses([](N&, L& l) { l.weight_signed = false; },
          layer + "weight_signed with arithmetic bnn is false", "allowed: true");
  refuses([](N&, L& l) { l.activation_signed = false; },
          layer + "activation_signed with arithmetic bnn is false", "allowed: true");
  refuses([](N&, L& l) { l.weights[5] = 0; }, layer + "weights[5] with arithmetic bnn is 0",
          "allowed: -1 and 1");
  refuses([](N&, L& l) { l.weights[6] = 2; }, layer + "weights[6] with arithmetic bnn is 2",
          "allowed: -1 and 1");
  refuses([](N&, L& l) { l.read_quantizers[0].multiplier = 2; },
          layer + "read_quantizers[0].multiplier with arithmetic bnn is 2", "allowed: 1 to 1");
  refuses([](N&, L& l) { l.read_quantizers[0].shift = 1; },
          layer + "read_quantizers[0].shift with arithmetic bnn is 1", "allowed: 0 to 0");
  refuses([](N&, L& l) { l.weight_shift = 1; }, layer + "weight_shift with arithmetic bnn is 1",
          "allowed: 0 to 0");
  refuses([](N&, L& l) { l.edge = true; }, layer + "arithmetic is bnn",
          "allowed: cnn on the edge array");
  refuses([](N& n, L&) { n.origin.weight_bits = 4; },
          "origin: weight_bits with arithmetic bnn is 4", "allowed: 1 to 1");
  for (const hw::TapKind arithmetic : {Arithmetic::cnn, Arithmetic::adder}) {
    refuses([&](N&, L& l) { l.arithmetic = arithmetic; }, layer + "weight_bits is 1",
            "allowed: 2 to 8");
  }
}

// The same network with its second layer a shift layer, which an adder layer reads.
IntegerNetwork shift_example() {
  IntegerNetwork network = example();
  network.origin.arithmetic = Arithmetic::shift;
  IntegerLayer& layer = network.layers[second];
  layer.arithmetic = Arithmetic::shift;
  layer.weight_shift = 0;
  layer.levels = (1 << (layer.weight_bits - 1)) - 1;
  layer.fraction_bits = 6;
  for (std::int16_t& weight : layer.weights) {
    weight = std::max<std::int16_t>(weight, static_cast<std::int16_t>(-layer.levels));
  }
  return network;
}

TEST(ShiftValidation, AcceptsCodesWithinTheLevelsAndTheFractionThatFits) {
  EXPECT_EQ(validation_error(shift_example()), "accepted");
  const auto refuses = [](const std::function<void(IntegerNetwork&, IntegerLayer&)>& breach,
                          const std::string& found, const std::string& allowed) {
    IntegerNetwork network = shift_example();
    breach(network, network.layers[second]);
    EXPECT_THAT(validation_error(network), AllOf(HasSubstr(found), HasSubstr(allowed)));
  };
  using N = IntegerNetwork;
  using L = IntegerLayer;
  const std::string layer = "layer 1 \"layer1\": ";
  refuses([](N&, L& l) { l.levels = 0; }, layer + "levels with arithmetic shift is 0",
          "allowed: 1 to 7");
  refuses([](N&, L& l) { l.levels = 8; }, layer + "levels with arithmetic shift is 8",
          "allowed: 1 to 7");
  refuses(
      [](N&, L& l) {
        l.levels = 3;
        l.weights.assign(l.weights.size(), 0);
        l.weights[4] = -4;
      },
      layer + "weights with arithmetic shift[4] is -4", "allowed: -3 to 3");
  refuses([](N&, L& l) { l.weights[5] = -8; }, layer + "weights with arithmetic shift[5] is -8",
          "allowed: -7 to 7");
  refuses([](N&, L& l) { l.weight_signed = false; },
          layer + "weight_signed with arithmetic shift is false", "allowed: true");
  refuses([](N&, L& l) { l.weight_bits = 9; }, layer + "weight_bits is 9", "allowed: 2 to 8");
  refuses([](N&, L& l) { l.activation_bits = 1; }, layer + "activation_bits is 1",
          "allowed: 2 to 8");
  refuses([](N&, L& l) { l.fraction_bits = 13; },
          layer + "fraction_bits with arithmetic shift is 13", "allowed: 0 to 12");
  refuses([](N&, L& l) { l.fraction_bits = -1; },
          layer + "fraction_bits with arithmetic shift is -1", "allowed: 0 to 12");
  refuses([](N&, L& l) { l.shift = 41; }, layer + "shift + fraction_bits is 47",
          "allowed: 0 to 46");
  refuses([](N&, L& l) { l.biases[1] = (std::int64_t{1} << 40) + 1; },
          layer + "biases with 6 fraction_bits[1] is 1099511627777",
          "allowed: -1099511627776 to 1099511627776");
  refuses(
      [](N&, L& l) {
        l.residual = 0;
        l.residual_shift = 19;
      },
      layer + "residual_shift + fraction_bits is 25", "allowed: 0 to 24");
  refuses([](N&, L& l) { l.activation_shift = 1; },
          layer + "activation_shift with arithmetic shift is 1", "allowed: 0 to 0");
  refuses([](N&, L& l) { l.edge = true; }, layer + "arithmetic is shift",
          "allowed: cnn on the edge array");
  refuses([](N&, L& l) { l.arithmetic = Arithmetic::adder; },
          layer + "levels with arithmetic adder is 7", "allowed: 0 to 0");
  refuses(
      [](N&, L& l) {
        l.arithmetic = Arithmetic::cnn;
        l.levels = 0;
      },
      layer + "fraction_bits with arithmetic cnn is 6", "allowed: 0 to 0");
}

TEST(PostValidation, FractionsAreThoseOfLookupTables) {
  IntegerNetwork network = shift_example();
  network.layers[second].arithmetic = Arithmetic::post;
  EXPECT_EQ(validation_error(network), "accepted");
  for (const int bits : {1, 9}) {
    network.layers[second].fraction_bits = bits;
    EXPECT_THAT(validation_error(network),
                AllOf(HasSubstr("fraction_bits with arithmetic post is " + std::to_string(bits)),
                      HasSubstr("allowed: 2 to 8")));
  }
}

TEST(ApotValidation, ExponentsAreTwoListsThatTheCodesChooseFrom) {
  IntegerNetwork good = shift_example();
  good.layers[second].arithmetic = Arithmetic::apot;
  good.layers[second].first_exponents = {no_exponent, 1, 2, 4};
  good.layers[second].second_exponents = {no_exponent, 3};
  EXPECT_EQ(validation_error(good), "accepted");
  const auto refuses = [&](const std::function<void(IntegerLayer&)>& breach,
                           const std::string& found) {
    IntegerNetwork network = good;
    breach(network.layers[second]);
    EXPECT_THAT(validation_error(network), HasSubstr("layer 1 \"layer1\": " + found));
  };
  using L = IntegerLayer;
  refuses(
      [](L& l) {
        l.first_exponents = {no_exponent, 1, 2};
      },
      "length of first_exponents is 3; allowed: powers of two from 2 to 16");
  refuses([](L& l) { l.second_exponents.clear(); },
          "length of second_exponents is 0; allowed: powers of two from 1 to 16");
  refuses([](L& l) { l.second_exponents = {no_exponent}; },
          "lengths of first_exponents and second_exponents is 4 and 1; allowed: a product of 8");
  refuses([](L& l) { l.first_exponents[2] = 31; }, "first_exponents[2] is 31; allowed: -1 to 30");
  refuses([](L& l) { l.second_exponents[0] = 0; },
          "second_exponents[0] is 0; allowed: -1, since code 0 is weight 0");
  refuses([](L& l) { l.arithmetic = Arithmetic::shift; },
          "length of first_exponents with arithmetic shift is 4; allowed: 0");
}

// The same network with its second layer an ordinary one whose step is adapted.
IntegerNetwork adapter_example() {
  IntegerNetwork network = example();
  IntegerLayer& layer = network.layers[second];
  layer.arithmetic = Arithmetic::cnn;
  layer.weight_shift = 0;
  layer.read_quantizers = {{3, 2}};
  layer.group = {0, 0, 0};
  AdapterNetwork adapter;
  adapter.pool_multiplier = 1024;
  adapter.pool_shift = 14;
  adapter.first_weights = {1, -2, 3, 4, 5, -6};
  adapter.first_biases = {100, -200};
  adapter.first_shift = 3;
  adapter.second_weights = {7, -8};
  adapter.second_bias = 4096 << 4;
  adapter.second_shift = 4;
  layer.adapter = adapter;
  return network;
}

// Four channels in and out, 3×3.
IntegerNetwork depthwise_example() {
  IntegerNetwork network =
      workload::synthetic_network({"mobilenet-v2", Arithmetic::adder, {3, 32, 32}, 10, 4, 4, 4, 3});
  EXPECT_TRUE(network.layers[1].depthwise);
  return network;
}

TEST(DepthwiseValidation, ChannelsStayAndOneQuantizerReadsThem) {
  EXPECT_EQ(validation_error(depthwise_example()), "accepted");
  const auto refuses = [&](const std::function<void(IntegerNetwork&, IntegerLayer&)>& breach,
                           const std::string& found) {
    IntegerNetwork network = depthwise_example();
    breach(network, network.layers[1]);
    EXPECT_THAT(validation_error(network), HasSubstr(found));
  };
  using N = IntegerNetwork;
  using L = IntegerLayer;
  refuses([](N&, L& l) { l.depthwise = false; }, "length of weights is 288; allowed: 9216");
  refuses([](N&, L& l) { l.weights.push_back(0); }, "length of weights is 289; allowed: 288");
  refuses([](N&, L& l) { l.output.shape.channels = 31; },
          "output channels of a depthwise convolution is 31; allowed: 32 to 32");
  refuses(
      [](N&, L& l) {
        l.read_quantizers.push_back({1, 0});
      },
      "number of read_quantizers of a depthwise convolution is 2; allowed: 1");
  refuses(
      [](N&, L& l) {
        l.edge = true;
        l.arithmetic = Arithmetic::cnn;
      },
      "depthwise is true; allowed: false on the edge array");
  refuses([](N& n, L&) { n.layers[n.layers.size() - 2].depthwise = true; },
          "depthwise of a layer that is no convolution");
}

TEST(AdapterValidation, AcceptsOneStepOfProductsAndNothingElse) {
  EXPECT_EQ(validation_error(adapter_example()), "accepted");
  const auto refuses = [&](const std::function<void(IntegerNetwork&, IntegerLayer&)>& breach,
                           const std::string& found) {
    IntegerNetwork network = adapter_example();
    breach(network, network.layers[second]);
    EXPECT_THAT(validation_error(network), HasSubstr(found));
  };
  using N = IntegerNetwork;
  using L = IntegerLayer;
  const std::string layer = "layer 1 \"layer1\": ";
  refuses(
      [](N&, L& l) { l.arithmetic = Arithmetic::adder; },
      layer + "adapter with arithmetic adder is given; allowed: none, since it scales products");
  refuses(
      [](N&, L& l) {
        l.read_quantizers.push_back({1, 0});
        l.group[1] = 1;
      },
      layer + "number of read_quantizers of a layer with an adapter is 2; allowed: 1");
  refuses([](N& n, L& l) { n.layers[first].adapter = l.adapter; },
          "layer 0 \"layer0\": input of a layer with an adapter is the image");
  refuses([](N& n, L& l) { n.layers[sum].adapter = l.adapter; },
          "layer 2 \"layer2\": adapter of a layer that is no convolution is given");
  refuses([](N&, L& l) { l.adapter->pool_multiplier = 65536; },
          layer + "adapter pool_multiplier is 65536; allowed: 0 to 65535");
  refuses([](N&, L& l) { l.adapter->pool_shift = 47; }, layer + "adapter pool_shift is 47");
  refuses([](N&, L& l) { l.adapter->pool_shift = 0; }, layer + "adapter mean of values of ");
  refuses([](N&, L& l) { l.adapter->first_shift = -1; }, layer + "adapter first_shift is -1");
  refuses([](N&, L& l) { l.adapter->second_shift = 47; }, layer + "adapter second_shift is 47");
  refuses([](N&, L& l) { l.adapter->first_weights.pop_back(); },
          layer + "length of adapter first_weights is 5; allowed: 6");
  refuses([](N&, L& l) { l.adapter->first_weights[3] = 128; },
          layer + "adapter first_weights[3] is 128; allowed: -128 to 127");
  refuses([](N&, L& l) { l.adapter->first_biases[1] = (std::int64_t{1} << 40) + 1; },
          layer + "adapter first_biases[1] is 1099511627777");
  refuses([](N&, L& l) { l.adapter->second_weights.push_back(1); },
          layer + "length of adapter second_weights is 3; allowed: 2");
  refuses([](N&, L& l) { l.adapter->second_weights[0] = -129; },
          layer + "adapter second_weights[0] is -129");
  refuses([](N&, L& l) { l.adapter->second_bias = -(std::int64_t{1} << 41); },
          layer + "adapter second_bias is -2199023255552");
  refuses(
      [](N&, L& l) {
        l.adapter->first_weights.clear();
        l.adapter->first_biases.clear();
      },
      layer + "length of adapter second_weights is 2; allowed: 3");
}

// Shift and adder layer by turns, between an edge convolution and a classifier.
IntegerNetwork shift_add_example() {
  return workload::synthetic_network(
      {"lenet", Arithmetic::shiftaddnet, {1, 28, 28}, 10, 5, 5, 1, 3});
}

TEST(ShiftAddValidation, NothingStandsBetweenShiftAndAdder) {
  const IntegerNetwork good = shift_add_example();
  EXPECT_EQ(validation_error(good), "accepted");
  std::size_t shift = 0;
  while (good.layers[shift].arithmetic != Arithmetic::shift) ++shift;
  const auto refuses = [&](const std::function<void(IntegerNetwork&, IntegerLayer&)>& breach,
                           const std::string& found) {
    IntegerNetwork network = good;
    breach(network, network.layers[shift]);
    EXPECT_THAT(validation_error(network),
                AllOf(HasSubstr(good.layers[shift].name + "\": "), HasSubstr(found)));
  };
  using N = IntegerNetwork;
  using L = IntegerLayer;
  refuses([](N&, L& l) { l.output.is_signed = false; },
          "output signed of a shift layer in a shiftaddnet is false; allowed: true");
  refuses([](N&, L& l) { l.relu = true; }, "relu of a shift layer in a shiftaddnet is true");
  refuses([&](N& n, L&) { n.layers[shift + 1].arithmetic = Arithmetic::cnn; },
          "reader of a shift layer in a shiftaddnet is layer");
  refuses([&](N& n, L& l) { n.layers[shift + 1].input = l.input; }, "allowed: an adder layer");
}

TEST(ValidationLimits, AreInclusive) {
  const auto accepted = [](const std::function<void(IntegerLayer&)>& change) {
    IntegerNetwork network = example();
    change(network.layers[second]);
    return validation_error(network);
  };
  for (const auto& [multiplier, shift] : {std::pair{1, 0}, std::pair{65535, 31}}) {
    const ReadQuantizer quantizer = {multiplier, shift};
    EXPECT_EQ(accepted([&](IntegerLayer& l) { l.read_quantizers[0] = quantizer; }), "accepted");
  }
  for (const int multiplier : {-32768, 32767}) {
    EXPECT_EQ(accepted([&](IntegerLayer& l) { l.multipliers[0] = multiplier; }), "accepted");
  }
  for (const std::int64_t bias : {-(std::int64_t{1} << 46), std::int64_t{1} << 46}) {
    EXPECT_EQ(accepted([&](IntegerLayer& l) { l.biases[0] = bias; }), "accepted");
  }
  EXPECT_EQ(accepted([](IntegerLayer& l) {
              l.residual_multiplier = 65535;
              l.residual_shift = 24;
              l.shift = 46;
              l.output.bits = 16;
              l.weight_shift = 6;  // −8 · 64 = −512
              l.weights[0] = -8;
              l.weights[1] = 7;
            }),
            "accepted");
}

TEST(IntegerLayerKind, HasTheTextsOfThePackage) {
  EXPECT_EQ(to_string(IntegerLayerKind::convolution), "convolution");
  EXPECT_EQ(to_string(IntegerLayerKind::add), "add");
  EXPECT_EQ(to_string(IntegerLayerKind::average_pool), "average_pool");
  EXPECT_EQ(to_string(IntegerLayerKind::max_pool), "max_pool");
}

void expect_equal(const StoredTensor& a, const StoredTensor& b) {
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.bits, b.bits);
  EXPECT_EQ(a.is_signed, b.is_signed);
  EXPECT_EQ(a.scale, b.scale);
}

void expect_equal(const IntegerLayer& a, const IntegerLayer& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.input, b.input);
  EXPECT_EQ(a.residual, b.residual);
  expect_equal(a.output, b.output);
  EXPECT_EQ(a.kernel, b.kernel);
  EXPECT_EQ(a.stride, b.stride);
  EXPECT_EQ(a.padding, b.padding);
  EXPECT_EQ(a.arithmetic, b.arithmetic);
  EXPECT_EQ(a.edge, b.edge);
  EXPECT_EQ(a.depthwise, b.depthwise);
  EXPECT_EQ(a.weight_bits, b.weight_bits);
  EXPECT_EQ(a.weight_signed, b.weight_signed);
  EXPECT_EQ(a.activation_bits, b.activation_bits);
  EXPECT_EQ(a.activation_signed, b.activation_signed);
  EXPECT_EQ(a.weight_shift, b.weight_shift);
  EXPECT_EQ(a.activation_shift, b.activation_shift);
  EXPECT_EQ(a.weights, b.weights);
  ASSERT_EQ(a.read_quantizers.size(), b.read_quantizers.size());
  for (std::size_t g = 0; g < a.read_quantizers.size(); ++g) {
    EXPECT_EQ(a.read_quantizers[g].multiplier, b.read_quantizers[g].multiplier);
    EXPECT_EQ(a.read_quantizers[g].shift, b.read_quantizers[g].shift);
  }
  EXPECT_EQ(a.levels, b.levels);
  EXPECT_EQ(a.fraction_bits, b.fraction_bits);
  EXPECT_EQ(a.first_exponents, b.first_exponents);
  EXPECT_EQ(a.second_exponents, b.second_exponents);
  ASSERT_EQ(a.adapter.has_value(), b.adapter.has_value());
  if (a.adapter) {
    EXPECT_EQ(a.adapter->pool_multiplier, b.adapter->pool_multiplier);
    EXPECT_EQ(a.adapter->pool_shift, b.adapter->pool_shift);
    EXPECT_EQ(a.adapter->first_weights, b.adapter->first_weights);
    EXPECT_EQ(a.adapter->first_biases, b.adapter->first_biases);
    EXPECT_EQ(a.adapter->first_shift, b.adapter->first_shift);
    EXPECT_EQ(a.adapter->second_weights, b.adapter->second_weights);
    EXPECT_EQ(a.adapter->second_bias, b.adapter->second_bias);
    EXPECT_EQ(a.adapter->second_shift, b.adapter->second_shift);
  }
  EXPECT_EQ(a.group, b.group);
  EXPECT_EQ(a.multipliers, b.multipliers);
  EXPECT_EQ(a.biases, b.biases);
  EXPECT_EQ(a.multiplier, b.multiplier);
  EXPECT_EQ(a.left_shift, b.left_shift);
  EXPECT_EQ(a.bias, b.bias);
  EXPECT_EQ(a.residual_multiplier, b.residual_multiplier);
  EXPECT_EQ(a.residual_shift, b.residual_shift);
  EXPECT_EQ(a.shift, b.shift);
  EXPECT_EQ(a.relu, b.relu);
}

void expect_equal(const IntegerNetwork& a, const IntegerNetwork& b) {
  EXPECT_EQ(a.origin.network, b.origin.network);
  EXPECT_EQ(a.origin.arithmetic, b.origin.arithmetic);
  EXPECT_EQ(a.origin.dataset, b.origin.dataset);
  EXPECT_EQ(a.origin.scheme, b.origin.scheme);
  EXPECT_EQ(a.origin.weight_bits, b.origin.weight_bits);
  EXPECT_EQ(a.origin.activation_bits, b.origin.activation_bits);
  EXPECT_EQ(a.origin.checkpoint_sha256, b.origin.checkpoint_sha256);
  EXPECT_EQ(a.origin.recipe_sha256, b.origin.recipe_sha256);
  EXPECT_EQ(a.origin.float_accuracy_percent, b.origin.float_accuracy_percent);
  EXPECT_EQ(a.origin.fake_quantized_accuracy_percent, b.origin.fake_quantized_accuracy_percent);
  expect_equal(a.image, b.image);
  ASSERT_EQ(a.element.has_value(), b.element.has_value());
  if (a.element) {
    EXPECT_EQ(a.element->name, b.element->name);
    EXPECT_TRUE(a.element->same_element(*b.element));
  }
  EXPECT_EQ(a.input_table, b.input_table);
  EXPECT_EQ(a.classes, b.classes);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) expect_equal(a.layers[i], b.layers[i]);
}

class Package : public ::testing::Test {
 protected:
  std::string read_error() {
    try {
      read_package(file_);
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      return error.what();
    }
    return "accepted";
  }

  // Writes the example with its tensors or metadata changed, and reads it back.
  std::string error_with(const std::function<void(TensorFile&)>& change) {
    write_package(file_, example());
    TensorFile content = read_safetensors(file_);
    change(content);
    write_safetensors(file_, content);
    return read_error();
  }
  std::string error_with_graph(const std::function<void(nlohmann::ordered_json&)>& change) {
    return error_with([&](TensorFile& content) {
      nlohmann::ordered_json graph = nlohmann::ordered_json::parse(content.metadata.at("network"));
      change(graph);
      content.metadata["network"] = graph.dump();
    });
  }

  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "net.safetensors";
};

TEST_F(Package, RoundTripOfTheExample) {
  write_package(file_, example());
  expect_equal(read_package(file_), example());
  EXPECT_THAT(folder_.files(), ElementsAre("net.safetensors"));
}

TEST_F(Package, RoundTripOfRandomNetworks) {
  test::RandomNetworkOptions options;
  for (std::uint64_t seed = 0; seed < 75; ++seed) {
    options.adapter_percent = 50;
    options.depthwise_percent = seed % 2 == 0 ? 0 : 60;
    if (seed == 30) options.arithmetic = Arithmetic::apot;
    if (seed == 40) options.arithmetic = Arithmetic::post;
    if (seed == 50) options.arithmetic = Arithmetic::shiftaddnet;
    if (seed == 60) options.arithmetic = Arithmetic::bnn;
    const IntegerNetwork network = test::random_integer_network(seed, options);
    write_package(file_, network);
    expect_equal(read_package(file_), network);
  }
}

// Packages from before: what is read is what was written, and is written the same way.
TEST_F(Package, ShippedFilesAreWrittenAgainByteForByte) {
  int files = 0;
  for (const auto& shipped : std::filesystem::directory_iterator(
           std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios" / "packages")) {
    if (shipped.path().extension() != ".safetensors") continue;
    ++files;
    const auto metadata = read_safetensors(shipped.path()).metadata;
    const auto recipe = metadata.find("recipe");
    write_package(file_, read_package(shipped.path()),
                  recipe == metadata.end() ? "" : recipe->second);
    EXPECT_TRUE(test::read_text(file_) == test::read_text(shipped.path())) << shipped.path();
  }
  EXPECT_GE(files, 2);
}

TEST_F(Package, RoundTripOfAdapters) {
  write_package(file_, adapter_example());
  expect_equal(read_package(file_), adapter_example());
  IntegerNetwork one_layer = adapter_example();
  AdapterNetwork& adapter = *one_layer.layers[second].adapter;
  adapter.first_weights.clear();
  adapter.first_biases.clear();
  adapter.second_weights = {1, 2, -3};
  write_package(file_, one_layer);
  expect_equal(read_package(file_), one_layer);
}

TEST_F(Package, RoundTripOfElements) {
  test::RandomNetworkOptions options;
  options.arithmetic = Arithmetic::table;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    options.element = test::random_element(seed);
    const IntegerNetwork network = test::random_integer_network(seed, options);
    write_package(file_, network);
    expect_equal(read_package(file_), network);
  }
}

TEST_F(Package, ElementErrors) {
  using Json = nlohmann::ordered_json;
  test::RandomNetworkOptions options;
  options.arithmetic = Arithmetic::table;
  options.edge_layers = false;
  options.element = test::product_element({3, true, 2, false});
  write_package(file_, test::random_integer_network(1, options));
  const TensorFile good = read_safetensors(file_);
  const auto error = [&](const auto& change) {
    TensorFile content = good;
    change(content);
    write_safetensors(file_, content);
    return read_error();
  };
  const auto graph_error = [&](const auto& change) {
    return error([&](TensorFile& content) {
      Json graph = Json::parse(content.metadata["network"]);
      change(graph);
      content.metadata["network"] = graph.dump();
    });
  };
  EXPECT_THAT(error([](TensorFile& f) { f.tensors.erase("element.taps"); }),
              HasSubstr("\"element.taps\" is missing"));
  EXPECT_THAT(error([](TensorFile& f) {
                f.tensors["element.taps"].shape = {4, 8};
              }),
              AllOf(HasSubstr("\"element.taps\" is I32[4,8]"), HasSubstr("allowed: I32[8,4]")));
  EXPECT_THAT(graph_error([](Json& g) { g.erase("element"); }),
              HasSubstr("\"element.taps\" belongs to no layer"));
  EXPECT_THAT(graph_error([](Json& g) { g["element"]["weight_bits"] = 40; }),
              AllOf(HasSubstr("element: weight_bits is 40"), HasSubstr("allowed: 1 to 8")));
  EXPECT_THAT(graph_error([](Json& g) { g["element"]["tap_bits"] = 3; }),
              AllOf(HasSubstr("element: taps["), HasSubstr("allowed: -4 to 3")));
  EXPECT_THAT(graph_error([](Json& g) { g["element"]["tap_bits"] = 25; }),
              HasSubstr("tap_bits is 25; allowed: 1 to 24"));
  EXPECT_THAT(graph_error([](Json& g) { g["element"]["accumulate"] = 0; }),
              HasSubstr("accumulate is 0; allowed: 1, -1"));
  EXPECT_THAT(graph_error([](Json& g) { g["element"]["scales"] = "none"; }),
              HasSubstr("element.scales: found the text \"none\"; allowed: product, shared"));
  EXPECT_THAT(graph_error([](Json& g) { g["element"]["name"] = ""; }), HasSubstr("name is empty"));
  EXPECT_THAT(graph_error([](Json& g) { g["element"].erase("accumulate"); }),
              HasSubstr("element.accumulate: is missing"));
  EXPECT_THAT(graph_error([](Json& g) { g["element"]["activation_signed"] = true; }),
              HasSubstr("activation_signed with element element of a test is 0; allowed: 1 to 1"));
  EXPECT_THAT(graph_error([](Json& g) { g["origin"]["arithmetic"] = "cnn"; }),
              HasSubstr("element of a network of arithmetic cnn is given; allowed: none"));
}

TEST_F(Package, SameNetworkGivesTheSameBytes) {
  write_package(file_, example());
  const std::string once = test::read_text(file_);
  write_package(file_, example());
  EXPECT_EQ(test::read_text(file_), once);
}

TEST_F(Package, InvalidNetworkIsNotWritten) {
  IntegerNetwork network = example();
  network.layers[second].shift = 99;
  EXPECT_THROW(write_package(file_, network), std::runtime_error);
  EXPECT_TRUE(folder_.files().empty());
}

TEST_F(Package, EveryTruncationIsAnError) {
  write_package(file_, example());
  const std::uintmax_t size = std::filesystem::file_size(file_);
  for (std::uintmax_t length = size - 1; length > 0;
       length -= std::min<std::uintmax_t>(length, 97)) {
    std::filesystem::resize_file(file_, length);
    ASSERT_NE(read_error(), "accepted") << length;
  }
}

TEST_F(Package, OtherSafetensorsFilesAreErrors) {
  EXPECT_THAT(error_with([](TensorFile& f) { f.metadata.erase("format"); }),
              AllOf(HasSubstr("\"format\" is missing"), HasSubstr("abacus integer network 1")));
  EXPECT_THAT(error_with([](TensorFile& f) { f.metadata["format"] = "pt"; }),
              AllOf(HasSubstr("\"pt\""), HasSubstr("abacus integer network 1")));
  EXPECT_THAT(error_with([](TensorFile& f) { f.metadata.erase("network"); }),
              HasSubstr("\"network\" is missing"));
  EXPECT_THAT(error_with([](TensorFile& f) { f.metadata["network"] = "{"; }),
              HasSubstr("no valid JSON"));
  EXPECT_THAT(error_with([](TensorFile& f) { f.metadata["network"] = "[]"; }),
              HasSubstr("an object"));
}

TEST_F(Package, TensorErrors) {
  EXPECT_THAT(error_with([](TensorFile& f) { f.tensors.erase("layer1.weights"); }),
              HasSubstr("\"layer1.weights\" is missing"));
  EXPECT_THAT(error_with([](TensorFile& f) { f.tensors.erase("input_table"); }),
              HasSubstr("\"input_table\" is missing"));
  EXPECT_THAT(error_with([](TensorFile& f) { f.tensors["stray"] = f.tensors["input_table"]; }),
              HasSubstr("\"stray\" belongs to no layer"));
  EXPECT_THAT(error_with([](TensorFile& f) { f.tensors["layer1.weights"].type = ElementType::u8; }),
              AllOf(HasSubstr("\"layer1.weights\" is U8[3,3,3,3]"), HasSubstr("I8[3,3,3,3]")));
  EXPECT_THAT(error_with([](TensorFile& f) {
                f.tensors["layer1.weights"].shape = {3, 9, 3, 1};
              }),
              AllOf(HasSubstr("I8[3,9,3,1]"), HasSubstr("I8[3,3,3,3]")));
  EXPECT_THAT(error_with([](TensorFile& f) {
                f.tensors["layer1.biases"] = Tensor::from(std::vector<std::int64_t>{1, 2}, {2});
              }),
              AllOf(HasSubstr("\"layer1.biases\" is I64[2]"), HasSubstr("I64[3]")));
  EXPECT_THAT(error_with([](TensorFile& f) {
                f.tensors["layer1.read_shifts"] = Tensor::from(std::vector<std::int32_t>{1}, {1});
              }),
              AllOf(HasSubstr("\"layer1.read_shifts\" is I32[1]"), HasSubstr("allowed: I32[2]")));
  EXPECT_THAT(error_with([](TensorFile& f) {
                f.tensors["layer1.read_shifts"].shape = {2, 1};
              }),
              HasSubstr("\"layer1.read_shifts\" is I32[2,1]"));
  // A weight outside its width: validation works on what was read.
  EXPECT_THAT(error_with([](TensorFile& f) { f.tensors["layer1.weights"].bytes[5] = 8; }),
              AllOf(HasSubstr("layer 1 \"layer1\""), HasSubstr("weights[5] is 8")));
}

TEST_F(Package, GraphErrors) {
  using Json = nlohmann::ordered_json;
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1].erase("stride"); }),
              HasSubstr("layers[1].stride: is missing; allowed: a whole number"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["colour"] = 1; }),
              HasSubstr("unknown key `layers[1].colour`"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["extra"] = 1; }), HasSubstr("unknown key `extra`"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["image"]["extra"] = 1; }),
              HasSubstr("`image.extra`"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["origin"]["extra"] = 1; }),
              HasSubstr("`origin.extra`"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"] = 3; }),
              HasSubstr("layers: found 3; allowed: a list"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][0] = 3; }),
              HasSubstr("layers[0]: found 3; allowed: an object"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["kind"] = "conv"; }),
              AllOf(HasSubstr("\"conv\""), HasSubstr("convolution, add, average_pool, max_pool")));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["arithmetic"] = "spike"; }),
              AllOf(HasSubstr("\"spike\""), HasSubstr("cnn, adder")));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["arithmetic"] = "shiftaddnet"; }),
              AllOf(HasSubstr("layers[1].arithmetic"), HasSubstr("\"shiftaddnet\""),
                    HasSubstr("allowed: cnn, adder, bnn, shift, post, apot, table")));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["arithmetic"] = "shift"; }),
              HasSubstr("layers[1].levels: is missing"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["levels"] = 3; }),
              HasSubstr("unknown key `layers[1].levels`"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["kernel"] = 3.5; }),
              HasSubstr("layers[1].kernel: found the number 3.5; allowed: a whole number"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["kernel"] = 4294967299; }),
              AllOf(HasSubstr("kernel: found 4294967299"), HasSubstr("2147483647")));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["kernel"] = -4294967299; }),
              HasSubstr("kernel: found -4294967299"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["relu"] = 1; }),
              HasSubstr("layers[1].relu: found 1; allowed: true or false"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][1]["name"] = 1; }),
              HasSubstr("layers[1].name: found 1; allowed: a text"));
  EXPECT_THAT(error_with_graph([](Json& g) { g["image"]["scale"] = "big"; }),
              HasSubstr("image.scale: found the text \"big\"; allowed: a number"));
  EXPECT_THAT(
      error_with_graph([](Json& g) { g["layers"][1]["input"] = 3; }),
      AllOf(HasSubstr("layer 1 \"layer1\""), HasSubstr("input is 3"), HasSubstr("-1 to 0")));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][3]["input"] = 3; }),
              AllOf(HasSubstr("layer 3 \"layer3\""), HasSubstr("input is 3")));
  EXPECT_THAT(error_with_graph([](Json& g) { g["layers"][2]["shift"] = 50; }),
              AllOf(HasSubstr("layer 2 \"layer2\""), HasSubstr("shift is 50")));
}

// Every value of the example's graph, by its name in errors.
void for_each_value(const nlohmann::ordered_json& json, const std::string& name,
                    const nlohmann::ordered_json::json_pointer& at,
                    const std::function<void(const std::string&,
                                             const nlohmann::ordered_json::json_pointer&)>& visit) {
  for (const auto& item : json.items()) {
    const bool list = json.is_array();
    const std::string path =
        list ? name + '[' + item.key() + ']' : (name.empty() ? "" : name + '.') + item.key();
    visit(path, list ? at / std::stoul(item.key()) : at / item.key());
    if (item.value().is_structured()) {
      for_each_value(item.value(), path, list ? at / std::stoul(item.key()) : at / item.key(),
                     visit);
    }
  }
}

TEST_F(Package, EveryFieldOfTheGraphRefusesOtherTypesAndMayNotBeMissing) {
  using Json = nlohmann::ordered_json;
  write_package(file_, adapter_example());
  const TensorFile content = read_safetensors(file_);
  const Json graph = Json::parse(content.metadata.at("network"));
  const auto error_of = [&](const Json& changed) {
    TensorFile other = content;
    other.metadata["network"] = changed.dump();
    write_safetensors(file_, other);
    return read_error();
  };
  int values = 0;
  for_each_value(graph, "", Json::json_pointer(), [&](const std::string& name, const auto& at) {
    ++values;
    Json changed = graph;
    // Nothing is a list of lists, and nothing null.
    changed[at] = graph[at].is_array() ? Json("x") : Json::array({Json::array()});
    EXPECT_THAT(error_of(changed), HasSubstr(" " + name + ": found "));
    changed[at] = nullptr;
    EXPECT_THAT(error_of(changed), HasSubstr(" " + name + ": found null; allowed: "));
    const std::string key = at.back();
    if (graph[at.parent_pointer()].is_array() || key == "adapter" || key == "depthwise") return;
    changed[at.parent_pointer()].erase(key);
    EXPECT_THAT(error_of(changed), HasSubstr(" " + name + ": is missing; allowed: "));
  });
  EXPECT_GT(values, 100);
}

}  // namespace
}  // namespace abacus::network
