#include "sw/quant/qat/qat_state.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace abacus::quant {
namespace {

std::string text_of(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : " ") + train::exact_text(value);
  return text;
}

std::string text_of(const torch::Tensor& values) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    numbers.push_back(values.detach()[i].item<double>());
  }
  return text_of(numbers);
}

// visit(key, values, same_count) for all numbers of a plan; what visit leaves in `values` is the plan's
// then. same_count: another plan for the same network and options has as many.
template <typename Visit>
void for_each_number(QuantizationPlan& plan, const Visit& visit) {
  const auto single = [&](const std::string& key, double& value) {
    std::vector<double> values = {value};
    visit(key, values, true);
    value = values.at(0);
  };
  single("plan image scale", plan.image.scale);
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    single("plan output scale " + std::to_string(i), plan.outputs[i].scale);
  }
  for (std::size_t i = 0; i < plan.convolutions.size(); ++i) {
    ConvolutionPlan& of = plan.convolutions[i];
    const std::string place = " " + std::to_string(i);
    single("plan activation step" + place, of.activation_step);
    std::vector<double> group(of.group.begin(), of.group.end());
    visit("plan group" + place, group, true);
    // Judged once the ranges are known; what no int32 holds is no group either way.
    for (double& one : group) one = std::clamp(one, -1.0, 1e9);
    of.group.assign(group.begin(), group.end());
    // As many as there are groups, which the plan to be filled may have other ones of.
    visit("plan range" + place, of.range, false);
    visit("plan weight step" + place, of.weight_step, true);
    if (of.weights.has_value()) {
      visit("plan weight parameters" + place, of.weights->parameters, true);
    }
    visit("plan adapter" + place, of.adapter.parameters, true);
  }
}

// Of one number of the plan, without the layer's index behind it.
std::string meaning_of(const std::string& key) {
  return key.substr(0, key.find_last_not_of(" 0123456789") + 1);
}

void fill(const std::vector<double>& read, torch::Tensor values) {
  torch::NoGradGuard no_gradient;
  values.copy_(torch::tensor(read, torch::kFloat64));
}

}  // namespace

void save_qat_state(const std::filesystem::path& file, const train::TrainingIdentity& identity,
                    const QatTraining& training, const train::TrainingPosition& at) {
  std::map<std::string, std::string> numbers;
  // What was learned since stands among the ranges.
  QuantizationPlan plan = training.quantized.starting_plan();
  for_each_number(plan, [&](const std::string& key, const std::vector<double>& values, bool) {
    numbers[key] = text_of(values);
  });
  for (const LearnedRange& range : training.quantized.learned_ranges()) {
    numbers["range " + range.name] = text_of(range.values);
    numbers["range momentum " + range.name] = text_of(training.range_velocity.at(range.name));
  }
  train::save_training_state(file, identity, training.network, training.optimizer, at, numbers);
}

void load_qat_plan(const std::filesystem::path& file, QuantizationPlan& plan) {
  const train::TrainingState state(file);
  for_each_number(plan, [&](const std::string& key, std::vector<double>& values, bool same_count) {
    values = state.meant(meaning_of(key), key,
                         same_count ? state.reals(key, values.size()) : state.reals(key));
  });
  for (std::size_t i = 0; i < plan.convolutions.size(); ++i) {
    const ConvolutionPlan& of = plan.convolutions[i];
    for (const std::int32_t group : of.group) {
      if (group < 0 || static_cast<std::size_t>(group) >= of.range.size()) {
        state.fail("\"plan group " + std::to_string(i) + "\": found group " +
                   std::to_string(group) + ", expected one of " + std::to_string(of.range.size()));
      }
    }
  }
}

train::TrainingPosition load_qat_state(const std::filesystem::path& file,
                                       const train::TrainingIdentity& identity,
                                       QatTraining training, int epochs, std::int64_t batches) {
  const train::TrainingState state(file);
  state.require_same(identity);
  const train::TrainingPosition at =
      state.load(training.network, training.optimizer, epochs, batches);
  for (LearnedRange& range : training.quantized.learned_ranges()) {
    const auto count = static_cast<std::size_t>(range.values.numel());
    const std::string key = "range " + range.name;
    fill(state.meant(range.name, key, state.reals(key, count)), range.values);
    fill(state.reals("range momentum " + range.name, count),
         training.range_velocity.at(range.name));
  }
  return at;
}

}  // namespace abacus::quant
