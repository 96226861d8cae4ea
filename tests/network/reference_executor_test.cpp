// Small networks whose results are worked out by hand from docs/arithmetic.md, and random ones
// against the definitions evaluated element by element.
#include "sw/network/reference_executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "tests/network/random_integer_network.hpp"

namespace abacus::network {
namespace {

using ::testing::ElementsAre;

constexpr AccumulatorFormat wide = {32, 16};

IntegerNetwork network_of(Shape image, std::vector<IntegerLayer> layers) {
  IntegerNetwork network;
  network.image.shape = image;
  network.input_table.assign(static_cast<std::size_t>(image.channels) * 256, 0);
  network.layers = std::move(layers);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    network.layers[i].name = "layer" + std::to_string(i);
  }
  network.classes = static_cast<int>(network.layers.back().output.shape.elements());
  validate(network, "test");
  return network;
}

std::vector<std::int32_t> run(const IntegerNetwork& network, const std::vector<std::int16_t>& image,
                              AccumulatorFormat format = wide) {
  return execute_reference(network, image, format, format).outputs.back();
}

// One group, scale 1, no bias: the outputs are the accumulators.
IntegerLayer convolution(hw::TapKind arithmetic, Shape output, int kernel,
                         std::vector<std::int16_t> weights) {
  IntegerLayer layer;
  layer.kind = IntegerLayerKind::convolution;
  layer.arithmetic = arithmetic;
  layer.output.shape = output;
  layer.output.bits = 16;
  layer.kernel = kernel;
  layer.activation_signed = true;
  layer.weights = std::move(weights);
  layer.read_quantizers = {{1, 0}};
  const std::size_t channels = static_cast<std::size_t>(output.channels);
  layer.group.assign(channels, 0);
  layer.multipliers.assign(channels, 1);
  layer.biases.assign(channels, 0);
  return layer;
}

IntegerLayer vector_layer(IntegerLayerKind kind, Shape output) {
  IntegerLayer layer;
  layer.kind = kind;
  layer.output.shape = output;
  layer.output.bits = 16;
  return layer;
}

TEST(Convolution, MultipliesAndSumsOverWindowAndChannels) {
  // Image 2×2×2 (y, x, channel); weights are output × input × ky × kx.
  const IntegerNetwork network =
      network_of({2, 2, 2}, {convolution(Arithmetic::cnn, {2, 1, 1}, 2,
                                         {1, 2, 3, 4, 10, 20, 30, 40, 0, 0, 0, -1, 0, 1, 0, 0})});
  // channel 0: 1 2 / 3 4; channel 1: 5 6 / 7 8
  const std::vector<std::int16_t> image = {1, 5, 2, 6, 3, 7, 4, 8};
  // 1·1+2·2+3·3+4·4 = 30; 10·5+20·6+30·7+40·8 = 700; second output: −4 + 6
  EXPECT_THAT(run(network, image), ElementsAre(730, 2));
}

TEST(Convolution, DepthwiseOutputsSeeTheirOwnChannelAlone) {
  IntegerLayer layer = convolution(Arithmetic::cnn, {2, 1, 1}, 2, {1, 2, 3, 4, 10, 20, 30, 40});
  layer.depthwise = true;
  // 1·1+2·2+3·3+4·4 and 10·5+20·6+30·7+40·8.
  EXPECT_THAT(run(network_of({2, 2, 2}, {layer}), {1, 5, 2, 6, 3, 7, 4, 8}), ElementsAre(30, 700));
  layer.arithmetic = Arithmetic::adder;  // 0 and 5 + 14 + 23 + 32
  EXPECT_THAT(run(network_of({2, 2, 2}, {layer}), {1, 5, 2, 6, 3, 7, 4, 8}), ElementsAre(0, 74));
}

TEST(Convolution, AdderSumsAbsoluteDifferences) {
  const IntegerNetwork network = network_of(
      {2, 2, 2}, {convolution(Arithmetic::adder, {1, 1, 1}, 2, {1, 2, 3, 4, 10, -20, 30, -40})});
  // 0+0+0+0 + 5+26+23+48
  EXPECT_THAT(run(network, {1, 5, 2, 6, 3, 7, 4, 8}), ElementsAre(102));
}

TEST(Convolution, PaddedTapsOfAnAdderAddTheWeight) {
  IntegerLayer layer = convolution(Arithmetic::adder, {1, 1, 2}, 3, {1, 2, 3, 4, 5, 6, 7, 8, -9});
  layer.padding = 1;
  // Image row (10, 20). At x = 0: middle row taps |0−4|, |10−5|, |20−6|; others |w|.
  // 1+2+3 + 4+5+14 + 7+8+9 = 53. At x = 1: 1+2+3 + |10−4|+|20−5|+|0−6| + 24 = 57.
  EXPECT_THAT(run(network_of({1, 1, 2}, {layer}), {10, 20}), ElementsAre(53, 57));
  layer.arithmetic = Arithmetic::cnn;  // 10·5+20·6, 10·4+20·5
  EXPECT_THAT(run(network_of({1, 1, 2}, {layer}), {10, 20}), ElementsAre(170, 140));
}

// Taps of signs, counted by hand; sign(0) = +1.
TEST(Convolution, BinaryTapsAreProductsOfSigns) {
  IntegerLayer layer = convolution(Arithmetic::bnn, {2, 1, 1}, 2,
                                   {1, 1, 1, 1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, 1, 1});
  layer.weight_bits = layer.activation_bits = 1;
  // Signs of channel 0: + − / − +; of channel 1: + + / − −.
  const std::vector<std::int16_t> image = {0, 5, -2, 6, -128, -7, 4, -1};
  // First output: 0 + 0; second: (−1 −1 +1 +1) + (1 −1 −1 −1).
  EXPECT_THAT(run(network_of({2, 2, 2}, {layer}), image), ElementsAre(0, -2));
}

TEST(Convolution, PaddedPositionsOfABinaryLayerAreMinusOne) {
  IntegerLayer layer = convolution(Arithmetic::bnn, {1, 1, 2}, 3, {1, -1, 1, -1, 1, 1, 1, 1, 1});
  layer.weight_bits = layer.activation_bits = 1;
  layer.padding = 1;
  // Image row (+, −); the rows above and below give −(1 − 1 + 1) − 3 = −4. At x = 0 the middle row
  // sees (padding, +, −): +1 +1 −1; at x = 1 (+, −, padding): −1 −1 −1.
  EXPECT_THAT(run(network_of({1, 1, 2}, {layer}), {10, -20}), ElementsAre(-3, -7));
}

// Codes: 1 is 2^0, 2 is 2^−1, 3 is 2^−2 …
TEST(Convolution, ShiftTapsCutOffWhatLiesBelowTheirFraction) {
  IntegerLayer layer = convolution(Arithmetic::shift, {1, 1, 1}, 2, {1, -2, 3, 0});
  layer.levels = 3;
  layer.fraction_bits = 2;
  layer.multipliers = {16};
  layer.shift = 2;  // 4 units an integer
  // 7 − 5/2 + 11/4 = 7.25: nothing is lost.
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {7, 5, 11, 100}), ElementsAre(29));
  // −7 + 5/2 − 11/4: signs are put on after the shift.
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {-7, -5, -11, 100}), ElementsAre(-29));
  layer.fraction_bits = 1;  // 7 − 2.5 + 2.5: a quarter is cut off
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {7, 5, 11, 100}), ElementsAre(28));
  layer.fraction_bits = 0;  // 7 − 2 + 2
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {7, 5, 11, 100}), ElementsAre(28));
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {-7, -5, -11, 100}), ElementsAre(-28));
}

