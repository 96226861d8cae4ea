#include "sw/quant/qat/qat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/network/reference_executor.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/qat/qat_state.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/trainer.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::quant {
namespace {

using test::read_text;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

network::Dataset first_half(network::Dataset images) {
  const std::int64_t count = images.count() / 2;
  images.pixels.resize(static_cast<std::size_t>(count * images.image.elements()));
  images.labels.resize(static_cast<std::size_t>(count));
  return images;
}

double reference_percent(const network::IntegerNetwork& network, const network::Dataset& images) {
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < images.count(); ++i) {
    const network::ReferenceResult result = network::execute_reference(
        network, network::quantize_image(network, images.image_data(i)), {32, 16}, {32, 16});
    correct += result.predicted_class == images.labels[static_cast<std::size_t>(i)];
  }
  return 100.0 * static_cast<double>(correct) / static_cast<double>(images.count());
}

class Qat : public ::testing::Test {
 protected:
  Qat() {
    train::prepare_torch(1);  // so small a network only gets slower with more
    data_.training = test::synthetic_dataset(100, 1);
    data_.validation = test::synthetic_dataset(60, 2);
    for (const network::Arithmetic arithmetic :
         {network::Arithmetic::adder, network::Arithmetic::cnn}) {
      network::Checkpoint& made = arithmetic == network::Arithmetic::adder ? adder_ : ordinary_;
      const network::Normalization normalization = {{0.3F, 0, 0}, {0.3F, 1, 1}};
      const torch::Tensor images =
          train::make_batch(data_.training, normalization, std::int64_t{0}, 100).images;
      made = test::random_checkpoint("lenet", arithmetic, data_.training.image,
                                     data_.training.classes, images, 5);
      made.normalization = normalization;
      made.float_accuracy_percent = 12.5;
    }
  }

  QatOptions options(const std::string& name, const std::string& scheme = "nonnegative") const {
    QuantizationOptions plan;
    plan.scheme = find_training_scheme(scheme).name;
    plan.weight_bits = 3;
    plan.activation_bits = 3;
    plan.calibration_images = 100;
    plan.batch_norm_images = 100;
    plan.crop_padding = 1;
    plan.flip = true;
    plan.seed = 7;
    QatOptions o(complete(plan));
    o.scheme = scheme + "-qat";
    o.epochs = 2;
    o.batch = 16;
    o.distill = 0.5;
    o.learn_ranges = true;
    o.out = folder_.path() / (name + ".safetensors");
    return o;
  }

  const network::Checkpoint& checkpoint(const QatOptions& o) const {
    return o.quantization.scheme().name == "uniform-ptq" ? ordinary_ : adder_;
  }

  QatResult run(const QatOptions& o, const std::function<bool()>& stop = nullptr) {
    return train_quantized(checkpoint(o), checkpoint(o), data_, o, stop);
  }

  std::string bytes(const QatResult& result) {
    const std::filesystem::path file = folder_.path() / "bytes.safetensors";
    network::write_package(file, result.network);
    return test::read_text(file);
  }

