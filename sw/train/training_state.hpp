// The state of an unfinished training, on disk: a safetensors file of the parameters, what the
// optimizer remembers, and in its metadata the position and what the training is. A training may keep
// numbers of its own beside them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sw/network/safetensors.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/optimizer.hpp"
#include "sw/train/training_loop.hpp"

namespace abacus::train {

// All that must be the same for a resumed run to be the same run: what it is → its value. "format" names
// the kind of training.
using TrainingIdentity = std::map<std::string, std::string>;

// `more`: of metadata, by key.
void save_training_state(const std::filesystem::path& file, const TrainingIdentity& identity,
                         const FloatNetwork& network, const Optimizer& optimizer,
                         const TrainingPosition& at,
                         const std::map<std::string, std::string>& more = {});

// All throw std::runtime_error naming the file and what differs, or what is missing in it.
class TrainingState {
 public:
  explicit TrainingState(const std::filesystem::path& file);

  void require_same(const TrainingIdentity& identity) const;
  // Puts parameters and optimizer where they were. The position lies in a training of so many epochs and
  // batches an epoch.
  TrainingPosition load(FloatNetwork& network, Optimizer& optimizer, int epochs,
                        std::int64_t batches) const;

  // What else is there.
  std::string text(const std::string& key) const;
  double real(const std::string& key) const;  // finite, as all reals
  std::int64_t integer(const std::string& key, std::int64_t lowest, std::int64_t highest) const;
  std::vector<double> reals(const std::string& key) const;  // separated by spaces
  std::vector<double> reals(const std::string& key, std::size_t count) const;
  // The values of a key, which must be what numbers called `what` are (sw/network/value_rules.hpp).
  std::vector<double> meant(const std::string& what, const std::string& key,
                            std::vector<double> values) const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  void check_momentum(const std::string& name, const network::Tensor& tensor) const;
  double real_of(const std::string& key, const std::string& word) const;
  // Those whose name begins so, without it.
  std::map<std::string, network::Tensor> tensors(const std::string& prefix) const;

  std::filesystem::path file_;
  network::TensorFile state_;
};

}  // namespace abacus::train