// Codes: 1 is 2^0, 2 is 2^−½, 3 is 2^−1, 4 is 2^−3⁄2.
TEST(Convolution, PostTapsShiftByHalvesAndReadTheOthersFromATable) {
  IntegerLayer layer = convolution(Arithmetic::post, {1, 1, 1}, 2, {1, 2, -3, -4});
  layer.levels = 4;
  layer.weight_bits = 4;
  layer.fraction_bits = 4;
  layer.multipliers = {16};
  // 16 · 7 + round(16 · 10 / √2) − 16 · 9 / 2 − round(16 · 20 / √8) = 112 + 113 − 72 − 113
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {7, 10, 9, 20}), ElementsAre(40));
  layer.fraction_bits = 2;  // 28 + 28 − 18 − 28: 10 / 4 · 16
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {7, 10, 9, 20}), ElementsAre(40));
  layer.weights = {0, 2, 0, 0};  // 28 / 4, where 10 / √2 = 7.07
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {7, 10, 9, 20}), ElementsAre(112));
  layer.fraction_bits = 8;  // 1810 / 256
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {7, 10, 9, 20}), ElementsAre(113));
}

TEST(Convolution, ApotTapsAreSumsOfTwoShifts) {
  IntegerLayer layer = convolution(Arithmetic::apot, {1, 1, 1}, 2, {5, -6, 3, 4});
  layer.weight_bits = 4;
  layer.levels = 7;
  layer.fraction_bits = 3;
  layer.first_exponents = {no_exponent, 1, 2, 4};
  layer.second_exponents = {no_exponent, 3};
  layer.multipliers = {8};
  // 5: 2^−1 + 2^−3, 6: 2^−2 + 2^−3, 3: 2^−4 alone, 4: 2^−3 alone
  // 8 · (80/2 + 80/8 − (40/4 + 40/8) + 0 + 16/8) = 8 · (50 − 15 + 5 + 2), 80 · 8 / 16 = 40 = 5 · 8
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {80, 40, 80, 16}), ElementsAre(8 * 42));
  layer.fraction_bits = 0;  // each term is cut off by itself: 3 / 2 + 3 / 8 = 1 + 0
  layer.weights = {5, 0, 0, 0};
  EXPECT_THAT(run(network_of({1, 2, 2}, {layer}), {3, 40, 80, 16}), ElementsAre(8));
}

