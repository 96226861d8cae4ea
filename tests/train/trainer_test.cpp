#include "sw/train/trainer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "sw/train/processor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::train {
namespace {

using test::read_text;
using test::TemporaryFolder;
using test::write_text;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Killed {};

class Trainer : public ::testing::Test {
 protected:
  Trainer() {
    prepare_torch(1);  // so small a network only gets slower with more
    data_.training = test::synthetic_dataset(100, 1);
    data_.validation = test::synthetic_dataset(60, 2);
    data_.test = test::synthetic_dataset(60, 3);
    data_.normalization = {{0.3F, 0, 0}, {0.3F, 1, 1}};
  }

  TrainOptions options(const std::string& name,
                       network::Arithmetic arithmetic = network::Arithmetic::adder) const {
    TrainOptions o;
    o.network = "lenet";
    o.arithmetic = arithmetic;
    o.epochs = 2;
    o.batch = 16;
    o.augmentation = {1, true};
    o.statistics_batches = 3;
    o.seed = 7;
    o.command = "test";
    o.out = folder_.path() / (name + ".safetensors");
    return o;
  }

  // The bytes of the checkpoint that uninterrupted training gives.
  std::string uninterrupted(network::Arithmetic arithmetic,
                            Precision precision = Precision::float32) {
    TrainOptions o = options("whole", arithmetic);
    o.precision = precision;
    EXPECT_TRUE(train(o, data_, nullptr).finished);
    return test::read_text(o.out);
  }

  std::string error_of(const TrainOptions& o) {
    try {
      train(o, data_, nullptr);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  TrainingData data_;
};

TEST_F(Trainer, LearnsWithEachArithmetic) {
  for (const network::Arithmetic arithmetic : std::vector<network::Arithmetic>{
           network::Arithmetic::adder, network::Arithmetic::cnn, network::Arithmetic::shift,
           network::Arithmetic::shiftaddnet}) {
    TrainOptions o = options(network::to_string(arithmetic), arithmetic);
    o.epochs = 6;
    o.augmentation = {};
    const TrainResult result = train(o, data_, nullptr);
    EXPECT_GT(result.float_accuracy_percent, 90) << network::to_string(arithmetic);  // chance: 25
    const network::Checkpoint checkpoint = network::load_checkpoint(o.out);
    EXPECT_EQ(checkpoint.float_accuracy_percent, result.float_accuracy_percent);
    FloatNetwork network(checkpoint.network, checkpoint.tensors);
    EXPECT_EQ(evaluate(network, data_.test, checkpoint.normalization),
              result.float_accuracy_percent);
  }
}

TEST_F(Trainer, RepeatsItselfToTheLastBit) {
  const std::string first = uninterrupted(network::Arithmetic::adder);
  EXPECT_EQ(first, uninterrupted(network::Arithmetic::adder));
}

TEST_F(Trainer, GivesTheSameBytesWhenStoppedAnywhereAndResumed) {
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn}) {
    const std::string whole = uninterrupted(arithmetic);
    for (const int stop_before : {0, 4, 6, 11}) {  // 6 batches an epoch
      TrainOptions o = options("parts" + std::to_string(stop_before), arithmetic);
      int asked = 0;
      const TrainResult stopped = train(o, data_, [&] { return asked++ == stop_before; });
      EXPECT_FALSE(stopped.finished);
      EXPECT_FALSE(std::filesystem::exists(o.out));
      o.resume = true;
      EXPECT_TRUE(train(o, data_, nullptr).finished);
      EXPECT_TRUE(test::read_text(o.out) == whole)
          << network::to_string(arithmetic) << " stopped before batch " << stop_before;
      EXPECT_FALSE(std::filesystem::exists(state_file(o.out)));
      std::filesystem::remove(o.out);
    }
  }
}

TEST_F(Trainer, GivesTheSameBytesWithTwoThreadsToo) {
  prepare_torch(2);
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn}) {
    const std::string whole = uninterrupted(arithmetic);
    TrainOptions o = options("parts", arithmetic);
    int asked = 0;
    train(o, data_, [&] { return asked++ == 8; });
    o.resume = true;
    train(o, data_, nullptr);
    EXPECT_TRUE(test::read_text(o.out) == whole) << network::to_string(arithmetic);
  }
}

