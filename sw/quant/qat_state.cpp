#include "sw/quant/qat_state.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/safetensors.hpp"

namespace abacus {
namespace {

constexpr char state_format[] = "abacus-qat-state-1";
const std::string parameter_prefix = "parameter/";
const std::string momentum_prefix = "momentum/";

std::string text_of(const torch::Tensor& values) {
  std::string text;
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    text += (i == 0 ? "" : " ") + exact_text(values.detach()[i].item<double>());
  }
  return text;
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

  double real(const std::string& key) const { return real_of(key, text(key)); }

  std::int64_t integer(const std::string& key) const {
    const std::string value = text(key);
    char* end = nullptr;
    const long long number = std::strtoll(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0') fail("\"" + key + "\": found \"" + value + "\", no integer");
    return number;
  }

  void fill(const std::string& key, torch::Tensor values) const {
    std::istringstream words(text(key));
    std::vector<double> read;
    for (std::string word; words >> word;) read.push_back(real_of(key, word));
    if (static_cast<std::int64_t>(read.size()) != values.numel()) {
      fail("\"" + key + "\": found " + std::to_string(read.size()) + " numbers, expected " +
           std::to_string(values.numel()));
    }
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

QatPosition load_qat_state(const std::filesystem::path& file, const QatIdentity& identity,
                           QatTraining training) {
  const StateReader state(file);
  QatIdentity expected = identity;
  expected["format"] = state_format;
  for (const auto& [key, value] : expected) {
    if (state.text(key) != value) {
      state.fail("cannot resume: the state was made with " + key + " " + state.text(key) +
                 ", this run has " + value);
    }
  }
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