// Real taps: no fraction cuts anything off, nothing saturates.
TEST(ExactExponents, AreWhatEveryMoreFractionBitComesCloserTo) {
  test::RandomNetworkOptions options;
  options.arithmetic = Arithmetic::post;
  options.layers = 1;
  options.edge_layers = false;
  options.operand_bits = 4;
  std::vector<double> errors(9);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    IntegerNetwork network = test::random_integer_network(seed, options);
    network.layers[0].output.bits = 16;
    network.layers[0].biases.assign(network.layers[0].biases.size(), 0);
    network.layers[0].shift = 4;
    network.layers[0].multipliers.assign(network.layers[0].multipliers.size(), 4096);
    const std::vector<std::int16_t> image =
        quantize_image(network, test::random_pixels(network, seed).data());
    const auto outputs = [&](ExponentArithmetic exponents) {
      return execute_reference(network, image, wide, wide, exponents).outputs.back();
    };
    network.layers[0].fraction_bits = 2;
    const std::vector<std::int32_t> exact = outputs(ExponentArithmetic::exact);
    for (int bits = 2; bits <= 8; ++bits) {
      network.layers[0].fraction_bits = bits;
      EXPECT_EQ(outputs(ExponentArithmetic::exact), exact) << "whatever the fraction";
      const std::vector<std::int32_t> found = outputs(ExponentArithmetic::fixed_point);
      for (std::size_t i = 0; i < exact.size(); ++i) {
        errors[static_cast<std::size_t>(bits)] += std::abs(found[i] - exact[i]);
      }
    }
  }
  for (std::size_t bits = 3; bits <= 8; ++bits) {
    EXPECT_LT(errors[bits], 0.8 * errors[bits - 1]) << bits;
  }
  EXPECT_GT(errors[8], 0.0);
}

TEST(Convolution, BiasAndResidualOfAShiftLayerAreInWholeUnitsWhateverTheFraction) {
  IntegerLayer first = convolution(Arithmetic::shift, {1, 1, 2}, 1, {1});
  first.levels = 1;
  IntegerLayer second = first;
  second.input = 0;
  second.residual = 0;
  second.residual_multiplier = 3;
  second.residual_shift = 1;
  second.biases = {-5};
  second.multipliers = {2};
  for (const int fraction : {0, 1, 5, 12}) {
    second.fraction_bits = fraction;
    EXPECT_THAT(run(network_of({1, 1, 2}, {first, second}), {10, -4}),
                ElementsAre(2 * 10 - 5 + 6 * 10, 2 * -4 - 5 + 6 * -4));
  }
}

// A 1×1 layer that copies the image, and one that reads the copy with an adapted step.
IntegerNetwork adapted_network(const AdapterNetwork& adapter) {
  IntegerLayer copy = convolution(Arithmetic::cnn, {2, 1, 2}, 1, {1, 0, 0, 1});
  IntegerLayer layer = convolution(Arithmetic::cnn, {1, 1, 2}, 1, {3, 5});
  layer.input = 0;
  layer.read_quantizers = {{256, 8}};
  layer.multipliers = {1024};
  layer.shift = 10;
  layer.biases = {7 * 1024};
  layer.adapter = adapter;
  return network_of({2, 1, 2}, {copy, layer});
}

TEST(StepAdapter, ReadsWithTheReciprocalOfItsFactorAndScalesWithTheFactor) {
  AdapterNetwork adapter;
  adapter.pool_multiplier = 1;
  adapter.pool_shift = 1;                  // mean of two pixels
  adapter.first_weights = {2, -1, -1, 1};  // hidden × channel
  adapter.first_biases = {4, 0};
  adapter.second_weights = {100, 77};
  adapter.second_bias = 4096;
  // Image (10, 40), (20, 60): means 15 and 50; hidden: 2·15 − 50 + 4 < 0, so 0, and 35.
  // β = 4096 + 77·35 = 6791, 1.658; read multiplier 256·4096 / 6791 = 154.4.
  const std::vector<std::int16_t> image = {10, 40, 20, 60};
  const IntegerNetwork network = adapted_network(adapter);
  const ReferenceResult result = execute_reference(network, image, wide, wide);
  EXPECT_EQ(result.steps[1].factor, 6791);
  EXPECT_EQ(result.steps[1].read_multiplier, 154);
  EXPECT_EQ(result.steps[1].underflows + result.steps[1].overflows, 0);
  // Operands 10·154/256 → 6, 40 → 24; 20 → 12, 60 → 36. Multiplier 1024·6791/4096 → 1698.
  // (3·6 + 5·24)·1698/1024 + 7 = 235.8; (3·12 + 5·36)·1698/1024 + 7 = 365.2
  EXPECT_THAT(result.outputs.back(), ElementsAre(236, 365));
  EXPECT_EQ(result.steps[0].factor, 4096);
}

TEST(StepAdapter, OneLayerTakesTheMeansThemselves) {
  AdapterNetwork adapter;
  adapter.pool_shift = 1;
  adapter.second_weights = {1, 2};
  adapter.second_bias = 4000;
  const ReferenceResult result =
      execute_reference(adapted_network(adapter), {10, 40, 20, 60}, wide, wide);
  EXPECT_EQ(result.steps[1].factor, 4000 + 15 + 100);
}

TEST(StepAdapter, SaturatesAndCountsWhatLeavesItsRange) {
  AdapterNetwork adapter;
  adapter.pool_shift = 1;
  adapter.second_weights = {0, 0};
  const auto step = [&](std::int64_t bias) {
    adapter.second_bias = bias;
    return execute_reference(adapted_network(adapter), {1, 1, 1, 1}, wide, wide).steps[1];
  };
  StepResult s = step(-5);  // β is no less than 1 / 16
  EXPECT_EQ(s.factor, 256);
  EXPECT_EQ(s.underflows, 1);
  EXPECT_EQ(s.read_multiplier, 4096);
  EXPECT_EQ(s.read_saturations, 0);
  s = step(255);
  EXPECT_EQ(s.underflows, 1);
  s = step(256);
  EXPECT_EQ(s.underflows, 0);
  s = step(32768);
  EXPECT_EQ(s.overflows + s.underflows + s.read_saturations + s.multiplier_saturations, 0);
  EXPECT_EQ(s.read_multiplier, 32);
  s = step(32769);
  EXPECT_EQ(s.factor, 32768);
  EXPECT_EQ(s.overflows, 1);
  IntegerNetwork network = adapted_network(adapter);
  network.layers[1].multipliers = {5000};  // 8 times that is too much
  s = execute_reference(network, {1, 1, 1, 1}, wide, wide).steps[1];
  EXPECT_EQ(s.multiplier_saturations, 1);
  network.layers[1].adapter->second_bias = 0;
  network.layers[1].read_quantizers = {{5000, 12}};  // so is 16 times that
  s = execute_reference(network, {1, 1, 1, 1}, wide, wide).steps[1];
  EXPECT_EQ(s.read_multiplier, 65535);
  EXPECT_EQ(s.read_saturations, 1);
}