TEST_F(Trainer, GivesTheSameBytesWhenKilledAndResumed) {
  const std::string whole = uninterrupted(network::Arithmetic::adder);
  TrainOptions o = options("killed");
  int asked = 0;
  // Nothing gets a chance to be saved, as when the process is killed: the state is that of the last
  // finished epoch.
  EXPECT_THROW(train(o, data_,
                     [&]() -> bool {
                       if (asked++ == 8) throw Killed();
                       return false;
                     }),
               Killed);
  ASSERT_TRUE(std::filesystem::exists(state_file(o.out)));
  o.resume = true;
  train(o, data_, nullptr);
  EXPECT_TRUE(test::read_text(o.out) == whole);
}

TEST_F(Trainer, LearnsAndResumesInEveryPrecision) {
  const struct {
    Precision precision;
    network::Arithmetic arithmetic;
  } pairs[] = {{Precision::bfloat16, network::Arithmetic::cnn},
               {Precision::int8, network::Arithmetic::adder},
               {Precision::int8, network::Arithmetic::shiftaddnet}};
  for (const auto& pair : pairs) {
    SCOPED_TRACE(to_string(pair.precision));
    TrainOptions o = options("learns", pair.arithmetic);
    o.precision = pair.precision;
    o.epochs = 12;
    o.augmentation = {};
    EXPECT_GT(train(o, data_, nullptr).float_accuracy_percent, 90);
    std::filesystem::remove(o.out);

    const std::string whole = uninterrupted(pair.arithmetic, pair.precision);
    EXPECT_NE(whole, uninterrupted(pair.arithmetic));
    TrainOptions parts = options("parts", pair.arithmetic);
    parts.precision = pair.precision;
    int asked = 0;
    train(parts, data_, [&] { return asked++ == 8; });
    parts.resume = true;
    parts.precision = Precision::float32;
    EXPECT_THAT(error_of(parts), AllOf(HasSubstr("precision " + to_string(pair.precision)),
                                       HasSubstr("this run has float32")));
    parts.precision = pair.precision;
    train(parts, data_, nullptr);
    EXPECT_TRUE(test::read_text(parts.out) == whole);
    std::filesystem::remove(parts.out);
  }
}

TEST_F(Trainer, RefusesAPrecisionThatDoesNotApply) {
  TrainOptions o = options("bad", network::Arithmetic::adder);
  o.precision = Precision::bfloat16;
  EXPECT_THAT(error_of(o), AllOf(StartsWith("precision: found bfloat16"), HasSubstr("allowed")));
  o = options("bad", network::Arithmetic::cnn);
  o.precision = Precision::int8;
  EXPECT_THAT(error_of(o), AllOf(StartsWith("precision: found int8"), HasSubstr("allowed")));
  EXPECT_THAT(folder_.files(), Not(Contains("bad.safetensors")));
}

TEST_F(Trainer, WritesOneLineOfMetricsAnEpoch) {
  TrainOptions o = options("metrics");
  int asked = 0;
  train(o, data_, [&] { return asked++ == 7; });
  o.resume = true;
  train(o, data_, nullptr);
  const std::string metrics = test::read_text(metrics_file(o.out));
  EXPECT_THAT(metrics, StartsWith("epoch,lr,train_loss,train_accuracy_percent,"
                                  "validation_accuracy_percent,seconds\n1,"));
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 3);
  EXPECT_THAT(metrics, HasSubstr("\n2,"));
}

