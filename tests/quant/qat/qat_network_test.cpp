// The training pass computes the integers of the simulation.
#include "sw/quant/qat/qat_network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/network/reference_executor.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/calibrate/make_plan.hpp"
#include "sw/quant/layers/apply_plan.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/qat/qat_quantizers.hpp"
#include "sw/quant/simulate/simulation.hpp"
#include "sw/train/batches.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

struct Case {
  std::string scheme;
  int weight_bits;
  int activation_bits;
  int groups;
};

class QatNetworkTest : public ::testing::Test {
 protected:
  QatNetworkTest() {
    torch::set_num_threads(1);
    data_ = test::synthetic_dataset(96, 4, {1, 14, 14});
  }

  static network::Arithmetic arithmetic(const Case& c) {
    return c.scheme == "uniform-ptq" ? network::Arithmetic::cnn : network::Arithmetic::adder;
  }

  network::Checkpoint checkpoint(const Case& c, const std::string& name = "resnet20") const {
    const network::Normalization normalization = {{0.4F, 0.4F, 0.4F}, {0.3F, 0.3F, 0.3F}};
    const torch::Tensor images =
        train::make_batch(data_, normalization, std::int64_t{0}, 96).images;
    return test::random_checkpoint(name, arithmetic(c), data_.image, data_.classes, images, 11);
  }

  QuantizationPlan plan(const Case& c, const network::Checkpoint& checkpoint) const {
    QuantizationOptions asked;
    asked.scheme = c.scheme;
    asked.weight_bits = c.weight_bits;
    asked.activation_bits = c.activation_bits;
    if (c.groups > 1) asked.groups = c.groups;
    const CompletedOptions options = complete(asked);
    const std::vector<network::FoldedLayer> folded = network::fold_graph(checkpoint.network);
    train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
    const CalibrationData data{data_, checkpoint.normalization, {}, 1};
    return make_plan(checkpoint, folded,
                     calibrate(network, folded, data, 96, calibration_alpha(options), {}), options);
  }

  torch::Tensor images(const network::Checkpoint& checkpoint) const {
    return train::make_batch(data_, checkpoint.normalization, std::int64_t{0}, 96).images;
  }

  network::Dataset data_;
};

double deviation(const torch::Tensor& values) { return values.std().item<double>(); }

TEST_F(QatNetworkTest, ComputesWhatTheSimulationComputes) {
  for (const Case& c : {Case{"nonnegative-ptq", 4, 4, 1}, Case{"nonnegative-ptq", 2, 3, 1},
                        Case{"adderquant-ptq", 4, 4, 3}, Case{"adderquant-ptq", 5, 3, 2},
                        Case{"qssf-ptq", 4, 4, 1}, Case{"uniform-ptq", 3, 4, 1}}) {
    SCOPED_TRACE(c.scheme + " " + std::to_string(c.weight_bits) + " " +
                 std::to_string(c.activation_bits));
    // A shallow network: where an integer falls to the other side of a border, which float rounding
    // can do, all layers behind it see it.
    const network::Checkpoint from = checkpoint(c, "lenet");
    const QuantizationPlan planned = plan(c, from);
    train::FloatNetwork network(from.network, from.tensors);
    network.set_batch_norm_mode(train::BatchNormMode::training);
    const torch::Tensor float_scores = network.forward(images(from)).detach();
    QatNetwork trained(network, planned);
    const torch::Tensor scores = trained.forward(images(from)).detach();

    QuantizedNetwork quantized = apply_plan(from, planned);
    Simulation simulation(quantized);
    simulation.begin_re_estimation();
    const torch::Tensor expected = simulation.forward(images(from));
    EXPECT_LT(deviation(scores - expected), 0.01 * deviation(expected));
    EXPECT_GT(deviation(scores - float_scores), 0.05 * deviation(expected));
  }
}

