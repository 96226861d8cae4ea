// The loop alone, on a small network whose loss the test decides: what is asked when, and that a state
// leads to the same bytes in epochs and in steps.
#include "sw/train/training_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sw/train/processor.hpp"
#include "sw/train/training_state.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::train {
namespace {

using test::read_text;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The metrics' last column is how long the epochs took.
std::string without_seconds(const std::string& metrics) {
  std::istringstream lines(metrics);
  std::string result;
  for (std::string line; std::getline(lines, line);)
    result += line.substr(0, line.rfind(',')) + "\n";
  return result;
}

class LeNetTask : public TrainingTask {
 public:
  explicit LeNetTask(std::filesystem::path state)
      : network(network::make_network("lenet", network::Arithmetic::cnn, {1, 12, 12}, 4), 3),
        optimizer(network, {}),
        state_(std::move(state)) {}

  Judgement judge(const Batch& batch) override {
    ++judged;
    sizes.push_back(batch.labels.size(0));
    const torch::Tensor scores = network.forward(batch.images);
    return {scores,
            torch::cross_entropy_loss(scores, batch.labels) * (judged == bad ? 1 / 0.0 : 1)};
  }
  void before_step(const TrainingStep& step) override {
    rates.push_back(step.rate());
    EXPECT_TRUE(network.parameter("conv1.weight").grad().defined());
    before_ = network.parameter("conv1.weight").detach().clone();
  }
  // The cosine ends at a rate of 0.
  void after_step(const TrainingStep& step) override {
    EXPECT_EQ(torch::equal(before_, network.parameter("conv1.weight")), step.rate() == 0);
  }
  std::optional<double> end_epoch(int epoch) override {
    ended.push_back(epoch);
    if (epoch % 2 == 0) return std::nullopt;
    return 12.5;
  }
  void save(const TrainingPosition& at) override {
    saved.emplace_back(at.epoch, at.batch);
    save_training_state(state_, {{"format", "test"}}, network, optimizer, at);
  }

  FloatNetwork network;
  Optimizer optimizer;
  int judged = 0, bad = 0;
  std::vector<std::int64_t> sizes;
  std::vector<double> rates;
  std::vector<int> ended;
  std::vector<std::pair<int, std::int64_t>> saved;

 private:
  std::filesystem::path state_;
  torch::Tensor before_;
};

class Loop : public ::testing::Test {
 protected:
  Loop() { prepare_torch(1); }

  BatchSource batches(BatchSource::Rest rest = BatchSource::Rest::kept_from_half) const {
    return {images_, {{0.3F, 0, 0}, {0.3F, 1, 1}}, {16, {1, true}, 7, rest}};
  }
  std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }
  TrainingCourse recorded(const TrainingSchedule& schedule, int save_every = 1) const {
    TrainingCourse course;
    course.schedule = schedule;
    course.recording = {file("a.csv"), save_every};
    return course;
  }
  static std::string bytes(const LeNetTask& task) {
    std::string all;
    for (const auto& [name, tensor] : task.network.tensors()) {
      all += name + std::string(tensor.bytes.begin(), tensor.bytes.end());
    }
    return all;
  }

  network::Dataset images_ =
      test::synthetic_dataset(42, 1);  // two whole batches of 16 and one of 10
  TemporaryFolder folder_;
};

