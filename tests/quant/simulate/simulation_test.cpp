// The float simulation and the integer network, executed by the reference executor, agree layer by
// layer.
#include "sw/quant/simulate/simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "sw/network/reference_executor.hpp"
#include "sw/quant/plan/adapter_arithmetic.hpp"
#include "sw/quant/plan/exponent_taps.hpp"
#include "sw/quant/quantize.hpp"
#include "sw/quant/simulate/exponent_accumulation.hpp"
#include "sw/train/batches.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/tlm/random_element.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

// One of the three forms that exponents have, of five bits.
WeightCode exponent_code(std::mt19937& random) {
  switch (std::uniform_int_distribution<int>(0, 2)(random)) {
    case 0:
      return {hw::TapKind::shifted, 15, {}, {}};
    case 1:
      return {hw::TapKind::half_shifted, 15, {}, {}};
    default:
      return {hw::TapKind::twice_shifted, 15, {-1, 0, 3, 7}, {-1, 1, 2, 9}};
  }
}

// A convolution, its shortcut, an addition that no convolution can take in, and pools.
QuantizedNetwork hand_made_network(std::mt19937& random, hw::TapKind arithmetic) {
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  QuantizedNetwork result;
  network::Network& network = result.network;
  network.name = "lenet";
  const bool table = arithmetic == network::Arithmetic::table;
  const hw::TapKind trained = table ? network::Arithmetic::cnn : arithmetic;
  network.arithmetic = trained;
  const auto element = std::make_shared<const hw::ElementTable>(test::random_element(random()));
  network.input = {2, 6, 6};
  network.classes = 12;
  const auto layer = [&](const std::string& name, const network::LayerKind& kind, int from,
                         network::Shape output) {
    network::Layer made;
    made.name = name;
    made.kind = kind;
    made.inputs = {from};
    made.input = from < 0 ? network.input : network.layers[static_cast<std::size_t>(from)].output;
    made.output = output;
    network.layers.push_back(made);
    return static_cast<int>(network.layers.size()) - 1;
  };
  const auto of_stride = [&](int stride) { return network::Convolution{trained, 3, stride, 1}; };
  const int a = layer("a", of_stride(1), -1, {3, 6, 6});
  const int pool = layer("pool", network::MaxPool{2, 2}, a, {3, 3, 3});
  const int b = layer("b", of_stride(2), a, {3, 3, 3});
  const int mean = layer("mean", network::AveragePool{2, 2}, a, {3, 3, 3});
  const int sum = layer("sum", network::Add{}, pool, {3, 3, 3});
  network.layers.back().inputs = {pool, mean};
  const int total = layer("total", network::Add{}, sum, {3, 3, 3});
  network.layers.back().inputs = {b, sum};
  layer("scores", network::MaxPool{2, 1}, total, {3, 2, 2});

  result.image.shape = network.input;
  result.image.scale = 0.02;
  result.normalization.mean = {0.5F, 0.4F, 0.4F};
  result.normalization.deviation = {0.2F, 0.25F, 0.2F};
  for (const network::FoldedLayer& folded : network::fold_graph(network)) {
    const network::Layer& from = network.layers[static_cast<std::size_t>(folded.layer)];
    QuantizedLayer made;
    made.folded = folded;
    made.output.shape = network.layers[static_cast<std::size_t>(folded.output)].output;
    made.output.is_signed = true;
    made.output.bits = 8;
    made.output.scale = uniform(0.05, 0.1);
    if (folded.kind == network::IntegerLayerKind::convolution) {
      QuantizedConvolution& convolution = made.convolution;
      convolution.weight_bits = 5;
      convolution.activation_bits = 6;
      convolution.activation_signed = true;
      if (arithmetic == network::Arithmetic::adder) convolution.weight_shift = 1;
      int lowest_weight = -16;
      if (arithmetic == network::Arithmetic::shift) {
        convolution.code = exponent_code(random);
        convolution.fraction_bits = std::uniform_int_distribution<int>(2, 8)(random);
        lowest_weight = -15;
      }
      int highest_weight = 15;
      if (table) {
        convolution.element = element;
        convolution.set_operands(*element);
        lowest_weight = element->lowest_weight();
        highest_weight = element->highest_weight();
      }
      const int taps = from.input.channels * 3 * 3;
      const network::StoredTensor& input = result.tensor(folded.input);
      const int groups = arithmetic == network::Arithmetic::adder || table ? 2 : 1;
      // Every second layer "b", which reads what another layer stored, with a step of its own for each
      // image.
      const bool adapts = arithmetic != network::Arithmetic::adder && !table && from.name == "b" &&
                          uniform(0, 1) < 0.5;
      if (adapts) {
        convolution.adapter.channels = input.shape.channels;
        for (int c = 0; c < input.shape.channels; ++c) {
          convolution.adapter.parameters.push_back(uniform(-0.5, 0.5));
        }
        // Some β leave their range.
        convolution.adapter.parameters.push_back(uniform(0, 1) < 0.3 ? uniform(-4, 20)
                                                                     : uniform(0.5, 2));
      }
      for (int g = 0; g < groups; ++g) {
        convolution.activation_step.push_back(input.scale * uniform(1.5, 5));
        const double ratio = input.scale / convolution.activation_step.back();
        made.read_quantizers.push_back(adapts ? adaptable_read_quantizer(ratio)
                                              : read_quantizer(ratio));
      }
      for (int o = 0; o < from.output.channels; ++o) {
        convolution.group.push_back(o % groups);
        const double step = convolution.activation_step[static_cast<std::size_t>(o % groups)];
        convolution.accumulator_step.push_back(arithmetic == network::Arithmetic::adder ? -step
                                               : table ? std::ldexp(step, 5 - element->tap_bits)
                                               : arithmetic == network::Arithmetic::shift
                                                   ? step * uniform(0.5, 1.5)
                                                   : step * uniform(0.01, 0.02));
        convolution.offset.push_back(uniform(-1, 1));
        for (int i = 0; i < taps; ++i) {
          convolution.weights.push_back(static_cast<std::int16_t>(
              std::uniform_int_distribution<int>(lowest_weight, highest_weight)(random)));
        }
        made.batch_norm.weight.push_back(uniform(-2, 2));
        made.batch_norm.bias.push_back(uniform(-1, 1));
        made.batch_norm.mean.push_back(arithmetic == network::Arithmetic::adder ? -15 * taps * step
                                                                                : 0);
        made.batch_norm.variance.push_back(uniform(2, 9));
      }
    }
    result.layers.push_back(made);
  }
  return result;
}