TEST_F(QatNetworkTest, EveryParameterGetsAGradient) {
  for (const Case& c : {Case{"nonnegative-ptq", 3, 3, 1}, Case{"adderquant-ptq", 4, 4, 4},
                        Case{"uniform-ptq", 4, 4, 1}}) {
    SCOPED_TRACE(c.scheme);
    const network::Checkpoint from = checkpoint(c);
    train::FloatNetwork network(from.network, from.tensors);
    network.set_batch_norm_mode(train::BatchNormMode::training);
    QatNetwork trained(network, plan(c, from));
    trained.learn_ranges(true);
    EXPECT_FALSE(trained.learned_ranges().empty());
    trained.forward(images(from)).square().sum().backward();
    for (const std::string& name : network.trainable()) {
      const torch::Tensor gradient = network.parameter(name).grad();
      ASSERT_TRUE(gradient.defined()) << name;
      EXPECT_TRUE(torch::isfinite(gradient).all().item<bool>()) << name;
      EXPECT_GT(gradient.abs().max().item<double>(), 0) << name;
    }
    for (const LearnedRange& range : trained.learned_ranges()) {
      ASSERT_TRUE(range.values.grad().defined()) << range.name;
      EXPECT_GT(range.values.grad().abs().max().item<double>(), 0) << range.name;
    }
  }
}

TEST_F(QatNetworkTest, QuantizersComputeWhatTheSimulationComputes) {
  const Case c{"uniform-ptq", 3, 4, 1};
  const network::Checkpoint from = checkpoint(c, "lenet");
  const std::vector<network::FoldedLayer> folded = network::fold_graph(from.network);
  std::vector<torch::Tensor> all;
  for (const std::string& name : weight_quantizer_names()) {
    for (const ActivationQuantizer activations :
         {ActivationQuantizer::lsq, ActivationQuantizer::pact, ActivationQuantizer::asq}) {
      const QatQuantizers quantizers{weight_quantizer_from_string(name), activations, 0};
      SCOPED_TRACE(to_string(quantizers));
      QuantizationPlan planned = plan(c, from);
      set_quantizers(planned, from, folded, std::vector<double>(folded.size(), 0.7), quantizers, 1);
      // As near to exact roots as a lookup table comes.
      for (ConvolutionPlan& of : planned.convolutions) of.fraction_bits = 8;
      train::FloatNetwork network(from.network, from.tensors);
      network.set_batch_norm_mode(train::BatchNormMode::training);
      QatNetwork trained(network, planned);
      const torch::Tensor scores = trained.forward(images(from)).detach();

      QuantizedNetwork quantized = apply_plan(from, planned);
      Simulation simulation(quantized);
      simulation.begin_re_estimation();
      const torch::Tensor expected = simulation.forward(images(from));
      // The simulation has POST's lookup table, the training exact roots.
      const bool post = quantizers.weights == WeightQuantizer::post;
      EXPECT_LT(deviation(scores - expected), (post ? 0.05 : 0.01) * deviation(expected));
      for (const torch::Tensor& other : all) {
        EXPECT_GT(deviation(scores - other), 0.01 * deviation(expected));
      }
      all.push_back(scores);
    }
  }
}

