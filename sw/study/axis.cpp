#include "sw/study/axis.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "sw/study/scalar.hpp"

namespace abacus::study {
namespace {

// Of a range.
double bound(const reading::Value& value) {
  if (!value.given()) value.refuse_found("a number, or a size such as \"32KiB\"");
  const Scalar scalar = scalar_of(without_size_unit(*value.node()));
  const double* number = std::get_if<double>(&scalar);
  if (number == nullptr || !std::isfinite(*number)) {
    value.refuse_found("a number, or a size such as \"32KiB\"");
  }
  return *number;
}

// from, from + step, … or from, from · factor, …
std::vector<reading::Node> range(reading::Section& section) {
  const reading::Value from_value = section.value("from");
  const double from = bound(from_value);
  const double to = bound(section.value("to"));
  const reading::Value step_value = section.value("step");
  const reading::Value factor_value = section.value("factor");
  if (step_value.given() == factor_value.given()) {
    from_value.refuse("a range has either `step` or `factor`");
  }
  const bool adds = step_value.given();
  const double by = bound(adds ? step_value : factor_value);
  if (adds && (by == 0 || (to - from) / by < 0)) {
    step_value.refuse_found("a step that leads from `from` to `to`");
  }
  if (!adds && (by <= 0 || by == 1 || from == 0 || to / from <= 0 ||
                (to != from && (to / from > 1) != (by > 1)))) {
    factor_value.refuse_found("a factor that leads from `from` to `to`");
  }
  constexpr double rounding = 1e-9;
  const double steps = adds ? (to - from) / by : std::log(to / from) / std::log(by);
  if (steps + 1 > static_cast<double>(most_values)) {
    from_value.refuse("more than " + std::to_string(most_values) + " values");
  }
  std::vector<reading::Node> values;
  for (int i = 0; i <= std::floor(steps + rounding); ++i) {
    values.push_back(node_of(adds ? from + i * by : from * std::pow(by, i), from_value.place()));
  }
  return values;
}

bool same(const reading::Node& a, const reading::Node& b) {
  const Scalar left = scalar_of(a);
  const Scalar right = scalar_of(b);
  return !std::holds_alternative<std::monostate>(left) && left == right;
}

std::vector<reading::Node> read_values(reading::Section& section) {
  for (const char* key : {"values", "from", "to", "step", "factor"}) section.expect(key);
  const reading::Value list = section.value("values");
  if (!list.given()) {
    if (section.has("from")) return range(section);
    list.refuse_found("a list, or `from`, `to` and `step` or `factor`");
  }
  for (const char* key : {"from", "to", "step", "factor"}) {
    if (section.has(key)) section.refuse(key, "goes without `values` only");
  }
  std::vector<reading::Node> values;
  for (const reading::Value& value : list.list()) {
    reading::Node node = without_size_unit(*value.node());
    for (const reading::Node& earlier : values) {
      if (same(earlier, node)) value.refuse("stands in the list twice: " + node.described());
    }
    values.push_back(std::move(node));
  }
  if (values.empty()) list.refuse("is empty; allowed: one value at least");
  if (values.size() > most_values) {
    list.refuse("more than " + std::to_string(most_values) + " values");
  }
  return values;
}

}  // namespace

reading::Node without_size_unit(const reading::Node& node) {
  const auto* text = node.as<std::string>();
  if (text == nullptr || text->find_first_of("0123456789") != 0) return node;
  const std::size_t end = text->find_first_not_of("0123456789.");
  if (end == std::string::npos) return node;
  const std::string unit = text->substr(text->find_first_not_of(' ', end));
  static const std::vector<std::pair<std::string, double>> units = {
      {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
  for (const auto& [name, bytes] : units) {
    if (unit != name) continue;
    const double size = std::stod(text->substr(0, end)) * bytes;
    if (std::floor(size) == size) return node_of(size, node.place());
  }
  return node;
}

std::vector<std::string> read_keys(reading::Section& section) {
  section.expect("keys");
  const reading::Value one = section.value("key");
  const reading::Value several = section.value("keys");
  if (one.given() && several.given()) several.refuse("goes without `key` only");
  if (!several.given()) return {one.text()};
  std::vector<std::string> keys;
  std::set<std::string> names;
  for (const reading::Value& key : several.list()) {
    if (!names.insert(key.text()).second) key.refuse("stands in the list twice");
    keys.push_back(key.text());
  }
  if (keys.empty()) several.refuse("is empty; allowed: one key at least");
  return keys;
}

Axis read_axis(reading::Section section, reading::Mistakes& mistakes) {
  section.collect_into(mistakes);
  Axis axis;
  axis.location = section.place_of("key");
  section.expect("name");
  mistakes.collect([&] { axis.keys = read_keys(section); });
  mistakes.collect([&] { axis.values = read_values(section); });
  section.refuse_unknown_keys();
  axis.name = section.text("name", axis.keys.empty() ? "" : axis.keys.front());
  mistakes.collect([&] {
    if (axis.name.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") !=
            std::string::npos ||
        (!axis.name.empty() && axis.name.find_first_of("0123456789.") == 0)) {
      section.value("name").refuse_found("letters, digits, _ and ., in front a letter");
    }
  });
  return axis;
}

}  // namespace abacus::study
