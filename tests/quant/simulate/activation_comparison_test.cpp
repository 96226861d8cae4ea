#include "sw/quant/simulate/activation_comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/network/reference_executor.hpp"
#include "sw/quant/qat/qat.hpp"
#include "sw/quant/simulate/package_accuracy.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/trainer.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A LeNet, trained for a moment with each of the quantizers.
class ActivationComparison : public ::testing::Test {
 protected:
  ActivationComparison() {
    train::prepare_torch(1);
    data_.training = test::synthetic_dataset(80, 1);
    data_.validation = test::synthetic_dataset(30, 2);
    const network::Normalization normalization = {{0.3F, 0, 0}, {0.3F, 1, 1}};
    const torch::Tensor images =
        train::make_batch(data_.training, normalization, std::int64_t{0}, 80).images;
    checkpoint_ = test::random_checkpoint("lenet", network::Arithmetic::cnn, data_.training.image,
                                          data_.training.classes, images, 5);
    checkpoint_.normalization = normalization;
  }

  network::IntegerNetwork package(int bits, WeightQuantizer weights,
                                  ActivationQuantizer activations) {
    QuantizationOptions plan;
    plan.scheme = "uniform-ptq";
    plan.weight_bits = plan.activation_bits = bits;
    plan.calibration_images = plan.batch_norm_images = 80;
    QatOptions o(complete(plan));
    o.quantizers = QatQuantizers{weights, activations, 0};
    o.scheme = to_string(*o.quantizers) + "-qat";
    o.epochs = 3;
    o.batch = 16;
    o.out = folder_.path() / "package.safetensors";
    const network::IntegerNetwork made =
        train_quantized(checkpoint_, checkpoint_, data_, o, nullptr).network;
    std::filesystem::remove(train::state_file(o.out));
    return made;
  }

  std::vector<ComparedLayer> compare(const network::IntegerNetwork& package) {
    train::FloatNetwork network(checkpoint_.network, checkpoint_.tensors);
    return compare_activations(package, network, checkpoint_.normalization, data_.validation, {});
  }

  network::ReferenceResult execute(const network::IntegerNetwork& package,
                                   std::int64_t image) const {
    return network::execute_reference(
        package, network::quantize_image(package, data_.validation.image_data(image)), {32, 16},
        {32, 16});
  }

  std::string error_of(const network::IntegerNetwork& package) {
    try {
      compare(package);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  }

  test::TemporaryFolder folder_;
  QatData data_;
  network::Checkpoint checkpoint_;
};

TEST(ImageStatisticsTest, AreThoseOfTheDefinition) {
  ImageStatistics none;
  EXPECT_EQ(none.count(), 0);
  EXPECT_EQ(none.deviation(), 0);
  ImageStatistics moments;
  for (const double value : {4.0, -1.0, 6.0}) moments.add(value);
  EXPECT_EQ(moments.count(), 3);
  EXPECT_DOUBLE_EQ(moments.mean(), 3);
  EXPECT_DOUBLE_EQ(moments.deviation(), std::sqrt((1 + 16 + 9) / 2.0));
  EXPECT_EQ(moments.lowest(), -1);
  EXPECT_EQ(moments.highest(), 6);
}

// One image at a time, in torch, by the layers' own names.
TEST_F(ActivationComparison, OutputErrorsAreNormsOfTheDifferences) {
  const network::IntegerNetwork network =
      package(3, WeightQuantizer::lsq, ActivationQuantizer::asq);
  const std::vector<ComparedLayer> compared = compare(network);
  ASSERT_EQ(compared.size(), network.layers.size());
  const std::vector<network::FoldedLayer> folded = network::fold_graph(checkpoint_.network);
  train::FloatNetwork float_network(checkpoint_.network, checkpoint_.tensors);
  float_network.set_batch_norm_mode(train::BatchNormMode::inference);
  torch::NoGradGuard no_gradient;
  std::vector<double> norms(network.layers.size(), 0), errors(network.layers.size(), 0);
  const std::int64_t count = data_.validation.count();
  for (std::int64_t n = 0; n < count; ++n) {
    std::map<int, torch::Tensor> outputs;
    train::ForwardHooks hooks;
    hooks.after = [&](int layer, torch::Tensor& output) { outputs[layer] = output.clone(); };
    float_network.forward(
        train::make_batch(data_.validation, checkpoint_.normalization, n, 1).images, hooks);
    const network::ReferenceResult result = execute(network, n);
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const network::StoredTensor& stored = network.layers[i].output;
      torch::Tensor integers = torch::tensor(result.outputs[i]).to(torch::kFloat64);
      integers = integers.view({stored.shape.height, stored.shape.width, stored.shape.channels});
      const torch::Tensor real =
          outputs.at(folded[i].output)[0].permute({1, 2, 0}).to(torch::kFloat64);
      norms[i] += real.norm().item<double>() / static_cast<double>(count);
      errors[i] +=
          (real - integers * stored.scale).norm().item<double>() / static_cast<double>(count);
    }
  }
  for (std::size_t i = 0; i < compared.size(); ++i) {
    SCOPED_TRACE(compared[i].name);
    EXPECT_EQ(compared[i].name, network.layers[i].name);
    EXPECT_EQ(compared[i].output_error.count(), count);
    EXPECT_NEAR(compared[i].output_norm.mean(), norms[i], 1e-6 * norms[i]);
    EXPECT_NEAR(compared[i].output_error.mean(), errors[i], 1e-6 * norms[i]);
    EXPECT_GT(errors[i], 0);
  }
}