  std::string error_of(const QatOptions& o) {
    try {
      run(o);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  QatData data_;
  network::Checkpoint adder_, ordinary_;
};

TEST_F(Qat, LearnsOnTheGridsOfEveryScheme) {
  for (const std::string& scheme : training_scheme_names()) {
    SCOPED_TRACE(scheme);
    QatOptions o = options("learns", scheme);
    o.epochs = 12;
    o.quantization.crop_padding = 0;
    o.quantization.flip = false;
    o.distill = 0;  // the float network knows nothing
    o.learning_rate = scheme == "uniform" ? 0.05 : 0.1;
    o.gradient_clip = 0.1;
    const QatResult result = run(o);
    ASSERT_TRUE(result.finished);
    EXPECT_GT(result.validation_percent, 80);  // chance: 25
    EXPECT_LT(result.network.origin.fake_quantized_accuracy_percent, 0) << "no test images";
    EXPECT_EQ(result.network.origin.scheme, scheme + "-qat");
    EXPECT_EQ(result.network.origin.weight_bits, 3);
    EXPECT_EQ(result.network.origin.float_accuracy_percent, 12.5);
    std::filesystem::remove(train::state_file(o.out));
  }
}

TEST_F(Qat, ThePackagesAccuracyIsTheReferenceExecutors) {
  for (const std::string scheme : {"nonnegative", "adderquant", "uniform"}) {
    SCOPED_TRACE(scheme);
    const QatOptions o = options("package", scheme);
    data_.test = first_half(data_.validation);
    const QatResult trained = run(o);
    const network::IntegerNetwork& network = trained.network;
    ASSERT_NO_THROW(network::validate(network, "package"));
    EXPECT_EQ(reference_percent(network, data_.validation), trained.validation_percent);
    EXPECT_EQ(reference_percent(network, *data_.test),
              network.origin.fake_quantized_accuracy_percent);
    std::filesystem::remove(train::state_file(o.out));
  }
}

TEST_F(Qat, GivesTheSameBytesWhenStoppedAnywhereAndResumed) {
  for (const std::string scheme : {"nonnegative", "uniform"}) {
    SCOPED_TRACE(scheme);
    const std::string whole = bytes(run(options("whole", scheme)));
    EXPECT_EQ(bytes(run(options("whole", scheme))), whole);
    for (const int stop_before : {0, 4, 6, 11}) {  // 6 batches an epoch
      QatOptions o = options("parts", scheme);
      int asked = 0;
      EXPECT_FALSE(run(o, [&] { return asked++ == stop_before; }).finished);
      o.resume = true;
      EXPECT_TRUE(bytes(run(o)) == whole) << "stopped before batch " << stop_before;
      // All epochs are in the state by then: resuming makes the package again.
      EXPECT_TRUE(bytes(run(o, [] { return true; })) == whole);
      std::filesystem::remove(train::state_file(o.out));
    }
    std::filesystem::remove(train::state_file(options("whole").out));
  }
}

TEST_F(Qat, AdamWithExactGradientsGivesTheSameBytesWhenStoppedAndResumed) {
  QatOptions whole = options("whole-exact", "nonnegative");
  whole.optimizer.method = train::OptimizerMethod::adam;
  whole.adder_gradient = train::AdderGradient::exact;
  whole.learning_rate = 0.002;
  const std::string expected = bytes(run(whole));
  QatOptions other = whole;
  other.adder_gradient = train::AdderGradient::adder_net;
  other.out = folder_.path() / "other.safetensors";
  EXPECT_NE(bytes(run(other)), expected);
  QatOptions parts = whole;
  parts.out = folder_.path() / "parts-exact.safetensors";
  int calls = 0;
  EXPECT_FALSE(run(parts, [&] { return ++calls == 4; }).finished);
  parts.resume = true;
  EXPECT_EQ(bytes(run(parts)), expected);
}

// Of ordinary networks: every weight quantizer with a learned step of the activations, and the
// activations' other quantizers.
TEST_F(Qat, EveryQuantizersPackageIsExact) {
  std::vector<QatQuantizers> all;
  for (const std::string& name : weight_quantizer_names()) {
    all.push_back({weight_quantizer_from_string(name), ActivationQuantizer::lsq, 0});
  }
  all.push_back({WeightQuantizer::lsq, ActivationQuantizer::pact, 0});
  all.push_back({WeightQuantizer::lsq, ActivationQuantizer::asq, 0});
  all.push_back({WeightQuantizer::post, ActivationQuantizer::asq, 0});
  for (const QatQuantizers& quantizers : all) {
    SCOPED_TRACE(to_string(quantizers));
    QatOptions o = options("quantizers", "uniform");
    o.quantizers = quantizers;
    o.scheme = to_string(quantizers) + "-qat";
    o.epochs = 6;
    o.distill = 0;
    o.quantization.crop_padding = 0;
    o.quantization.flip = false;
    o.learning_rate = 0.05;
    o.gradient_clip = 0.1;
    const QatResult result = run(o);
    const network::IntegerNetwork& network = result.network;
    EXPECT_GT(result.validation_percent, 60);  // chance: 25
    EXPECT_EQ(network.origin.scheme, o.scheme);
    ASSERT_NO_THROW(network::validate(network, "package"));
    EXPECT_EQ(reference_percent(network, data_.validation), result.validation_percent);
    std::filesystem::remove(train::state_file(o.out));
  }
}

TEST_F(Qat, QuantizersGiveTheSameBytesWhenStoppedAndResumed) {
  for (const QatQuantizers& quantizers :
       {QatQuantizers{WeightQuantizer::lqnet, ActivationQuantizer::pact, 0},
        QatQuantizers{WeightQuantizer::apot, ActivationQuantizer::asq, 0},
        QatQuantizers{WeightQuantizer::lsq, ActivationQuantizer::asq, 0, StepStart::mse,
                      AdapterStart::fitted}}) {
    SCOPED_TRACE(to_string(quantizers));
    QatOptions o = options("whole", "uniform");
    o.quantizers = quantizers;
    const bool adapts = quantizers.activations == ActivationQuantizer::asq;
    o.precision = adapts ? train::Precision::bfloat16 : train::Precision::float32;
    const std::string whole = bytes(run(o));
    std::filesystem::remove(train::state_file(o.out));
    o.out = folder_.path() / "parts.safetensors";
    int asked = 0;
    EXPECT_FALSE(run(o, [&] { return asked++ == 8; }).finished);
    o.resume = true;
    EXPECT_TRUE(bytes(run(o)) == whole);
    std::filesystem::remove(train::state_file(o.out));
  }
}

TEST_F(Qat, AdaptersHaveARateAndAStartOfTheirOwn) {
  QatOptions o = options("adapters", "uniform");
  o.quantizers = QatQuantizers{WeightQuantizer::lsq, ActivationQuantizer::asq, 0};
  const std::string usual = bytes(run(o));
  std::filesystem::remove(train::state_file(o.out));
  o.adapter_rate = 20;
  EXPECT_NE(bytes(run(o)), usual);
  std::filesystem::remove(train::state_file(o.out));
  o.adapter_rate = 1;
  o.quantizers->adapter_start = AdapterStart::fitted;
  EXPECT_NE(bytes(run(o)), usual);
  EXPECT_THAT(to_string(o), HasSubstr(" adapter-start=fitted"));
  std::filesystem::remove(train::state_file(o.out));
  // Without adapters there is nothing that they could change.
  o.adapter_rate = 20;
  o.quantizers->activations = ActivationQuantizer::lsq;
  const std::string without = bytes(run(o));
  std::filesystem::remove(train::state_file(o.out));
  o.adapter_rate = 1;
  EXPECT_EQ(bytes(run(o)), without);
}

TEST_F(Qat, ValidatesAsOftenAsAsked) {
  QatOptions o = options("rarely");
  o.epochs = 3;
  o.validate_every = 2;
  const std::string rarely = bytes(run(o));
  const std::string metrics = test::read_text(train::metrics_file(o.out));
  const auto line = [&](const std::string& epoch) {
    const std::size_t at = metrics.find("\n" + epoch + ",") + 1;
    return metrics.substr(at, metrics.find('\n', at) - at);
  };
  EXPECT_THAT(line("1"), HasSubstr(",,"));
  EXPECT_THAT(line("2"), testing::Not(HasSubstr(",,")));
  EXPECT_THAT(line("3"), HasSubstr(",,"));
  std::filesystem::remove(train::state_file(o.out));
  o.validate_every = 1;
  EXPECT_EQ(bytes(run(o)), rarely);
}

TEST_F(Qat, RefusesQuantizersThatDoNotApply) {
  QatOptions o = options("bad");
  o.quantizers = QatQuantizers{};
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("weight-quantizer"), HasSubstr("scheme uniform")));
  o = options("bad", "uniform");
  o.quantizers = QatQuantizers{WeightQuantizer::lsq, ActivationQuantizer::lsq, 5};
  EXPECT_THAT(error_of(o), HasSubstr("but with post"));
  o.quantizers = QatQuantizers{WeightQuantizer::apot, ActivationQuantizer::lsq, 0};
  o.quantization.weight_bits = 8;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("apot"), HasSubstr("2 to 6")));
  o = options("bad", "uniform");
  o.adder_gradient = train::AdderGradient::exact;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("adder-gradient"), HasSubstr("uniform")));
  o = options("bad");
  o.precision = train::Precision::bfloat16;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("precision: found bfloat16"), HasSubstr("adder")));
  EXPECT_THAT(folder_.files(), IsEmpty());
}