// β beyond its range is the same in training, simulation and reference executor, and no multiplier that it
// scales saturates.
TEST_F(QatNetworkTest, AFactorBeyondItsRangeIsTheSameEverywhere) {
  const Case c{"uniform-ptq", 4, 4, 1};
  const network::Checkpoint from = checkpoint(c, "lenet");
  const std::vector<network::FoldedLayer> folded = network::fold_graph(from.network);
  for (const double factor : {-100.0, 100.0}) {
    SCOPED_TRACE(factor);
    QuantizationPlan planned = plan(c, from);
    set_quantizers(planned, from, folded, std::vector<double>(folded.size(), 0.7),
                   {WeightQuantizer::lsq, ActivationQuantizer::asq, 0}, 1);
    for (ConvolutionPlan& of : planned.convolutions) {
      if (of.adapter.channels > 0) of.adapter.parameters.back() = factor;
    }
    train::FloatNetwork network(from.network, from.tensors);
    network.set_batch_norm_mode(train::BatchNormMode::training);
    QatNetwork trained(network, planned);
    const torch::Tensor scores = trained.forward(images(from)).detach();
    QuantizedNetwork quantized = apply_plan(from, planned);
    Simulation simulation(quantized);
    simulation.begin_re_estimation();
    const torch::Tensor expected = simulation.forward(images(from));
    EXPECT_LT(deviation(scores - expected), 0.01 * deviation(expected));
    simulation.end_re_estimation();

    const network::IntegerNetwork integer = to_integer_network(quantized);
    const network::ReferenceResult reference = network::execute_reference(
        integer, network::quantize_image(integer, data_.pixels.data()), {32, 16}, {32, 16});
    Simulation fixed(quantized, ScaleArithmetic::fixed_point);
    const double scale = quantized.layers.back().output.scale;
    const torch::Tensor simulated = fixed.forward(images(from).narrow(0, 0, 1)).flatten() / scale;
    for (std::size_t i = 0; i < reference.outputs.back().size(); ++i) {
      EXPECT_EQ(std::lround(simulated[static_cast<std::int64_t>(i)].item<double>()),
                reference.outputs.back()[i]);
    }
    int adapted = 0;
    for (std::size_t i = 0; i < integer.layers.size(); ++i) {
      if (!integer.layers[i].adapter.has_value()) continue;
      ++adapted;
      const network::StepResult& step = reference.steps[i];
      EXPECT_EQ(step.factor, factor < 0 ? 256 : 32768);
      EXPECT_EQ(step.underflows, factor < 0);
      EXPECT_EQ(step.overflows, factor > 0);
      EXPECT_EQ(step.read_saturations + step.multiplier_saturations, 0);
    }
    EXPECT_GT(adapted, 0);
  }
}

TEST_F(QatNetworkTest, EveryParameterOfTheQuantizersGetsAGradient) {
  const Case c{"uniform-ptq", 3, 3, 1};
  const network::Checkpoint from = checkpoint(c);
  const std::vector<network::FoldedLayer> folded = network::fold_graph(from.network);
  for (const QatQuantizers& quantizers :
       {QatQuantizers{WeightQuantizer::lsq, ActivationQuantizer::asq, 0},
        QatQuantizers{WeightQuantizer::apot, ActivationQuantizer::pact, 0},
        QatQuantizers{WeightQuantizer::post, ActivationQuantizer::asq, 0}}) {
    SCOPED_TRACE(to_string(quantizers));
    QuantizationPlan planned = plan(c, from);
    set_quantizers(planned, from, folded, std::vector<double>(folded.size(), 0.3), quantizers, 1);
    train::FloatNetwork network(from.network, from.tensors);
    network.set_batch_norm_mode(train::BatchNormMode::training);
    QatNetwork trained(network, planned);
    trained.learn_ranges(true);
    trained.forward(images(from)).square().sum().backward();
    int adapters = 0;
    for (const LearnedRange& range : trained.learned_ranges()) {
      ASSERT_TRUE(range.values.grad().defined()) << range.name;
      EXPECT_GT(range.values.grad().abs().max().item<double>(), 0) << range.name;
      adapters += range.name.find(".adapter") != std::string::npos;
    }
    EXPECT_EQ(adapters, quantizers.activations == ActivationQuantizer::asq ? 20 : 0);
    for (const std::string& name : network.trainable()) {
      EXPECT_GT(network.parameter(name).grad().abs().max().item<double>(), 0) << name;
    }
  }
}