TEST(Convolution, StrideSkipsPositionsAndLeavesOutWindowsPastTheEdge) {
  IntegerLayer layer = convolution(Arithmetic::cnn, {1, 1, 2}, 2, {1, 10, 0, 0});
  layer.stride = 2;
  EXPECT_THAT(run(network_of({1, 2, 5}, {layer}), {1, 2, 3, 4, 5, 0, 0, 0, 0, 0}),
              ElementsAre(21, 43));
}

TEST(Convolution, ShiftsWidenOneOperandOfTheAdder) {
  IntegerLayer layer = convolution(Arithmetic::adder, {1, 1, 1}, 1, {-5});
  layer.weight_shift = 1;
  EXPECT_THAT(run(network_of({1, 1, 1}, {layer}), {7}), ElementsAre(17));  // |7 − (−10)|
  layer.weight_shift = 0;
  layer.activation_shift = 2;
  EXPECT_THAT(run(network_of({1, 1, 1}, {layer}), {-7}), ElementsAre(23));  // |−28 + 5|
}

TEST(Convolution, ReadQuantizerRoundsHalfUpAndClamps) {
  IntegerLayer layer = convolution(Arithmetic::cnn, {1, 1, 8}, 1, {1});
  layer.activation_bits = 4;
  layer.read_quantizers = {{3, 1}};  // 1.5 times
  // 1.5→2, −1.5→−1, 4.5→5, −4.5→−4, 3→3, 7.5→8→7, −7.5→−7, −150→−8
  EXPECT_THAT(run(network_of({1, 1, 8}, {layer}), {1, -1, 3, -3, 2, 5, -5, -100}),
              ElementsAre(2, -1, 5, -4, 3, 7, -7, -8));
  layer.activation_signed = false;  // 0 … 15
  EXPECT_THAT(run(network_of({1, 1, 8}, {layer}), {1, -1, 3, -3, 2, 5, -5, 100}),
              ElementsAre(2, 0, 5, 0, 3, 8, 0, 15));
}

TEST(Convolution, IdentityReadQuantizerStillClamps) {
  IntegerLayer layer = convolution(Arithmetic::cnn, {1, 1, 3}, 1, {1});
  layer.activation_bits = 2;
  EXPECT_THAT(run(network_of({1, 1, 3}, {layer}), {1, 5, -5}), ElementsAre(1, 1, -2));
}

TEST(Convolution, EachGroupReadsAtItsOwnScale) {
  IntegerLayer layer = convolution(Arithmetic::adder, {3, 1, 1}, 1, {1, 1, 1});
  layer.read_quantizers = {{1, 0}, {1, 2}};
  layer.group = {1, 0, 1};
  EXPECT_THAT(run(network_of({1, 1, 1}, {layer}), {22}), ElementsAre(5, 21, 5));  // 22/4 = 5.5 → 6
}

TEST(Convolution, ScaleUnitMultipliesAddsBiasAndRoundsHalfUp) {
  IntegerLayer layer = convolution(Arithmetic::adder, {4, 1, 1}, 1, {0, 0, 0, 0});
  layer.multipliers = {-3, 3, -1, 1};
  layer.biases = {1, 1, 1, -1};
  layer.shift = 2;
  // accumulator 5: (−15+1)/4 = −3.5 → −3; (15+1)/4 = 4; (−5+1)/4 = −1; (5−1)/4 = 1
  EXPECT_THAT(run(network_of({1, 1, 1}, {layer}), {5}), ElementsAre(-3, 4, -1, 1));
  layer.biases = {13, 3, 6, -2};  // −2/4 = −0.5 → 0; 18/4 = 4.5 → 5; 1/4 → 0; 3/4 → 1
  EXPECT_THAT(run(network_of({1, 1, 1}, {layer}), {5}), ElementsAre(0, 5, 0, 1));
  layer.relu = true;
  layer.biases = {1, 1, 1, -1};
  EXPECT_THAT(run(network_of({1, 1, 1}, {layer}), {5}), ElementsAre(0, 4, 0, 1));
}

TEST(Convolution, BiasMayBeAsLargeAsItsLimitAllows) {
  IntegerLayer layer = convolution(Arithmetic::cnn, {2, 1, 1}, 1, {1, 1});
  layer.biases = {std::int64_t{1} << 46, -(std::int64_t{1} << 46)};
  layer.shift = 46;
  EXPECT_THAT(run(network_of({1, 1, 1}, {layer}), {100}), ElementsAre(1, -1));
}

