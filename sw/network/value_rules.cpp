#include "sw/network/value_rules.hpp"

#include <cmath>

namespace abacus::network {
namespace {

struct ValueRule {
  const char* ending;  // of a name
  bool zero;           // whether 0 is allowed; no number below it is
  const char* expected;
};

constexpr ValueRule value_rules[] = {
    {".running_var", true, "finite numbers, 0 or more (a variance)"},
    {".square", true, "finite numbers, 0 or more (a mean of squares)"},
    {"scale", false, "finite numbers above 0"},
    {"step", false, "finite numbers above 0"},
    {"range", false, "finite numbers above 0"}};

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() &&
         text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

const ValueRule* rule_of(const std::string& name) {
  for (const ValueRule& rule : value_rules) {
    if (ends_with(name, rule.ending)) return &rule;
  }
  return nullptr;
}

}  // namespace

template <typename T>
std::optional<WrongValue> wrong_value(const std::string& name, const std::vector<T>& values) {
  const ValueRule* const rule = rule_of(name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = static_cast<double>(values[i]);
    const bool in_range = rule == nullptr || value > 0 || (rule->zero && value == 0);
    if (!std::isfinite(value) || !in_range) {
      return WrongValue{i, value, rule == nullptr ? "finite numbers" : rule->expected};
    }
  }
  return std::nullopt;
}

template std::optional<WrongValue> wrong_value(const std::string&, const std::vector<float>&);
template std::optional<WrongValue> wrong_value(const std::string&, const std::vector<double>&);

}  // namespace abacus::network