TEST_F(Qat, RefusesOnAGpuWhatOnlyTheProcessorDoes) {
  QatOptions o = options("gpu");
  o.device = torch::kCUDA;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("cuda"), HasSubstr("learn-ranges")));
  o.learn_ranges = false;
  o.precision = train::Precision::bfloat16;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("cuda"), HasSubstr("bfloat16"), HasSubstr("float32")));
  EXPECT_EQ(to_string(o), [&] {
    o.device = torch::kCPU;
    return to_string(o);
  }()) << "a state may go on on another device";
  o = options("gpu", "uniform");
  o.device = torch::kCUDA;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("cuda"), HasSubstr("schemes for adder layers")));
}

TEST_F(Qat, WritesOneLineOfMetricsAnEpoch) {
  const QatOptions o = options("metrics");
  run(o);
  const std::string metrics = test::read_text(train::metrics_file(o.out));
  EXPECT_THAT(metrics, StartsWith("epoch,lr,train_loss,train_accuracy_percent,"
                                  "validation_accuracy_percent,seconds\n1,"));
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 3);
}

TEST_F(Qat, RefusesToResumeAnotherTraining) {
  QatOptions o = options("other");
  run(o, [] { return true; });
  o.resume = true;
  o.learning_rate = 0.25;
  EXPECT_THAT(error_of(o),
              AllOf(HasSubstr(train::state_file(o.out).string()), HasSubstr("options")));
  o = options("other");
  o.resume = true;
  adder_.tensors.begin()->second.bytes[0] ^= 1;
  EXPECT_THAT(error_of(o),
              AllOf(HasSubstr(train::state_file(o.out).string()), HasSubstr("checkpoint")));
}