TEST_F(QatNetworkTest, InBfloat16ComputesNearlyTheSame) {
  const Case c{"uniform-ptq", 4, 4, 1};
  const network::Checkpoint from = checkpoint(c, "lenet");
  const std::vector<network::FoldedLayer> folded = network::fold_graph(from.network);
  for (const QatQuantizers& quantizers :
       {QatQuantizers{WeightQuantizer::lsq, ActivationQuantizer::lsq, 0},
        QatQuantizers{WeightQuantizer::apot, ActivationQuantizer::pact, 0},
        QatQuantizers{WeightQuantizer::post, ActivationQuantizer::asq, 0}}) {
    SCOPED_TRACE(to_string(quantizers));
    QuantizationPlan planned = plan(c, from);
    set_quantizers(planned, from, folded, std::vector<double>(folded.size(), 0.7), quantizers, 1);
    std::vector<torch::Tensor> scores;
    std::vector<std::vector<torch::Tensor>> gradients;
    // The squares' sum, which BatchNorm keeps nearly constant, would have gradients of rounding alone.
    const torch::Tensor upstream =
        torch::randn({96, data_.classes}, at::detail::createCPUGenerator(3));
    for (const train::Precision precision :
         {train::Precision::float32, train::Precision::bfloat16}) {
      train::FloatNetwork network(from.network, from.tensors);
      network.set_batch_norm_mode(train::BatchNormMode::training);
      QatNetwork trained(network, planned);
      trained.set_precision(precision);
      trained.learn_ranges(true);
      scores.push_back(trained.forward(images(from)));
      (scores.back() * upstream).sum().backward();
      gradients.emplace_back();
      for (const std::string& name : network.trainable()) {
        gradients.back().push_back(network.parameter(name).grad().flatten());
      }
    }
    EXPECT_FALSE(scores[1].equal(scores[0]));
    // Random weights leave much of the products to the BatchNorm's mean, which rounding sees.
    EXPECT_LT(deviation(scores[1] - scores[0]), 0.3 * deviation(scores[0]));
    for (std::size_t i = 0; i < gradients[0].size(); ++i) {
      const double cosine =
          torch::cosine_similarity(gradients[0][i], gradients[1][i], 0).item<double>();
      EXPECT_GT(cosine, 0.7) << i;
    }
  }
}

// mse: where uniform-ptq starts; lsq: by the paper's rule. Adapters of different layers and seeds differ.
TEST_F(QatNetworkTest, StepsStartWhereAsked) {
  const Case c{"uniform-ptq", 4, 4, 1};
  const network::Checkpoint from = checkpoint(c);
  const std::vector<network::FoldedLayer> folded = network::fold_graph(from.network);
  const QuantizationPlan before = plan(c, from);
  const std::vector<double> means(folded.size(), 0.7);
  QuantizationPlan rule = before, best = before, other = before;
  QatQuantizers quantizers{WeightQuantizer::lsq, ActivationQuantizer::asq, 0, StepStart::lsq};
  set_quantizers(rule, from, folded, means, quantizers, 1);
  set_quantizers(other, from, folded, means, quantizers, 2);
  quantizers.step_start = StepStart::mse;
  set_quantizers(best, from, folded, means, quantizers, 1);
  std::vector<std::vector<double>> adapters;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (!before.convolutions[i].weights.has_value() && !best.convolutions[i].weights.has_value()) {
      continue;
    }
    const ConvolutionPlan &start = before.convolutions[i], &found = best.convolutions[i];
    EXPECT_EQ(found.weights->parameters, start.weight_step) << i;
    EXPECT_EQ(found.activation_step, start.activation_step) << i;
    EXPECT_NE(rule.convolutions[i].weights->parameters, start.weight_step) << i;
    EXPECT_DOUBLE_EQ(rule.convolutions[i].activation_step, lsq_start(0.7, 15)) << i;
    adapters.push_back(found.adapter.parameters);
    adapters.push_back(other.convolutions[i].adapter.parameters);
  }
  ASSERT_GT(adapters.size(), 30U);
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(adapters[i], adapters[j]) << i << " " << j;
  }
}

