#include "sw/train/training_state.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "sw/network/checkpoint.hpp"
#include "sw/network/value_rules.hpp"
#include "sw/support/whole_number.hpp"

namespace abacus::train {
namespace {

const std::string parameter_prefix = "parameter/";
const std::string momentum_prefix = "momentum/";

}  // namespace

void save_training_state(const std::filesystem::path& file, const TrainingIdentity& identity,
                         const FloatNetwork& network, const Optimizer& optimizer,
                         const TrainingPosition& at,
                         const std::map<std::string, std::string>& more) {
  network::TensorFile state;
  state.metadata = identity;
  state.metadata["next epoch"] = std::to_string(at.epoch);
  state.metadata["next batch"] = std::to_string(at.batch);
  state.metadata["loss sum"] = exact_text(at.loss_sum);
  state.metadata["correct"] = std::to_string(at.correct);
  state.metadata["seconds"] = exact_text(at.seconds);
  state.metadata["metrics"] = at.metrics;
  state.metadata.insert(more.begin(), more.end());
  for (auto& [name, tensor] : network.tensors()) state.tensors[parameter_prefix + name] = tensor;
  for (auto& [name, tensor] : optimizer.state()) state.tensors[momentum_prefix + name] = tensor;
  network::write_safetensors(file, state);
}

TrainingState::TrainingState(const std::filesystem::path& file)
    : file_(file), state_(network::read_safetensors(file)) {}

void TrainingState::fail(const std::string& what) const {
  throw std::runtime_error(file_.string() + ": " + what);
}

std::string TrainingState::text(const std::string& key) const {
  const auto at = state_.metadata.find(key);
  if (at == state_.metadata.end()) {
    fail("metadata has no \"" + key + "\"; expected the state of an unfinished training");
  }
  return at->second;
}

void TrainingState::require_same(const TrainingIdentity& identity) const {
  for (const auto& [key, value] : identity) {
    if (text(key) == value) continue;
    fail("cannot resume: the state was made with " + key + " " + text(key) + ", this run has " +
         value);
  }
}

TrainingPosition TrainingState::load(FloatNetwork& network, Optimizer& optimizer, int epochs,
                                     std::int64_t batches) const {
  const std::map<std::string, network::Tensor> parameters = tensors(parameter_prefix);
  const std::map<std::string, network::Tensor> momentum = tensors(momentum_prefix);
  network::check_parameters(network.network(), parameters, file_);
  for (const auto& [name, expected] : optimizer.state()) {
    const auto found = momentum.find(name);
    if (found == momentum.end() || found->second.type != expected.type ||
        found->second.shape != expected.shape) {
      fail("tensor \"" + momentum_prefix + name + "\": missing or not of its shape");
    }
    check_momentum(momentum_prefix + name, found->second);
  }
  TrainingPosition at;
  at.epoch = static_cast<int>(integer("next epoch", 0, epochs));
  at.batch = integer("next batch", 0, batches - 1);
  at.loss_sum = real("loss sum");
  at.correct = integer("correct", 0, std::numeric_limits<std::int32_t>::max());
  at.seconds = real("seconds");
  at.metrics = text("metrics");
  for (const auto& [name, tensor] : parameters) network.set_parameter(name, to_torch(tensor));
  optimizer.set_state(momentum);
  return at;
}

void TrainingState::check_momentum(const std::string& name, const network::Tensor& tensor) const {
  const std::string place = "tensor \"" + name + "\": found ";
  if (tensor.type == network::ElementType::i64) {  // Adam's steps
    for (const std::int64_t count : tensor.values<std::int64_t>()) {
      if (count < 0) fail(place + std::to_string(count) + ", expected a count of steps");
    }
  } else if (const auto wrong = network::wrong_value(name, tensor.values<float>())) {
    fail(place + number(wrong->value, "%g") + " at element " + std::to_string(wrong->index) +
         ", expected " + wrong->expected);
  }
}

std::vector<double> TrainingState::meant(const std::string& what, const std::string& key,
                                         std::vector<double> values) const {
  if (const auto wrong = network::wrong_value(what, values)) {
    fail("\"" + key + "\": found " + number(wrong->value, "%g") + ", expected " + wrong->expected);
  }
  return values;
}

double TrainingState::real(const std::string& key) const { return real_of(key, text(key)); }

std::int64_t TrainingState::integer(const std::string& key, std::int64_t lowest,
                                    std::int64_t highest) const {
  const std::string value = text(key);
  const auto number = support::whole_number<std::int64_t>(value);
  if (!number || *number < lowest || *number > highest) {
    fail("\"" + key + "\": found \"" + value + "\", expected a whole number from " +
         std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return *number;
}

std::vector<double> TrainingState::reals(const std::string& key) const {
  std::istringstream words(text(key));
  std::vector<double> read;
  for (std::string word; words >> word;) read.push_back(real_of(key, word));
  return read;
}

std::vector<double> TrainingState::reals(const std::string& key, std::size_t count) const {
  std::vector<double> read = reals(key);
  if (read.size() != count) {
    fail("\"" + key + "\": found " + std::to_string(read.size()) + " numbers, expected " +
         std::to_string(count));
  }
  return read;
}

double TrainingState::real_of(const std::string& key, const std::string& word) const {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (word.empty() || *end != '\0' || !std::isfinite(value)) {
    fail("\"" + key + "\": found \"" + word + "\", no finite number");
  }
  return value;
}

std::map<std::string, network::Tensor> TrainingState::tensors(const std::string& prefix) const {
  std::map<std::string, network::Tensor> result;
  for (const auto& [name, tensor] : state_.tensors) {
    if (name.rfind(prefix, 0) == 0) result[name.substr(prefix.size())] = tensor;
  }
  return result;
}

}  // namespace abacus::train