TEST_F(Loop, RunsEpochsAndLeavesALineAndAStateOfEach) {
  LeNetTask task(file("a.state"));
  BatchSource source = batches();
  std::vector<std::int64_t> done;
  TrainingCourse course = recorded(EpochSchedule{3, 0.25, 0}, 2);
  std::string last;
  course.progress = [&](std::int64_t now, std::int64_t total, const std::string& note) {
    EXPECT_EQ(total, 9);
    done.push_back(now);
    last = note;
  };
  EXPECT_TRUE(run_training(task, task.optimizer, source, course));
  EXPECT_THAT(done, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(last, AllOf(HasSubstr("epoch 3/3"), HasSubstr("loss"), HasSubstr("accuracy")));
  EXPECT_THAT(task.sizes, ElementsAre(16, 16, 10, 16, 16, 10, 16, 16, 10));
  EXPECT_THAT(task.ended, ElementsAre(0, 1, 2));
  // Every second epoch, and at the end.
  EXPECT_THAT(task.saved, ElementsAre(std::make_pair(2, 0), std::make_pair(3, 0)));
  EXPECT_DOUBLE_EQ(task.rates.front(), cosine_rate(0.25, 1.0 / 3, 3, 0));
  EXPECT_DOUBLE_EQ(task.rates.back(), 0);
  const std::string metrics = test::read_text(file("a.csv"));
  EXPECT_EQ(metrics.rfind(metrics_header, 0), 0U);
  EXPECT_THAT(metrics, AllOf(HasSubstr("\n1,"), HasSubstr("\n2,"), HasSubstr("\n3,")));
  EXPECT_THAT(metrics, HasSubstr(",12.500,"));  // of the second epoch
}

TEST_F(Loop, RunsStepsWhateverIsLeftOfTheEpoch) {
  LeNetTask task(file("a.state"));
  BatchSource source = batches(BatchSource::Rest::left_out);
  TrainingCourse course;
  course.schedule = StepSchedule{5, 0.25};
  EXPECT_TRUE(run_training(task, task.optimizer, source, course));
  EXPECT_THAT(task.sizes, ElementsAre(16, 16, 16, 16, 16));
  EXPECT_THAT(task.ended, ElementsAre(0, 1));
  EXPECT_TRUE(task.saved.empty());
  EXPECT_TRUE(folder_.files().empty());
  EXPECT_DOUBLE_EQ(task.rates[0], 0.25);  // at the start of the step
  EXPECT_DOUBLE_EQ(task.rates[4], cosine_rate(0.25, 4, 5, 0));
}

TEST_F(Loop, GivesTheSameBytesWhenStoppedAnywhereAndResumedInEpochsAndInSteps) {
  for (const TrainingSchedule& schedule :
       {TrainingSchedule(EpochSchedule{2, 0.05, 0.5}), TrainingSchedule(StepSchedule{5, 0.05})}) {
    LeNetTask whole(file("a.state"));
    BatchSource of_whole = batches();
    run_training(whole, whole.optimizer, of_whole, recorded(schedule));
    const std::string metrics = without_seconds(test::read_text(file("a.csv")));
    for (const int stop_before : {0, 1, 3, 4}) {
      TrainingCourse course = recorded(schedule);
      int asked = 0;
      course.stop = [&] { return asked++ == stop_before; };
      {
        LeNetTask part(file("part.state"));
        BatchSource source = batches();
        EXPECT_FALSE(run_training(part, part.optimizer, source, course));
        EXPECT_EQ(part.judged, stop_before);
        EXPECT_EQ(part.saved.back(),
                  std::make_pair(stop_before / 3, std::int64_t{stop_before % 3}));
      }
      LeNetTask rest(file("part.state"));
      BatchSource source = batches();
      const TrainingState state(file("part.state"));
      state.require_same({{"format", "test"}});
      const TrainingPosition at = state.load(rest.network, rest.optimizer, 2, 3);
      EXPECT_TRUE(run_training(rest, rest.optimizer, source, recorded(schedule), at));
      EXPECT_TRUE(bytes(rest) == bytes(whole)) << "stopped before step " << stop_before;
      EXPECT_EQ(without_seconds(test::read_text(file("a.csv"))), metrics);
    }
  }
}

TEST_F(Loop, SaysWhereTheLossIsNoLongerFinite) {
  const auto error_of = [&](const TrainingSchedule& schedule) -> std::string {
    LeNetTask task(file("a.state"));
    task.bad = 5;
    BatchSource source = batches();
    try {
      run_training(task, task.optimizer, source, recorded(schedule));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(error_of(EpochSchedule{2, 0.05, 0}),
            "loss is inf in epoch 2, batch 2; try a smaller lr");
  EXPECT_EQ(error_of(StepSchedule{6, 0.05}), "loss is inf in iteration 5");
}

TEST_F(Loop, AStateRefusesAnotherTrainingAndDamage) {
  LeNetTask task(file("a.state"));
  BatchSource source = batches();
  run_training(task, task.optimizer, source, recorded(EpochSchedule{1, 0.05, 0}));
  const auto error_of = [&](const auto& work) -> std::string {
    try {
      work(TrainingState(file("a.state")));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto other = [](const TrainingState& state) { state.require_same({{"format", "other"}}); };
  EXPECT_THAT(error_of(other), AllOf(HasSubstr(file("a.state").string()),
                                     HasSubstr("made with format test, this run has other")));
  const auto unknown = [](const TrainingState& state) { state.require_same({{"colour", "red"}}); };
  EXPECT_THAT(error_of(unknown), HasSubstr("no \"colour\""));
  const auto load = [&](const TrainingState& state) {
    state.load(task.network, task.optimizer, 1, 3);
  };
  EXPECT_EQ(error_of(load), "accepted");
  const network::TensorFile good = network::read_safetensors(file("a.state"));
  for (const char* key : {"next epoch", "next batch", "correct", "loss sum", "seconds"}) {
    network::TensorFile state = good;
    state.metadata[key] = "two";
    network::write_safetensors(file("a.state"), state);
    EXPECT_THAT(error_of(load), AllOf(HasSubstr(key), HasSubstr("two")));
  }
  const std::pair<const char*, const char*> bad[] = {
      {"next batch", "-5"}, {"next batch", "3"},       {"next batch", "99999999999999999999"},
      {"next batch", ""},   {"next epoch", "-1"},      {"next epoch", "2"},
      {"correct", "-1"},    {"correct", "4294967296"}, {"loss sum", "nan"},
      {"seconds", "inf"}};
  for (const auto& [key, text] : bad) {
    network::TensorFile state = good;
    state.metadata[key] = text;
    network::write_safetensors(file("a.state"), state);
    EXPECT_THAT(error_of(load),
                AllOf(HasSubstr(file("a.state").string()),
                      HasSubstr(std::string("\"") + key + "\": found \"" + text + '"')));
  }
  network::TensorFile state = good;
  state.tensors.erase("momentum/bn1.bias");
  network::write_safetensors(file("a.state"), state);
  EXPECT_THAT(error_of(load), HasSubstr("momentum/bn1.bias"));
  std::vector<float> momentum = good.tensors.at("momentum/bn1.bias").values<float>();
  momentum[3] = -std::numeric_limits<float>::infinity();
  state.tensors["momentum/bn1.bias"] =
      network::Tensor::from(momentum, {static_cast<std::int64_t>(momentum.size())});
  network::write_safetensors(file("a.state"), state);
  EXPECT_THAT(error_of(load), AllOf(HasSubstr(file("a.state").string()),
                                    HasSubstr("momentum/bn1.bias\": found -inf at element 3")));
}

// Cut or changed anywhere: an error that names the file, or a state.
TEST_F(Loop, ADamagedStateIsRefusedCleanly) {
  LeNetTask task(file("a.state"));
  BatchSource source = batches();
  run_training(task, task.optimizer, source, recorded(EpochSchedule{1, 0.05, 0}));
  const std::string whole = test::read_text(file("a.state"));
  const auto read = [&](const std::string& bytes) {
    test::write_text(file("a.state"), bytes);
    try {
      TrainingState(file("a.state")).load(task.network, task.optimizer, 1, 3);
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(file("a.state").string()));
      return false;
    }
    return true;
  };
  EXPECT_TRUE(read(whole));
  std::uint64_t header = 0;
  std::memcpy(&header, whole.data(), sizeof header);
  for (std::size_t at = 0; at < 8 + header; at += 1 + header / 150) {
    EXPECT_FALSE(read(whole.substr(0, at))) << at;
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x15);
    read(changed);
  }
  EXPECT_FALSE(read(whole.substr(0, whole.size() - 1)));
}

}  // namespace
}  // namespace abacus::train