// Pixels, and the same images normalised.
struct Images {
  std::vector<std::uint8_t> pixels;
  torch::Tensor normalised;
};

Images random_images(std::mt19937& random, const QuantizedNetwork& network, int count) {
  Images images;
  network::Dataset data;
  data.image = network.image.shape;
  for (std::int64_t i = 0; i < count * data.image.elements(); ++i) {
    data.pixels.push_back(
        static_cast<std::uint8_t>(std::uniform_int_distribution<int>(0, 255)(random)));
  }
  data.labels.assign(static_cast<std::size_t>(count), 0);
  images.pixels = data.pixels;
  images.normalised =
      train::make_batch(data, network.normalization, std::int64_t{0}, std::int64_t{count}).images;
  return images;
}

TEST(Simulation, AgreesWithTheReferenceExecutor) {
  std::mt19937 random(23);
  for (const hw::TapKind arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn, network::Arithmetic::shift}) {
    for (int trial = 0; trial < 10; ++trial) {
      QuantizedNetwork network = hand_made_network(random, arithmetic);
      const network::IntegerNetwork integer = to_integer_network(network);
      ASSERT_NO_THROW(network::validate(integer, "test"));
      constexpr int count = 4;
      const Images images = random_images(random, network, count);
      const double scale = network.layers.back().output.scale;
      const torch::Tensor scores = Simulation(network).forward(images.normalised) / scale;
      std::int64_t different = 0;
      for (int n = 0; n < count; ++n) {
        const network::ReferenceResult reference = network::execute_reference(
            integer,
            network::quantize_image(integer,
                                    images.pixels.data() + n * network.image.shape.elements()),
            {32, 16}, {32, 16});
        const network::Shape shape = integer.layers.back().output.shape;
        for (int c = 0; c < shape.channels; ++c) {
          for (int p = 0; p < shape.height * shape.width; ++p) {
            const double simulated = scores[n][c * shape.height * shape.width + p].item<double>();
            const double found =
                reference.outputs.back()[static_cast<std::size_t>(p * shape.channels + c)];
            // A value on the border of two integers may fall to either side, and again in the
            // layers after it.
            EXPECT_NEAR(simulated, found, 4.0);
            different += std::abs(simulated - found) > 0.01;
          }
        }
      }
      EXPECT_LE(different, count * 12 / 8) << "trial " << trial;
    }
  }
}