// The bounds of learned ranges are multiples of where they started, not of where they were saved.
TEST_F(Qat, GivesTheSameBytesWhenResumedWithRangesAtTheirBounds) {
  for (const std::string scheme : {"nonnegative", "uniform"}) {
    SCOPED_TRACE(scheme);
    QatOptions o = options("bounds", scheme);
    o.range_rate = 1e6;
    o.gradient_clip = 0;
    const std::string whole = bytes(run(o));
    std::filesystem::remove(train::state_file(o.out));
    for (const int stop_before : {3, 8}) {
      int asked = 0;
      o.resume = false;
      EXPECT_FALSE(run(o, [&] { return asked++ == stop_before; }).finished);
      o.resume = true;
      EXPECT_TRUE(bytes(run(o)) == whole) << "stopped before batch " << stop_before;
      std::filesystem::remove(train::state_file(o.out));
    }
  }
}

// The state's plan counts, not one that this machine would find.
TEST_F(Qat, GoesOnWithTheSavedPlan) {
  for (const std::string scheme : {"nonnegative", "adderquant", "uniform"}) {
    SCOPED_TRACE(scheme);
    QatOptions o = options("plan", scheme);
    o.learn_ranges = false;
    run(o, [] { return true; });
    network::TensorFile state = network::read_safetensors(train::state_file(o.out));
    state.metadata.at("plan output scale 1") = train::exact_text(0.625);
    network::write_safetensors(train::state_file(o.out), state);
    o.resume = true;
    EXPECT_EQ(run(o).network.layers.at(1).output.scale, 0.625);
    std::filesystem::remove(train::state_file(o.out));
  }
}

TEST_F(Qat, RefusesADamagedState) {
  QatOptions o = options("damaged");
  run(o, [] { return true; });
  o.resume = true;
  const network::TensorFile good = network::read_safetensors(train::state_file(o.out));
  const auto with = [&](const std::function<void(network::TensorFile&)>& change) {
    network::TensorFile state = good;
    change(state);
    network::write_safetensors(train::state_file(o.out), state);
    return error_of(o);
  };
  EXPECT_THAT(with([](network::TensorFile& s) { s.metadata.erase("next batch"); }),
              AllOf(HasSubstr(train::state_file(o.out).string()), HasSubstr("next batch")));
  EXPECT_THAT(with([](network::TensorFile& s) { s.metadata["next epoch"] = "two"; }),
              HasSubstr("two"));
  EXPECT_THAT(with([](network::TensorFile& s) { s.metadata.erase("plan image scale"); }),
              HasSubstr("plan image scale"));
  EXPECT_THAT(with([](network::TensorFile& s) { s.metadata["plan group 1"] = "0x0p+0"; }),
              HasSubstr("plan group 1"));
  for (const std::string key :
       {"plan image scale", "plan output scale 0", "plan activation step 1"}) {
    for (const std::string value : {"0x0p+0", "-0x1p+0"}) {
      EXPECT_THAT(with([&](network::TensorFile& s) { s.metadata[key] = value; }),
                  AllOf(HasSubstr('"' + key + "\": found "), HasSubstr("above 0")));
    }
  }
  for (auto& [key, value] : good.metadata) {
    if (key.rfind("plan range ", 0) != 0 || value.empty()) continue;
    const std::string name = key;
    EXPECT_THAT(with([&](network::TensorFile& s) { s.metadata[name] = ""; }),
                AllOf(HasSubstr(train::state_file(o.out).string()), HasSubstr("plan group")));
  }
  // In the order of their names momentum comes first, parameters last.
  EXPECT_THAT(with([](network::TensorFile& s) { s.tensors.erase(s.tensors.begin()); }),
              AllOf(HasSubstr(train::state_file(o.out).string()), HasSubstr("momentum/")));
  EXPECT_THAT(with([](network::TensorFile& s) { s.tensors.erase(std::prev(s.tensors.end())); }),
              AllOf(HasSubstr(train::state_file(o.out).string()), HasSubstr("no such tensor")));
  for (auto& [key, value] : good.metadata) {
    if (key.rfind("range ", 0) != 0) continue;
    const std::string name = key;
    EXPECT_THAT(with([&](network::TensorFile& s) { s.metadata[name] = "0x1p+0 0x1p+0 0x1p+0"; }),
                HasSubstr(name));
    EXPECT_THAT(with([&](network::TensorFile& s) { s.metadata[name] = "wide"; }),
                HasSubstr("wide"));
    break;
  }
}

