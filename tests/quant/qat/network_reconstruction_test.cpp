#include "sw/quant/qat/network_reconstruction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sw/quant/simulate/comparison.hpp"
#include "tests/quant/reconstruct/reconstruction_case.hpp"

namespace abacus::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

CompletedOptions two_bits(OperandGrid grid = OperandGrid::unsigned_activations) {
  QuantizationOptions options;
  options.scheme = "adderquant-ptq";
  options.weight_bits = options.activation_bits = 2;
  options.operand_grid = grid;
  options.groups = 1;
  options.calibration_images = options.batch_norm_images = 64;
  return complete(options);
}

QuantizationPlan plan_of(const test::ReconstructionCase& c, const CompletedOptions& options) {
  train::FloatNetwork network = c.float_network();
  const std::vector<network::FoldedLayer> folded = network::fold_graph(c.checkpoint.network);
  return make_plan(c.checkpoint, folded,
                   calibrate(network, folded, c.data, 64, calibration_alpha(options), {}), options);
}

// Divergence from the float network on the calibration images.
double divergence(const test::ReconstructionCase& c, const network::Checkpoint& parameters,
                  const QuantizationPlan& plan) {
  QuantizedNetwork network = apply_plan(parameters, plan);
  estimate_batch_norms(network, parameters, c.data, BatchNormEstimation::estimated, 64, {});
  train::FloatNetwork reference = c.float_network();
  return compare_with_float(network, reference, c.images, {}).divergence;
}

TEST(NetworkReconstruction, BringsTheNetworkNearerToTheFloatOneByteForByteAgain) {
  const test::ReconstructionCase c("resnet20", network::Arithmetic::adder, 2, 1);
  const QuantizationPlan plan = plan_of(c, two_bits());
  NetworkReconstructionOptions options;
  options.images = 64;
  options.batch = 32;
  options.iterations = 40;
  std::int64_t done = 0;
  const network::Checkpoint tuned = reconstruct_network(c.checkpoint, plan, c.data, options,
                                                        [&](std::int64_t now, std::int64_t all) {
                                                          EXPECT_EQ(now, ++done);
                                                          EXPECT_EQ(all, 40);
                                                        });
  EXPECT_EQ(done, 40);
  EXPECT_LT(divergence(c, tuned, plan), 0.8 * divergence(c, c.checkpoint, plan));
  const network::Checkpoint again = reconstruct_network(c.checkpoint, plan, c.data, options, {});
  for (const auto& [name, tensor] : tuned.tensors) {
    EXPECT_EQ(tensor.bytes, again.tensors.at(name).bytes) << name;
  }
}

TEST(NetworkReconstruction, LeavesBatchNormsStatisticsToTheirEstimation) {
  const test::ReconstructionCase c("lenet", network::Arithmetic::adder, 2, 1);
  NetworkReconstructionOptions options;
  options.iterations = 3;
  const network::Checkpoint tuned =
      reconstruct_network(c.checkpoint, plan_of(c, two_bits()), c.data, options, {});
  for (const char* name : {"bn2.running_mean", "bn2.running_var"}) {
    EXPECT_EQ(tuned.tensors.at(name).bytes, c.checkpoint.tensors.at(name).bytes);
  }
  EXPECT_NE(tuned.tensors.at("conv2.weight").bytes, c.checkpoint.tensors.at("conv2.weight").bytes);
}

// Scores four times as large at a temperature of 4 are the same probabilities. All gradients before
// the classifier are then multiples of those at 1, which Adam's first step does not tell apart.
TEST(NetworkReconstruction, TheTemperatureDividesTheScoresOfBothNetworks) {
  test::ReconstructionCase c("lenet", network::Arithmetic::adder, 2, 1);
  NetworkReconstructionOptions options;
  options.iterations = 1;
  const auto learned = [&](double temperature) {
    options.temperature = temperature;
    return reconstruct_network(c.checkpoint, plan_of(c, two_bits()), c.data, options, {})
        .tensors.at("conv2.weight")
        .values<float>();
  };
  const std::vector<float> start = c.checkpoint.tensors.at("conv2.weight").values<float>();
  const std::vector<float> plain = learned(1);
  const std::vector<float> softened = learned(4);
  const std::string classifier = c.checkpoint.network.layers.back().name;
  for (const char* kind : {".weight", ".bias"}) {
    network::Tensor& tensor = c.checkpoint.tensors.at(classifier + kind);
    std::vector<float> values = tensor.values<float>();
    for (float& value : values) value *= 4;
    tensor = network::Tensor::from(values, tensor.shape);
  }
  const std::vector<float> scaled = learned(4);
  const auto distance = [&](const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum;
  };
  const double step = distance(plain, start);
  EXPECT_GT(step, 0);
  EXPECT_LT(distance(scaled, plain), 0.05 * step);
  EXPECT_GT(distance(softened, plain), 0.1 * step) << distance(softened, plain) << " of " << step;
}

TEST(NetworkReconstruction, RefusesATemperatureThatIsNoneByName) {
  const test::ReconstructionCase c("lenet", network::Arithmetic::adder, 2, 1);
  const QuantizationPlan plan = plan_of(c, two_bits());
  for (const double temperature : {0.0, -1.0, std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN()}) {
    NetworkReconstructionOptions options;
    options.temperature = temperature;
    try {
      reconstruct_network(c.checkpoint, plan, c.data, options, {});
      FAIL() << "accepted " << temperature;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("temperature is"), HasSubstr("above 0")));
    }
  }
}

TEST(NetworkReconstruction, RefusesSignedActivationsByName) {
  const test::ReconstructionCase c("lenet", network::Arithmetic::adder, 2, 1);
  try {
    reconstruct_network(c.checkpoint, plan_of(c, two_bits(OperandGrid::symmetric)), c.data, {}, {});
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("conv2"), HasSubstr("unsigned")));
  }
}

}  // namespace
}  // namespace abacus::quant