// With the integer network's own factors nothing is left to differ: every stored tensor of every
// layer, bit for bit.
TEST(Simulation, WithFixedPointScalesEveryTensorIsTheReferenceExecutors) {
  std::mt19937 random(47);
  for (const hw::TapKind arithmetic : {network::Arithmetic::adder, network::Arithmetic::cnn,
                                       network::Arithmetic::shift, network::Arithmetic::table}) {
    for (int trial = 0; trial < (arithmetic == network::Arithmetic::table ? 20 : 6); ++trial) {
      QuantizedNetwork network = hand_made_network(random, arithmetic);
      const network::IntegerNetwork integer = to_integer_network(network);
      constexpr int count = 3;
      const Images images = random_images(random, network, count);
      Simulation simulation(network, ScaleArithmetic::fixed_point);
      std::vector<torch::Tensor> tensors;
      const torch::Tensor image = simulation.store_image(images.normalised);
      const auto tensor = [&](int index) {
        if (index == network::no_tensor) return torch::Tensor();
        return index == network::image_tensor ? image : tensors[static_cast<std::size_t>(index)];
      };
      for (std::size_t i = 0; i < network.layers.size(); ++i) {
        const network::FoldedLayer& folded = network.layers[i].folded;
        tensors.push_back(simulation.run_layer(i, tensor(folded.input), tensor(folded.residual)));
      }
      for (int n = 0; n < count; ++n) {
        const network::ReferenceResult reference = network::execute_reference(
            integer,
            network::quantize_image(integer,
                                    images.pixels.data() + n * network.image.shape.elements()),
            {32, 16}, {32, 16});
        for (std::size_t i = 0; i < tensors.size(); ++i) {
          const torch::Tensor found = tensors[i][n].permute({1, 2, 0}).contiguous().flatten();
          ASSERT_EQ(static_cast<std::size_t>(found.numel()), reference.outputs[i].size());
          for (std::int64_t k = 0; k < found.numel(); ++k) {
            ASSERT_EQ(found[k].item<int>(), reference.outputs[i][static_cast<std::size_t>(k)])
                << "trial " << trial << ", layer " << network.layers[i].folded.name << ", element "
                << k;
          }
        }
      }
    }
  }
}

// Given the same input, real scales and fixed-point ones differ in no layer by more than a value on the
// border of two integers. (From layer to layer such differences grow, which is why accuracies are
// measured with fixed-point scales.)
TEST(Simulation, ScalesAsRealNumbersDifferByOneIntegerALayerAtMost) {
  std::mt19937 random(59);
  std::int64_t different = 0, all = 0;
  for (int trial = 0; trial < 20; ++trial) {
    QuantizedNetwork network = hand_made_network(
        random, trial % 2 == 0 ? network::Arithmetic::adder : network::Arithmetic::cnn);
    const Images images = random_images(random, network, 4);
    Simulation exact(network, ScaleArithmetic::fixed_point), real(network);
    std::vector<torch::Tensor> tensors;
    const torch::Tensor image = exact.store_image(images.normalised);
    const auto tensor = [&](int index) {
      if (index == network::no_tensor) return torch::Tensor();
      return index == network::image_tensor ? image : tensors[static_cast<std::size_t>(index)];
    };
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const network::FoldedLayer& folded = network.layers[i].folded;
      tensors.push_back(exact.run_layer(i, tensor(folded.input), tensor(folded.residual)));
      const torch::Tensor other = real.run_layer(i, tensor(folded.input), tensor(folded.residual));
      const torch::Tensor difference = (other - tensors.back()).abs();
      EXPECT_LE(difference.max().item<float>(), 1.0F) << folded.name;
      different += difference.ne(0).sum().item<std::int64_t>();
      all += difference.numel();
    }
  }
  EXPECT_LT(different * 100, all * 2);
}

TEST(Simulation, RefusesToEstimateWithFixedPointScales) {
  std::mt19937 random(53);
  QuantizedNetwork network = hand_made_network(random, network::Arithmetic::cnn);
  Simulation simulation(network, ScaleArithmetic::fixed_point);
  EXPECT_THROW(simulation.begin_re_estimation(), std::logic_error);
}

TEST(Simulation, ReEstimatesTheMeanOverAllBatches) {
  std::mt19937 random(29);
  QuantizedNetwork network = hand_made_network(random, network::Arithmetic::adder);
  const Images images = random_images(random, network, 40);
  Simulation simulation(network);
  const auto estimate = [&](const std::vector<torch::Tensor>& batches) {
    simulation.begin_re_estimation();
    for (const torch::Tensor& batch : batches) simulation.forward(batch);
    simulation.end_re_estimation();
    return network.layers[0].batch_norm;
  };
  const BatchNormChannels first = estimate({images.normalised.slice(0, 0, 20)});
  const BatchNormChannels second = estimate({images.normalised.slice(0, 20, 40)});
  const BatchNormChannels both =
      estimate({images.normalised.slice(0, 0, 20), images.normalised.slice(0, 20, 40)});
  for (std::size_t c = 0; c < both.mean.size(); ++c) {
    EXPECT_NE(first.mean[c], second.mean[c]);
    EXPECT_NEAR(both.mean[c], (first.mean[c] + second.mean[c]) / 2, 1e-6);
    EXPECT_NEAR(both.variance[c], (first.variance[c] + second.variance[c]) / 2, 1e-6);
  }
}

