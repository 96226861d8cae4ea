// What numbers must be for what they mean, one table for every reader and writer of files: parameters of
// checkpoints, states of trainings, scales of packages.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace abacus::network {

struct WrongValue {
  std::size_t index;
  double value;
  const char* expected;
};

// The first value that no number of that name may be: all are finite; variances, by the name's end
// ".running_var" or ".square", 0 or more; scales, steps and ranges ("scale", "step", "range") above 0.
// T: float or double.
template <typename T>
std::optional<WrongValue> wrong_value(const std::string& name, const std::vector<T>& values);

}  // namespace abacus::network