TEST_F(ActivationComparison, InputErrorsAreThoseOfTheReadQuantizersGrid) {
  for (const ActivationQuantizer quantizer : {ActivationQuantizer::lsq, ActivationQuantizer::asq}) {
    const network::IntegerNetwork network = package(2, WeightQuantizer::lsq, quantizer);
    const std::vector<ComparedLayer> compared = compare(network);
    int quantized = 0;
    for (std::size_t i = 0; i < compared.size(); ++i) {
      const network::IntegerLayer& layer = network.layers[i];
      SCOPED_TRACE(layer.name);
      const ComparedLayer& of = compared[i];
      EXPECT_EQ(of.quantizes, layer.kind == network::IntegerLayerKind::convolution && !layer.edge);
      if (!of.quantizes) {
        EXPECT_EQ(of.input_error.count(), 0);
        EXPECT_TRUE(of.levels.counts.empty());
        continue;
      }
      ++quantized;
      const network::StoredTensor& tensor = network.tensor(layer.input);
      const std::int64_t count = data_.validation.count();
      double error = 0, factor = 0, used = 0;
      std::vector<std::int64_t> levels(4, 0);
      for (std::int64_t n = 0; n < count; ++n) {
        const network::ReferenceResult result = execute(network, n);
        const double beta = result.steps[i].factor / 4096.0;
        double square = 0;
        std::set<int> different;
        for (const std::int32_t v : result.outputs[static_cast<std::size_t>(layer.input)]) {
          const double real = tensor.scale * v;
          const double level = std::clamp(std::floor(real / (of.step * beta) + 0.5), 0.0, 3.0);
          square += std::pow(real - level * of.step * beta, 2);
          ++levels[static_cast<std::size_t>(level)];
          different.insert(static_cast<int>(level));
        }
        error += std::sqrt(square) / static_cast<double>(count);
        factor += beta / static_cast<double>(count);
        used += static_cast<double>(different.size()) / static_cast<double>(count);
      }
      // The read quantizer's multiplier has finite bits.
      EXPECT_NEAR(of.input_error.mean(), error, 2e-3 * of.input_norm.mean());
      EXPECT_GT(of.input_error.mean(), 0);
      EXPECT_DOUBLE_EQ(of.step_factor.mean(), factor);
      EXPECT_NEAR(of.levels_used.mean(), used, 0.05);
      EXPECT_EQ(of.lowest_level, 0);
      ASSERT_EQ(of.levels.counts.size(), 4U);
      const std::int64_t elements = count * tensor.shape.elements();
      std::int64_t in_levels = 0, before = 0, after = 0;
      for (std::size_t level = 0; level < 4; ++level) {
        in_levels += of.levels.counts[level];
        EXPECT_NEAR(static_cast<double>(of.levels.counts[level]),
                    static_cast<double>(levels[level]), 0.01 * static_cast<double>(elements));
      }
      for (const std::int64_t n : of.stored.counts) before += n;
      for (const std::int64_t n : of.quantized.counts) after += n;
      EXPECT_EQ(in_levels, elements);
      EXPECT_EQ(before, elements);
      EXPECT_EQ(after, elements);
      if (quantizer == ActivationQuantizer::lsq) {
        EXPECT_EQ(of.step_factor.lowest(), 1);
        EXPECT_EQ(of.step_factor.highest(), 1);
        EXPECT_LE(std::count_if(of.quantized.counts.begin(), of.quantized.counts.end(),
                                [](std::int64_t n) { return n != 0; }),
                  4);
      }
    }
    EXPECT_GE(quantized, 2);
  }
}