TEST(Simulation, AReEstimatedBatchNormGivesItsWeightAndBias) {
  std::mt19937 random(31);
  QuantizedNetwork network = hand_made_network(random, network::Arithmetic::adder);
  // The first layer's output fine and wide enough that rounding and clamping do not show.
  network.layers[0].output.bits = 16;
  network.layers[0].output.scale = 0.001;
  network.layers[0].folded.relu = false;
  network.network.layers.resize(1);
  network.layers.resize(1);
  const Images images = random_images(random, network, 64);
  Simulation simulation(network);
  simulation.begin_re_estimation();
  simulation.forward(images.normalised);
  simulation.end_re_estimation();
  const torch::Tensor output = simulation.forward(images.normalised).view({64, 3, 36});
  for (int c = 0; c < 3; ++c) {
    const torch::Tensor channel = output.select(1, c);
    const BatchNormChannels& norm = network.layers[0].batch_norm;
    EXPECT_NEAR(channel.mean().item<double>(), norm.bias[static_cast<std::size_t>(c)], 1e-3);
    EXPECT_NEAR(channel.std().item<double>(), std::abs(norm.weight[static_cast<std::size_t>(c)]),
                1e-3);
  }
}

TEST(QuantizedNetwork, ADeadChannelCostsTheOthersNoPrecision) {
  std::mt19937 random(41);
  QuantizedNetwork network = hand_made_network(random, network::Arithmetic::adder);
  network.layers[0].batch_norm.weight.assign(3, 1.0);
  const network::IntegerLayer before = to_integer_network(network).layers[0];
  network.layers[0].batch_norm.variance[1] = 1e-12;
  const network::IntegerLayer after = to_integer_network(network).layers[0];
  EXPECT_EQ(after.multipliers[1], 0);
  EXPECT_NEAR(std::ldexp(after.multipliers[0], -after.shift),
              std::ldexp(before.multipliers[0], -before.shift), 1e-4);
  EXPECT_NEAR(std::ldexp(static_cast<double>(after.biases[1]), -after.shift),
              network.layers[0].batch_norm.bias[1] / network.layers[0].output.scale, 1e-3);
}

// 576 taps of 16 bits: more than float32 has integers for.
TEST(ExponentAccumulation, IsExactBeyondTheIntegersOfFloat32) {
  constexpr int channels = 64, fraction = 8;
  QuantizedConvolution convolution;
  convolution.code = {hw::TapKind::half_shifted, 7, {}, {}};
  convolution.fraction_bits = fraction;
  std::mt19937 random(7);
  torch::Tensor weights = torch::empty({1, channels, 3, 3});
  torch::Tensor operands = torch::empty({1, channels, 3, 3});
  std::int64_t expected = 0;
  for (std::int64_t i = 0; i < weights.numel(); ++i) {
    const int code = std::uniform_int_distribution<int>(1, 2)(random);
    const int operand = std::uniform_int_distribution<int>(240, 255)(random);
    weights.data_ptr<float>()[i] = static_cast<float>(code);
    operands.data_ptr<float>()[i] = static_cast<float>(operand);
    expected += exponent_tap(convolution.code, fraction, operand, code);
  }
  if (expected % 2 == 0) {  // odd ones do not survive float32
    operands.data_ptr<float>()[0] -= 1;
    const int code = static_cast<int>(weights.data_ptr<float>()[0]);
    const int now = static_cast<int>(operands.data_ptr<float>()[0]);
    expected += exponent_tap(convolution.code, fraction, now, code) -
                exponent_tap(convolution.code, fraction, now + 1, code);
  }
  ASSERT_GT(expected, std::int64_t{1} << 24);
  const torch::Tensor sum = ExponentAccumulation(convolution, weights).run(operands, 1, 0);
  EXPECT_EQ(std::ldexp(sum.item<double>(), fraction), static_cast<double>(expected));
}

TEST(Simulation, RefusesToEndAnEstimationWithoutABatch) {
  std::mt19937 random(37);
  QuantizedNetwork network = hand_made_network(random, network::Arithmetic::adder);
  Simulation simulation(network);
  simulation.begin_re_estimation();
  EXPECT_THROW(simulation.end_re_estimation(), std::logic_error);
}

}  // namespace
}  // namespace abacus::quant