TEST_F(Qat, RefusesValuesOutOfRangeByName) {
  const auto with = [&](const std::function<void(QatOptions&)>& change) {
    QatOptions o = options("bad");
    change(o);
    return error_of(o);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(with([](QatOptions& o) { o.epochs = 0; }), StartsWith("epochs: found 0, allowed"));
  EXPECT_THAT(with([](QatOptions& o) { o.batch = 1; }), StartsWith("batch: found 1, allowed"));
  EXPECT_THAT(with([](QatOptions& o) { o.learning_rate = 0; }), StartsWith("lr: found 0"));
  EXPECT_THAT(with([&](QatOptions& o) { o.learning_rate = nan; }), StartsWith("lr: found"));
  EXPECT_THAT(with([](QatOptions& o) { o.warmup = 2; }), StartsWith("warmup: found 2"));
  EXPECT_THAT(with([](QatOptions& o) { o.distill = 1.5; }), StartsWith("distill: found 1.5"));
  EXPECT_THAT(with([](QatOptions& o) { o.temperature = 0; }), StartsWith("temperature: found 0"));
  EXPECT_THAT(with([](QatOptions& o) { o.gradient_clip = -1; }),
              StartsWith("gradient-clip: found -1"));
  EXPECT_THAT(with([](QatOptions& o) { o.range_rate = 0; }), StartsWith("range-rate: found 0"));
  EXPECT_THAT(with([](QatOptions& o) { o.adapter_rate = 0; }), StartsWith("adapter-rate: found 0"));
  EXPECT_THAT(with([](QatOptions& o) { o.validate_every = 0; }),
              StartsWith("validate-every: found 0"));
  EXPECT_THAT(with([](QatOptions& o) { o.optimizer.momentum = 1; }), StartsWith("momentum: found"));
  EXPECT_THAT(with([](QatOptions& o) { o.optimizer.adder_rate = 0; }),
              StartsWith("adder-rate: found"));
  EXPECT_THAT(with([](QatOptions& o) { o.checkpoint_every = 0; }),
              StartsWith("checkpoint-every: found 0"));
  EXPECT_THAT(with([](QatOptions& o) { o.quantization.batch_norm = BatchNormEstimation::kept; }),
              StartsWith("bn: found kept"));
  EXPECT_THAT(with([](QatOptions& o) { o.out = "package.bin"; }), StartsWith("out: found"));
  EXPECT_THAT(with([](QatOptions& o) { o.out = "no/such/folder/p.safetensors"; }),
              HasSubstr("no folder"));
  EXPECT_THAT(folder_.files(), IsEmpty());
}

TEST_F(Qat, RefusesASchemeForTheOtherArithmetic) {
  const QatOptions o = options("scheme", "uniform");
  EXPECT_THROW(train_quantized(adder_, adder_, data_, o, nullptr), std::invalid_argument);
  EXPECT_THROW(find_training_scheme("best"), std::invalid_argument);
}

TEST_F(Qat, SaysWhereTheTrainingIsNoLongerFinite) {
  QatOptions o = options("explodes");
  o.learning_rate = 1e38;
  o.gradient_clip = 0;
  o.learn_ranges = false;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("epoch 1, batch"), HasSubstr("smaller lr")));
  EXPECT_THAT(folder_.files(), Not(Contains("explodes.safetensors")));
}

}  // namespace
}  // namespace abacus::quant