TEST(Convolution, OutputClampsToItsFormat) {
  IntegerLayer layer = convolution(Arithmetic::cnn, {2, 1, 1}, 1, {100, -100});
  const auto clamped = [&](int bits, bool is_signed) {
    layer.output.bits = bits;
    layer.output.is_signed = is_signed;
    return run(network_of({1, 1, 1}, {layer}), {100});
  };
  EXPECT_THAT(clamped(8, true), ElementsAre(127, -128));
  EXPECT_THAT(clamped(8, false), ElementsAre(255, 0));
  EXPECT_THAT(clamped(4, true), ElementsAre(7, -8));
  EXPECT_THAT(clamped(12, false), ElementsAre(4095, 0));
  EXPECT_THAT(clamped(16, true), ElementsAre(10000, -10000));
}

TEST(Convolution, ResidualJoinsBeforeRoundingAndRelu) {
  IntegerLayer layer = convolution(Arithmetic::cnn, {1, 1, 3}, 1, {2});
  layer.residual = image_tensor;
  layer.residual_multiplier = 3;
  layer.residual_shift = 1;
  layer.shift = 4;
  // v·2 + v·6 = 8v: 1 → 0.5 → 1; −1 → −0.5 → 0; −3 → −1.5 → −1
  EXPECT_THAT(run(network_of({1, 1, 3}, {layer}), {1, -1, -3}), ElementsAre(1, 0, -1));
  layer.relu = true;
  EXPECT_THAT(run(network_of({1, 1, 3}, {layer}), {1, -1, -3}), ElementsAre(1, 0, 0));
}

TEST(Accumulator, CountsEveryAdditionThatSaturates) {
  // Four taps of 100 · 1 one after another in 8 bits: 100, 127*, 127*, 127*.
  const IntegerNetwork network =
      network_of({4, 1, 1}, {convolution(Arithmetic::cnn, {1, 1, 1}, 1, {1, 1, 1, 1})});
  const std::vector<std::int16_t> image = {100, 100, 100, 100};
  const ReferenceResult narrow = execute_reference(network, image, {8, 1}, wide);
  EXPECT_THAT(narrow.outputs[0], ElementsAre(127));
  EXPECT_THAT(narrow.saturations, ElementsAre(3));
  // Two rows: 200*, then 127+200*.
  EXPECT_THAT(execute_reference(network, image, {8, 2}, wide).saturations, ElementsAre(2));
  const ReferenceResult exact = execute_reference(network, image, {10, 4}, wide);
  EXPECT_THAT(exact.outputs[0], ElementsAre(400));
  EXPECT_THAT(exact.saturations, ElementsAre(0));
}

TEST(Accumulator, PackedWindowsSumTapsOfSeveralPositions) {
  // A window of 2 × 2 positions of 1 channel: 100, 100, −100, −100. One position after another 100, 127*,
  // 27, −73; two rows hold two positions: 200*, then 127 − 200; three: 100, then 0; four: 0.
  IntegerLayer layer = convolution(Arithmetic::cnn, {1, 1, 1}, 2, {1, 1, 1, 1});
  const IntegerNetwork network = network_of({1, 2, 2}, {layer});
  const std::vector<std::int16_t> image = {100, 100, -100, -100};
  const auto run_packed = [&](int rows, bool packs) {
    return execute_reference(network, image, {8, rows, packs}, wide);
  };
  EXPECT_THAT(run_packed(4, false).outputs[0], ElementsAre(-73)) << "a row a channel";
  EXPECT_THAT(run_packed(1, true).outputs[0], ElementsAre(-73)) << "the channel fills the row";
  EXPECT_THAT(run_packed(2, true).outputs[0], ElementsAre(-73));
  EXPECT_THAT(run_packed(2, true).saturations, ElementsAre(1));
  EXPECT_THAT(run_packed(3, true).outputs[0], ElementsAre(0));
  EXPECT_THAT(run_packed(3, true).saturations, ElementsAre(0));
  EXPECT_THAT(run_packed(4, true).outputs[0], ElementsAre(0));
}

TEST(Accumulator, TreeSumsExactlyBeforeSaturating) {
  // +100 +100 −100 −100: one tile sums to 0; one row at a time 100, 127*, 27, −73.
  const IntegerNetwork network =
      network_of({4, 1, 1}, {convolution(Arithmetic::cnn, {1, 1, 1}, 1, {1, 1, -1, -1})});
  const std::vector<std::int16_t> image = {100, 100, 100, 100};
  EXPECT_THAT(run(network, image, {8, 4}), ElementsAre(0));
  EXPECT_THAT(run(network, image, {8, 1}), ElementsAre(-73));
  // Three rows: tile of three 100, then −100.
  EXPECT_THAT(run(network, image, {8, 3}), ElementsAre(0));
}

TEST(Accumulator, SaturatesBelowToo) {
  const IntegerNetwork network =
      network_of({3, 1, 1}, {convolution(Arithmetic::cnn, {1, 1, 1}, 1, {-1, -1, 1})});
  // −100, −128*, −28
  const ReferenceResult result = execute_reference(network, {100, 100, 100}, {8, 1}, wide);
  EXPECT_THAT(result.outputs[0], ElementsAre(-28));
  EXPECT_THAT(result.saturations, ElementsAre(1));
}