TEST_F(QatNetworkTest, RefusesAPrecisionThatIsNotForTheNetwork) {
  const auto error = [&](const Case& c, train::Precision precision) -> std::string {
    const network::Checkpoint from = checkpoint(c, "lenet");
    train::FloatNetwork network(from.network, from.tensors);
    QatNetwork trained(network, plan(c, from));
    trained.set_precision(train::Precision::float32);
    try {
      trained.set_precision(precision);
    } catch (const std::invalid_argument& refused) {
      return refused.what();
    }
    return "";
  };
  EXPECT_EQ(error({"nonnegative-ptq", 4, 4, 1}, train::Precision::bfloat16),
            "precision: found bfloat16 with a network that has adder layers; allowed: float32");
  EXPECT_EQ(error({"uniform-ptq", 4, 4, 1}, train::Precision::int8),
            "precision: found int8 with a network that has cnn layers; allowed: float32, bfloat16");
}

TEST_F(QatNetworkTest, LqNetsBasesFollowTheWeightsInTrainingAlone) {
  const Case c{"uniform-ptq", 2, 4, 1};
  const network::Checkpoint from = checkpoint(c, "lenet");
  const std::vector<network::FoldedLayer> folded = network::fold_graph(from.network);
  QuantizationPlan planned = plan(c, from);
  set_quantizers(planned, from, folded, std::vector<double>(folded.size(), 0.7),
                 {WeightQuantizer::lqnet, ActivationQuantizer::lsq, 0}, 1);
  train::FloatNetwork network(from.network, from.tensors);
  QatNetwork trained(network, planned);
  const auto first_basis = [](const QuantizationPlan& of) {
    for (const ConvolutionPlan& convolution : of.convolutions) {
      if (convolution.weights.has_value()) return convolution.weights->parameters;
    }
    return std::vector<double>();
  };
  {
    torch::NoGradGuard no_gradient;
    const torch::Tensor weights = network.parameter("conv2.weight");
    network.set_parameter("conv2.weight", weights.detach() * 2);
  }
  network.set_batch_norm_mode(train::BatchNormMode::inference);
  trained.forward(images(from));
  EXPECT_EQ(first_basis(trained.plan()), first_basis(planned));
  network.set_batch_norm_mode(train::BatchNormMode::training);
  for (int step = 0; step < 200; ++step) trained.forward(images(from).narrow(0, 0, 2));
  const std::vector<double> before = first_basis(planned), after = first_basis(trained.plan());
  double ratio = 0;
  for (std::size_t i = 0; i < before.size(); ++i) ratio += after[i] / before[i];
  EXPECT_NEAR(ratio / static_cast<double>(before.size()), 2, 0.3);
}

TEST_F(QatNetworkTest, ThePlanFollowsTheLearnedRanges) {
  const Case c{"nonnegative-ptq", 3, 3, 1};
  const network::Checkpoint from = checkpoint(c);
  train::FloatNetwork network(from.network, from.tensors);
  const QuantizationPlan before = plan(c, from);
  QatNetwork trained(network, before);
  EXPECT_TRUE(trained.learned_ranges().empty());
  trained.learn_ranges(true);
  LearnedRange& first = trained.learned_ranges().front();
  EXPECT_EQ(first.name, "layer1.0.conv1.range");
  {
    torch::NoGradGuard no_gradient;
    first.values.mul_(1.5);
  }
  const QuantizationPlan after = trained.plan();
  int changed = 0;
  for (std::size_t i = 0; i < before.convolutions.size(); ++i) {
    ASSERT_EQ(before.convolutions[i].range.size(), after.convolutions[i].range.size());
    for (std::size_t g = 0; g < before.convolutions[i].range.size(); ++g) {
      const double ratio = after.convolutions[i].range[g] / before.convolutions[i].range[g];
      if (ratio != 1) {
        EXPECT_NEAR(ratio, 1.5, 1e-12);
        ++changed;
      }
    }
  }
  EXPECT_EQ(changed, 1);
}

TEST_F(QatNetworkTest, RefusesAnotherNetworksPlan) {
  const Case c{"nonnegative-ptq", 4, 4, 1};
  const network::Checkpoint from = checkpoint(c), other = checkpoint(c, "lenet");
  train::FloatNetwork network(from.network, from.tensors);
  EXPECT_THROW(QatNetwork(network, plan(c, other)), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