// Element by element where the comparison goes by counts of values, on the same ladder of steps.
TEST_F(ActivationComparison, StepsByHindsightAreTheBestOfThoseTried) {
  const network::IntegerNetwork network =
      package(2, WeightQuantizer::lsq, ActivationQuantizer::asq);
  const std::vector<ComparedLayer> compared = compare(network);
  int quantized = 0;
  for (std::size_t i = 0; i < compared.size(); ++i) {
    const ComparedLayer& of = compared[i];
    if (!of.quantizes) {
      EXPECT_EQ(of.own_step_error.count(), 0);
      continue;
    }
    ++quantized;
    SCOPED_TRACE(of.name);
    const network::IntegerLayer& layer = network.layers[i];
    const network::StoredTensor& tensor = network.tensor(layer.input);
    const std::int64_t count = data_.validation.count();
    std::vector<std::vector<double>> squares;  // by image, step
    for (std::int64_t n = 0; n < count; ++n) {
      const network::ReferenceResult result = execute(network, n);
      squares.emplace_back();
      for (int octave_part = -64; octave_part <= 48; ++octave_part) {
        const double step = of.step * std::pow(2.0, octave_part / 16.0);
        double square = 0;
        for (const std::int32_t v : result.outputs[static_cast<std::size_t>(layer.input)]) {
          const double real = tensor.scale * v;
          const double back = step * std::clamp(std::floor(real / step + 0.5), 0.0, 3.0);
          square += (real - back) * (real - back);
        }
        squares.back().push_back(square);
      }
    }
    double least = 0, common = 0, own = 0, factor = 0;
    for (std::size_t s = 0; s < squares[0].size(); ++s) {
      double sum = 0, roots = 0;
      for (const std::vector<double>& image : squares) {
        sum += image[s];
        roots += std::sqrt(image[s]);
      }
      if (s == 0 || sum < least) {
        least = sum;
        common = roots / static_cast<double>(count);
      }
    }
    for (const std::vector<double>& image : squares) {
      const auto best = std::min_element(image.begin(), image.end());
      own += std::sqrt(*best) / static_cast<double>(count);
      factor += std::pow(2.0, static_cast<double>(best - image.begin() - 64) / 16.0) /
                static_cast<double>(count);
    }
    EXPECT_NEAR(of.common_step_error.mean(), common, 1e-6 * common);
    EXPECT_NEAR(of.own_step_error.mean(), own, 1e-6 * own);
    EXPECT_NEAR(of.own_step_factor.mean(), factor, 1e-6 * factor);
    EXPECT_LE(of.own_step_error.mean(), of.common_step_error.mean());
    EXPECT_GT(of.own_step_factor.highest(), of.own_step_factor.lowest());
  }
  EXPECT_GE(quantized, 2);
}

TEST_F(ActivationComparison, DoesNotDependOnTheNumberOfThreads) {
  const network::IntegerNetwork network =
      package(3, WeightQuantizer::post, ActivationQuantizer::asq);
  const std::vector<ComparedLayer> one = compare(network);
  train::prepare_torch(3);
  const std::vector<ComparedLayer> three = compare(network);
  train::prepare_torch(1);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].input_error.mean(), three[i].input_error.mean());
    EXPECT_EQ(one[i].levels.counts, three[i].levels.counts);
    EXPECT_EQ(one[i].common_step_error.mean(), three[i].common_step_error.mean());
    EXPECT_EQ(one[i].own_step_error.mean(), three[i].own_step_error.mean());
    EXPECT_EQ(one[i].own_step_factor.mean(), three[i].own_step_factor.mean());
    EXPECT_NEAR(one[i].output_error.mean(), three[i].output_error.mean(),
                1e-5 * one[i].output_norm.mean());
  }
}

TEST_F(ActivationComparison, RefusesAnotherNetworkOrImages) {
  network::IntegerNetwork network = package(3, WeightQuantizer::lsq, ActivationQuantizer::lsq);
  network::IntegerNetwork other = network;
  other.layers[1].name = "conv9";
  EXPECT_THAT(error_of(other), AllOf(HasSubstr("conv9"), HasSubstr(network.layers[1].name)));
  other = network;
  other.layers.pop_back();
  EXPECT_THAT(error_of(other), HasSubstr("no layer"));
  const network::Dataset whole = data_.validation;
  data_.validation = test::synthetic_dataset(4, 2, {1, 8, 8});
  EXPECT_THAT(error_of(network), HasSubstr("shape"));
  data_.validation = whole;
  data_.validation.labels.clear();
  EXPECT_THAT(error_of(network), HasSubstr("no images"));
}

TEST_F(ActivationComparison, PackageAccuracyIsTheReferenceExecutors) {
  network::IntegerNetwork network = package(3, WeightQuantizer::post, ActivationQuantizer::lsq);
  for (const network::ExponentArithmetic exponents :
       {network::ExponentArithmetic::fixed_point, network::ExponentArithmetic::exact}) {
    int right = 0;
    for (std::int64_t n = 0; n < data_.validation.count(); ++n) {
      right += network::execute_reference(
                   network, network::quantize_image(network, data_.validation.image_data(n)),
                   {32, 16}, {32, 16}, exponents)
                   .predicted_class == data_.validation.labels[static_cast<std::size_t>(n)];
    }
    EXPECT_DOUBLE_EQ(package_accuracy(network, data_.validation, exponents, {}),
                     100.0 * right / static_cast<double>(data_.validation.count()));
  }
  network::Dataset other = data_.validation;
  other.classes = 7;
  EXPECT_THROW(package_accuracy(network, other, network::ExponentArithmetic::exact, {}),
               std::invalid_argument);
  other = data_.validation;
  other.labels.clear();
  EXPECT_THROW(package_accuracy(network, other, network::ExponentArithmetic::exact, {}),
               std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