TEST(Accumulator, TakesChannelTilesOutermostThenWindow) {
  // Two channels, 1×2 of a 2×2 kernel (second row weights 0), one row: order is channel 0 kx 0,
  // channel 0 kx 1, channel 1 kx 0, channel 1 kx 1 = +100, +100, −100, −100 → 127* → 27 → −73.
  // Channel innermost would give 100, 0, 100, 0.
  const IntegerNetwork network = network_of(
      {2, 2, 2}, {convolution(Arithmetic::cnn, {1, 1, 1}, 2, {1, 1, 0, 0, -1, -1, 0, 0})});
  const std::vector<std::int16_t> image = {100, 100, 100, 100, 0, 0, 0, 0};
  EXPECT_THAT(run(network, image, {8, 1}), ElementsAre(-73));
  EXPECT_THAT(run(network, image, {8, 2}), ElementsAre(0));
}

TEST(Accumulator, TakesKernelRowsBeforeColumns) {
  // ky outer, kx inner: +100 +100 −100 −100 ends at −73, kx outer would end at 0.
  const IntegerNetwork network =
      network_of({1, 2, 2}, {convolution(Arithmetic::cnn, {1, 1, 1}, 2, {1, 1, -1, -1})});
  EXPECT_THAT(run(network, {100, 100, 100, 100}, {8, 1}), ElementsAre(-73));
}

TEST(Accumulator, EdgeLayersUseTheEdgeArray) {
  IntegerLayer edge = convolution(Arithmetic::cnn, {1, 1, 1}, 1, {1, 1});
  edge.edge = true;
  IntegerLayer inner = convolution(Arithmetic::cnn, {1, 1, 1}, 1, {2});
  inner.input = 0;
  const IntegerNetwork network = network_of({2, 1, 1}, {edge, inner});
  // 100 + 100, read as 127 in 8 bits, times 2
  const ReferenceResult result = execute_reference(network, {100, 100}, {8, 1}, {16, 1});
  EXPECT_THAT(result.outputs, ElementsAre(ElementsAre(200), ElementsAre(127)));
  EXPECT_THAT(result.saturations, ElementsAre(0, 1));
  const ReferenceResult other = execute_reference(network, {100, 100}, {16, 1}, {8, 1});
  EXPECT_THAT(other.outputs, ElementsAre(ElementsAre(127), ElementsAre(254)));
  EXPECT_THAT(other.saturations, ElementsAre(1, 0));
}

TEST(Accumulator, FormatOutsideItsLimitsIsAnError) {
  const IntegerNetwork network =
      network_of({1, 1, 1}, {convolution(Arithmetic::cnn, {1, 1, 1}, 1, {1})});
  EXPECT_THROW(execute_reference(network, {1}, {7, 1}, wide), std::invalid_argument);
  EXPECT_THROW(execute_reference(network, {1}, {33, 1}, wide), std::invalid_argument);
  EXPECT_THROW(execute_reference(network, {1}, wide, {16, 0}), std::invalid_argument);
  EXPECT_THROW(execute_reference(network, {1, 2}, wide, wide), std::invalid_argument);
}

TEST(Add, ScalesBothOperandsAndRounds) {
  IntegerLayer layer = vector_layer(IntegerLayerKind::add, {1, 1, 3});
  layer.input = 0;
  layer.residual = image_tensor;
  layer.multiplier = 3;
  layer.left_shift = 1;
  layer.residual_multiplier = 5;
  layer.residual_shift = 2;
  layer.shift = 3;
  // First operand: the negated image. −v·6 + v·20 = 14v: 14/8 = 1.75 → 2; −28/8 = −3.5 → −3;
  // 42/8 = 5.25 → 5
  const IntegerLayer negate = convolution(Arithmetic::cnn, {1, 1, 3}, 1, {-1});
  EXPECT_THAT(run(network_of({1, 1, 3}, {negate, layer}), {1, -2, 3}), ElementsAre(2, -3, 5));
  layer.relu = true;
  EXPECT_THAT(run(network_of({1, 1, 3}, {negate, layer}), {1, -2, 3}), ElementsAre(2, 0, 5));
  layer.relu = false;
  layer.output.bits = 3;
  EXPECT_THAT(run(network_of({1, 1, 3}, {negate, layer}), {1, -2, 3}), ElementsAre(2, -3, 3));
}

TEST(AveragePool, SumsScalesAndRoundsHalfUp) {
  IntegerLayer layer = vector_layer(IntegerLayerKind::average_pool, {2, 1, 1});
  layer.kernel = 2;
  layer.stride = 2;
  layer.multiplier = 1;
  layer.shift = 2;
  // Channel 0: 1+2+3+4 = 10 → 2.5 → 3; channel 1: −10 → −2.5 → −2. The third column is left out.
  const std::vector<std::int16_t> image = {1, -1, 2, -2, 99, 99, 3, -3, 4, -4, 99, 99};
  EXPECT_THAT(run(network_of({2, 2, 3}, {layer}), image), ElementsAre(3, -2));
  layer.bias = -1;  // 9/4 → 2; −11/4 = −2.75 → −3
  EXPECT_THAT(run(network_of({2, 2, 3}, {layer}), image), ElementsAre(2, -3));
}

TEST(MaxPool, TakesTheLargestOfOverlappingWindows) {
  IntegerLayer layer = vector_layer(IntegerLayerKind::max_pool, {1, 1, 2});
  layer.kernel = 2;
  layer.stride = 1;
  const std::vector<std::int16_t> image = {-5, -3, -7, -9, -4, -8};
  EXPECT_THAT(run(network_of({1, 2, 3}, {layer}), image), ElementsAre(-3, -3));
  layer.multiplier = 3;
  layer.bias = 2;
  layer.shift = 1;  // (−9+2)/2 = −3.5 → −3
  EXPECT_THAT(run(network_of({1, 2, 3}, {layer}), image), ElementsAre(-3, -3));
  layer.output.is_signed = false;
  EXPECT_THAT(run(network_of({1, 2, 3}, {layer}), image), ElementsAre(0, 0));
}