TEST_F(Trainer, RefusesToResumeAnotherTraining) {
  TrainOptions o = options("other");
  train(o, data_, [] { return true; });
  o.resume = true;
  o.learning_rate = 0.25;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr(state_file(o.out).string()), HasSubstr("lr")));
  o.learning_rate = options("other").learning_rate;
  o.seed = 8;
  EXPECT_THAT(error_of(o), HasSubstr("seed 7, this run has 8"));
  EXPECT_FALSE(std::filesystem::exists(o.out));
}

TEST_F(Trainer, RefusesABrokenState) {
  TrainOptions o = options("broken");
  train(o, data_, [] { return true; });
  o.resume = true;
  const std::string state = test::read_text(state_file(o.out));
  test::write_text(state_file(o.out), state.substr(0, state.size() - 5));
  EXPECT_THAT(error_of(o), HasSubstr(state_file(o.out).string()));

  network::TensorFile content;
  test::write_text(state_file(o.out), state);
  content = network::read_safetensors(state_file(o.out));
  content.tensors.erase("momentum/bn1.bias");
  network::write_safetensors(state_file(o.out), content);
  EXPECT_THAT(error_of(o), HasSubstr("momentum/bn1.bias"));
  EXPECT_FALSE(std::filesystem::exists(o.out));
}

TEST_F(Trainer, RefusesOptionsOutOfRange) {
  const auto expect_refused = [&](const std::string& name, auto change) {
    TrainOptions o = options("bad");
    change(o);
    EXPECT_THAT(error_of(o), AllOf(StartsWith(name + ": found"), HasSubstr("allowed")));
  };
  expect_refused("epochs", [](TrainOptions& o) { o.epochs = 0; });
  expect_refused("batch", [](TrainOptions& o) { o.batch = 1; });
  expect_refused("lr", [](TrainOptions& o) { o.learning_rate = 0; });
  expect_refused("warmup", [](TrainOptions& o) { o.warmup = 2; });
  expect_refused("momentum", [](TrainOptions& o) { o.optimizer.momentum = 1; });
  expect_refused("weight-decay", [](TrainOptions& o) { o.optimizer.weight_decay = -1; });
  expect_refused("adder-rate", [](TrainOptions& o) { o.optimizer.adder_rate = 0; });
  expect_refused("label-smoothing", [](TrainOptions& o) { o.label_smoothing = 1; });
  expect_refused("crop-padding", [](TrainOptions& o) { o.augmentation.padding = 12; });
  expect_refused("checkpoint-every", [](TrainOptions& o) { o.checkpoint_every = 0; });
  expect_refused("statistics-batches", [](TrainOptions& o) { o.statistics_batches = -1; });
  expect_refused("out", [](TrainOptions& o) { o.out.replace_extension(".csv"); });
  TrainOptions nowhere = options("bad");
  nowhere.out = folder_.path() / "absent" / "bad.safetensors";
  EXPECT_THAT(error_of(nowhere), AllOf(StartsWith("out: found"), HasSubstr("no folder")));
  EXPECT_THAT(folder_.files(), Not(Contains("bad.safetensors")));
}

TEST_F(Trainer, StopsWhenTheLossIsNoLongerFinite) {
  TrainOptions o = options("diverged", network::Arithmetic::cnn);
  o.learning_rate = 1e30;
  EXPECT_THAT(error_of(o), AllOf(HasSubstr("loss is"), HasSubstr("epoch 1, batch")));
  EXPECT_FALSE(std::filesystem::exists(o.out));
}

TEST_F(Trainer, EvaluatesTheFirstImagesOnly) {
  FloatNetwork network(network::make_network("lenet", network::Arithmetic::cnn, {1, 12, 12}, 4), 1);
  network::Dataset first = data_.test;
  first.labels.resize(10);
  EXPECT_EQ(evaluate(network, data_.test, data_.normalization, 10),
            evaluate(network, first, data_.normalization));
  first.labels.clear();
  EXPECT_THROW(evaluate(network, first, data_.normalization), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::train
