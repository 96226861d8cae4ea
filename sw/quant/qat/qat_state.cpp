#include "sw/quant/qat/qat_state.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/safetensors.hpp"

namespace abacus {
namespace {

constexpr char state_format[] = "abacus-qat-state-2";
const std::string parameter_prefix = "parameter/";
const std::string momentum_prefix = "momentum/";

std::string text_of(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : " ") + exact_text(value);
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

class StateReader {
 public:
  explicit StateReader(const std::filesystem::path& file)
      : file_(file), state_(read_safetensors(file)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(file_.string() + ": " + what);
  }

  std::string text(const std::string& key) const {
    const auto at = state_.metadata.find(key);
    if (at == state_.metadata.end()) {
      fail("metadata has no \"" + key + "\"; expected a state of quantization-aware training");
    }
    return at->second;
  }

  void require_same(const QatIdentity& identity) const {
    QatIdentity expected = identity;
    expected["format"] = state_format;
    for (const auto& [key, value] : expected) {
      if (text(key) == value) continue;
      fail("cannot resume: the state was made with " + key + " " + text(key) + ", this run has " +
           value);
    }
  }

  double real(const std::string& key) const { return real_of(key, text(key)); }

  std::int64_t integer(const std::string& key) const {
    const std::string value = text(key);
    char* end = nullptr;
    const long long number = std::strtoll(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0') fail("\"" + key + "\": found \"" + value + "\", no integer");
    return number;
  }

  std::vector<double> reals(const std::string& key) const {
    std::istringstream words(text(key));
    std::vector<double> read;
    for (std::string word; words >> word;) read.push_back(real_of(key, word));
    return read;
  }

  std::vector<double> reals(const std::string& key, std::size_t count) const {
    std::vector<double> read = reals(key);
    if (read.size() != count) {
      fail("\"" + key + "\": found " + std::to_string(read.size()) + " numbers, expected " +
           std::to_string(count));
    }
    return read;
  }

  void fill(const std::string& key, torch::Tensor values) const {
    const std::vector<double> read = reals(key, static_cast<std::size_t>(values.numel()));
    torch::NoGradGuard no_gradient;
    values.copy_(torch::tensor(read, torch::kFloat64));
  }

  // Those whose name begins so, without it.
  std::map<std::string, Tensor> tensors(const std::string& prefix) const {
    std::map<std::string, Tensor> result;
    for (const auto& [name, tensor] : state_.tensors) {
      if (name.rfind(prefix, 0) == 0) result[name.substr(prefix.size())] = tensor;
    }
    return result;
  }

 private:
  double real_of(const std::string& key, const std::string& word) const {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != '\0') fail("\"" + key + "\": found \"" + word + "\", no number");
    return value;
  }

  std::filesystem::path file_;
  TensorFile state_;
};

}  // namespace

std::string exact_text(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

void save_qat_state(const std::filesystem::path& file, const QatIdentity& identity,
                    const QatTraining& training, const QatPosition& at) {
  TensorFile state;
  state.metadata = identity;
  state.metadata["format"] = state_format;
  state.metadata["next epoch"] = std::to_string(at.epoch);
  state.metadata["next batch"] = std::to_string(at.batch);
  state.metadata["loss sum"] = exact_text(at.loss_sum);
  state.metadata["correct"] = std::to_string(at.correct);
  state.metadata["seconds"] = exact_text(at.seconds);
  state.metadata["metrics"] = at.metrics;
  // What was learned since stands among the ranges.
  QuantizationPlan plan = training.quantized.starting_plan();
  for_each_number(plan, [&](const std::string& key, const std::vector<double>& values, bool) {
    state.metadata[key] = text_of(values);
  });
  for (const LearnedRange& range : training.quantized.learned_ranges()) {
    state.metadata["range " + range.name] = text_of(range.values);
    state.metadata["range momentum " + range.name] =
        text_of(training.range_velocity.at(range.name));
  }
  for (auto& [name, tensor] : training.network.tensors()) {
    state.tensors[parameter_prefix + name] = tensor;
  }
  for (auto& [name, tensor] : training.optimizer.state()) {
    state.tensors[momentum_prefix + name] = tensor;
  }
  write_safetensors(file, state);
}

void check_qat_state(const std::filesystem::path& file, const QatIdentity& identity) {
  StateReader(file).require_same(identity);
}

void load_qat_plan(const std::filesystem::path& file, QuantizationPlan& plan) {
  const StateReader state(file);
  for_each_number(plan, [&](const std::string& key, std::vector<double>& values, bool same_count) {
    values = same_count ? state.reals(key, values.size()) : state.reals(key);
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

QatPosition load_qat_state(const std::filesystem::path& file, const QatIdentity& identity,
                           QatTraining training) {
  const StateReader state(file);
  state.require_same(identity);
  const std::map<std::string, Tensor> parameters = state.tensors(parameter_prefix);
  const std::map<std::string, Tensor> momentum = state.tensors(momentum_prefix);
  check_parameters(training.network.network(), parameters, file);
  for (const auto& [name, expected_tensor] : training.optimizer.state()) {
    const auto found = momentum.find(name);
    if (found == momentum.end() || found->second.type != expected_tensor.type ||
        found->second.shape != expected_tensor.shape) {
      state.fail("tensor \"" + momentum_prefix + name + "\": missing or not of its shape");
    }
  }
  for (const auto& [name, tensor] : parameters) {
    training.network.set_parameter(name, to_torch(tensor));
  }
  training.optimizer.set_state(momentum);
  for (LearnedRange& range : training.quantized.learned_ranges()) {
    state.fill("range " + range.name, range.values);
    state.fill("range momentum " + range.name, training.range_velocity.at(range.name));
  }
  QatPosition at;
  at.epoch = static_cast<int>(state.integer("next epoch"));
  at.batch = state.integer("next batch");
  at.loss_sum = state.real("loss sum");
  at.correct = state.integer("correct");
  at.seconds = state.real("seconds");
  at.metrics = state.text("metrics");
  return at;
}

}  // namespace abacus