TEST(Class, IsTheLowestIndexOfTheLargestScore) {
  const IntegerNetwork network =
      network_of({4, 1, 1}, {vector_layer(IntegerLayerKind::max_pool, {4, 1, 1})});
  const auto predicted = [&](std::vector<std::int16_t> image) {
    return execute_reference(network, image, wide, wide).predicted_class;
  };
  EXPECT_EQ(predicted({1, 7, 3, 7}), 1);
  EXPECT_EQ(predicted({-4, -4, -4, -4}), 0);
  EXPECT_EQ(predicted({-4, -3, -2, -1}), 3);
}

TEST(QuantizeImage, LooksUpEachChannelAndPutsChannelsInnermost) {
  IntegerNetwork network;
  network.image.shape = {2, 1, 3};
  network.input_table.resize(512);
  for (int pixel = 0; pixel < 256; ++pixel) {
    network.input_table[static_cast<std::size_t>(pixel)] = static_cast<std::int16_t>(pixel / 2);
    network.input_table[static_cast<std::size_t>(256 + pixel)] =
        static_cast<std::int16_t>(-pixel / 2);
  }
  const std::vector<std::uint8_t> pixels = {0, 10, 255, 100, 20, 254};
  EXPECT_THAT(quantize_image(network, pixels.data()), ElementsAre(0, -50, 5, -10, 127, -127));
}

// The definitions once more, one output element at a time: bounds are asked instead of padding
// laid out, weights are addressed where they lie, division rounds instead of shifting.
class Definition {
 public:
  Definition(const IntegerNetwork& network, const std::vector<std::int16_t>& image,
             const ReferenceResult& result, AccumulatorFormat array, AccumulatorFormat edge)
      : network_(network), image_(image), result_(result), array_(array), edge_(edge) {}

  std::int64_t saturations() const { return saturations_; }

  std::int64_t element(const IntegerLayer& layer, int y, int x, int c) {
    switch (layer.kind) {
      case IntegerLayerKind::convolution: {
        const std::int64_t r = layer.residual == no_tensor ? 0 : at(layer.residual, y, x, c);
        const std::size_t channel = static_cast<std::size_t>(c);
        const std::int64_t offset =
            layer.biases[channel] + r * layer.residual_multiplier * power(layer.residual_shift);
        return finished(layer, accumulator(layer, y, x, c) * layer.multipliers[channel] +
                                   offset * power(layer.fraction_bits));
      }
      case IntegerLayerKind::add:
        return finished(layer,
                        at(layer.input, y, x, c) * layer.multiplier * power(layer.left_shift) +
                            at(layer.residual, y, x, c) * layer.residual_multiplier *
                                power(layer.residual_shift));
      default:
        break;
    }
    std::vector<std::int64_t> window;
    for (int i = 0; i < layer.kernel * layer.kernel; ++i) {
      window.push_back(at(layer.input, y * layer.stride + i / layer.kernel,
                          x * layer.stride + i % layer.kernel, c));
    }
    std::int64_t sum = 0;
    for (const std::int64_t v : window) sum += v;
    const std::int64_t v = layer.kind == IntegerLayerKind::max_pool
                               ? *std::max_element(window.begin(), window.end())
                               : sum;
    return finished(layer, v * layer.multiplier + layer.bias);
  }

 private:
  static std::int64_t power(int shift) { return std::int64_t{1} << shift; }

  static std::int64_t rounded(std::int64_t value, int shift) {
    const std::int64_t divisor = power(shift);
    std::int64_t quotient = value / divisor;
    std::int64_t remainder = value % divisor;
    if (remainder < 0) {
      remainder += divisor;
      --quotient;
    }
    return remainder * 2 >= divisor && shift > 0 ? quotient + 1 : quotient;
  }

  static std::int64_t finished(const IntegerLayer& layer, std::int64_t product) {
    std::int64_t q = rounded(product, layer.shift + layer.fraction_bits);
    if (layer.relu && q < 0) q = 0;
    return std::min<std::int64_t>(std::max<std::int64_t>(q, layer.output.lowest()),
                                  layer.output.highest());
  }

  std::int64_t at(int index, int y, int x, int c) const {
    const Shape& s = network_.tensor(index).shape;
    const std::size_t place = static_cast<std::size_t>((y * s.width + x) * s.channels + c);
    return index == image_tensor ? image_[place]
                                 : result_.outputs[static_cast<std::size_t>(index)][place];
  }

  std::int64_t tap(const IntegerLayer& layer, int y, int x, int in, int ky, int kx, int out) const {
    const Shape& s = network_.tensor(layer.input).shape;
    const int row = y * layer.stride + ky - layer.padding;
    const int column = x * layer.stride + kx - layer.padding;
    const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
    const std::int64_t w = layer.weights[static_cast<std::size_t>(
        ((out * s.channels + in) * layer.kernel + ky) * layer.kernel + kx)];
    if (layer.arithmetic == Arithmetic::bnn) {
      return inside && at(layer.input, row, column, in) >= 0 ? w : -w;
    }
    std::int64_t a = 0;
    if (inside) {
      const ReadQuantizer& q = layer.read_quantizers[static_cast<std::size_t>(
          layer.group[static_cast<std::size_t>(out)])];
      a = rounded(at(layer.input, row, column, in) * q.multiplier, q.shift);
      const std::int64_t levels = power(layer.activation_bits);
      const std::int64_t lowest = layer.activation_signed ? -levels / 2 : 0;
      a = std::min(std::max(a, lowest), lowest + levels - 1);
    }
    if (layer.arithmetic == Arithmetic::cnn) return a * w;
    if (layer.arithmetic != Arithmetic::adder) return exponent_tap(layer, a, w);
    const std::int64_t difference =
        a * power(layer.activation_shift) - w * power(layer.weight_shift);
    return difference < 0 ? -difference : difference;
  }

  // |a| · 2^fraction_bits, halved p times with what is below 1 cut off.
  static std::int64_t halved(const IntegerLayer& layer, std::int64_t a, std::int64_t p) {
    std::int64_t value = (a < 0 ? -a : a) * power(layer.fraction_bits);
    for (; p > 0; --p) value /= 2;
    return value;
  }

  static std::int64_t exponent_tap(const IntegerLayer& layer, std::int64_t a, std::int64_t w) {
    if (w == 0) return 0;
    const std::int64_t m = w < 0 ? -w : w;
    std::int64_t value = 0;
    if (layer.arithmetic == Arithmetic::shift) {
      value = halved(layer, a, m - 1);
    } else if (layer.arithmetic == Arithmetic::apot) {
      const std::size_t first = layer.first_exponents.size();
      const std::size_t code = static_cast<std::size_t>(m);
      for (const int p :
           {layer.first_exponents[code % first], layer.second_exponents[code / first]}) {
        if (p != no_exponent) value += halved(layer, a, p);
      }
    } else if (m % 2 == 1) {
      value = halved(layer, a, (m - 1) / 2);
    } else {
      // The nearest integer t: 2t − 1 ≤ 2v < 2t + 1 for v² = a² · 4^fraction_bits / 2^(m − 1).
      const long double v = static_cast<long double>(a < 0 ? -a : a) *
                            static_cast<long double>(power(layer.fraction_bits)) /
                            std::sqrt(std::pow(2.0L, static_cast<long double>(m - 1)));
      value = static_cast<std::int64_t>(v);
      if (static_cast<long double>(2 * value + 1) <= 2 * v) ++value;
    }
    return (a < 0) != (w < 0) ? -value : value;
  }

  std::int64_t accumulator(const IntegerLayer& layer, int y, int x, int out) {
    const AccumulatorFormat format = layer.edge ? edge_ : array_;
    const int channels = network_.tensor(layer.input).shape.channels;
    std::int64_t value = 0;
    for (int first = 0; first < channels; first += format.rows) {
      for (int position = 0; position < layer.kernel * layer.kernel; ++position) {
        for (int in = first; in < channels && in < first + format.rows; ++in) {
          value += tap(layer, y, x, in, position / layer.kernel, position % layer.kernel, out);
        }
        const std::int64_t limit = power(format.bits - 1);
        if (value < -limit || value > limit - 1) ++saturations_;
        value = std::min(std::max(value, -limit), limit - 1);
      }
    }
    return value;
  }

  const IntegerNetwork& network_;
  const std::vector<std::int16_t>& image_;
  const ReferenceResult& result_;
  AccumulatorFormat array_;
  AccumulatorFormat edge_;
  std::int64_t saturations_ = 0;
};

// Without a value: adder and cnn by turns.
class RandomNetworks : public ::testing::TestWithParam<std::tuple<int, std::optional<Arithmetic>>> {
};

TEST_P(RandomNetworks, EveryElementFollowsTheDefinition) {
  const auto [bits, arithmetic] = GetParam();
  std::int64_t all_saturations = 0;
  test::RandomNetworkOptions options;
  options.arithmetic = arithmetic;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const IntegerNetwork network = test::random_integer_network(1000 + seed, options);
    const std::vector<std::int16_t> image =
        quantize_image(network, test::random_pixels(network, seed).data());
    const AccumulatorFormat array = {bits, 1 + static_cast<int>(seed % 17)};
    const AccumulatorFormat edge = {bits, 4};
    const ReferenceResult result = execute_reference(network, image, array, edge);
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const IntegerLayer& layer = network.layers[i];
      Definition definition(network, image, result, array, edge);
      std::size_t place = 0;
      for (int y = 0; y < layer.output.shape.height; ++y) {
        for (int x = 0; x < layer.output.shape.width; ++x) {
          for (int c = 0; c < layer.output.shape.channels; ++c) {
            ASSERT_EQ(result.outputs[i][place++], definition.element(layer, y, x, c))
                << "seed " << seed << " layer " << i << " at " << y << ", " << x << ", " << c;
          }
        }
      }
      ASSERT_EQ(result.saturations[i], definition.saturations()) << "seed " << seed;
      all_saturations += definition.saturations();
    }
  }
  EXPECT_EQ(all_saturations > 0, bits < 32);
}

INSTANTIATE_TEST_SUITE_P(AccumulatorBits, RandomNetworks,
                         ::testing::Combine(::testing::Values(8, 12, 32),
                                            ::testing::Values(std::nullopt, Arithmetic::bnn,
                                                              Arithmetic::shift, Arithmetic::post,
                                                              Arithmetic::apot,
                                                              Arithmetic::shiftaddnet)));

}  // namespace
}  // namespace abacus::network
