#include "sw/reading/section.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <utility>

namespace abacus::reading {
namespace {

// Insertions, deletions and replacements that make `a` into `b` (Levenshtein).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string whole_range(std::int64_t lowest, std::int64_t highest) {
  if (lowest == 0 && highest == std::numeric_limits<std::int64_t>::max()) return " from 0";
  return " from " + std::to_string(lowest) + " to " + std::to_string(highest);
}

std::string range_words(double lowest, double highest) {
  std::ostringstream words;
  words << "a number";
  if (std::isfinite(lowest) && std::isfinite(highest)) {
    words << " from " << lowest << " to " << highest;
  } else if (std::isfinite(lowest)) {
    words << ", " << lowest << " or more";
  }
  return words.str();
}

}  // namespace

Value::Value(std::string name, const Node* node, const Place& place)
    : name_(std::move(name)), node_(node), place_(node == nullptr ? place : node->place()) {}

template <typename T>
const T& Value::as(const std::string& allowed) const {
  const T* value = node_ == nullptr ? nullptr : node_->as<T>();
  if (value == nullptr) refuse_found(allowed);
  return *value;
}

std::int64_t Value::integer(std::int64_t lowest, std::int64_t highest) const {
  const std::string allowed = "a whole number" + whole_range(lowest, highest);
  const std::int64_t value = as<std::int64_t>(allowed);
  if (value < lowest || value > highest) refuse_found(allowed);
  return value;
}

double Value::number(double lowest, double highest) const {
  const auto* whole = given() ? node_->as<std::int64_t>() : nullptr;
  const double value =
      whole != nullptr ? static_cast<double>(*whole) : as<double>(range_words(lowest, highest));
  if (!std::isfinite(value) || value < lowest || value > highest) {
    refuse_found(range_words(lowest, highest));
  }
  return value;
}

double Value::number() const {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  return number(-infinite, infinite);
}

bool Value::truth() const { return as<bool>("true or false"); }

std::string Value::any_text() const { return as<std::string>("a text"); }

std::string Value::text() const {
  const std::string allowed = "a text that is not empty";
  const auto& value = as<std::string>(allowed);
  if (value.empty()) refuse_found(allowed);
  return value;
}

std::string Value::choice(const std::vector<std::string>& allowed) const {
  const auto& value = as<std::string>(joined(allowed));
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    refuse_found(joined(allowed));
  }
  return value;
}

std::vector<Value> Value::list() const {
  std::vector<Value> values;
  for (const Node& element : as<Node::List>("a list")) {
    values.emplace_back(name_ + '[' + std::to_string(values.size()) + ']', &element, place_);
  }
  return values;
}

std::vector<std::int64_t> Value::integers(std::int64_t lowest, std::int64_t highest) const {
  as<Node::List>("a list of whole numbers" + whole_range(lowest, highest));
  std::vector<std::int64_t> values;
  for (const Value& element : list()) values.push_back(element.integer(lowest, highest));
  return values;
}

std::vector<std::int64_t> Value::integers(std::size_t count, std::int64_t lowest,
                                          std::int64_t highest) const {
  const std::string allowed =
      "a list of " + std::to_string(count) + " whole numbers" + whole_range(lowest, highest);
  if (as<Node::List>(allowed).size() != count) refuse_found(allowed);
  return integers(lowest, highest);
}

Section Value::section() const {
  as<Node::Table>(place_.source->table_words);
  return {name_, {node_}};
}

std::string Value::option() const {
  std::ostringstream text;
  text.precision(std::numeric_limits<double>::max_digits10);
  if (!given()) refuse_found("a text, a number, true or false");
  if (const auto* words = node_->as<std::string>()) {
    text << *words;
  } else if (const auto* whole = node_->as<std::int64_t>()) {
    text << *whole;
  } else if (const auto* real = node_->as<double>()) {
    text << *real;
  } else {
    text << (as<bool>("a text, a number, true or false") ? "true" : "false");
  }
  return text.str();
}

void Value::refuse(const std::string& what) const {
  throw InputError(place_.text() + ": " + (name_.empty() ? "" : name_ + ": ") + what);
}

void Value::refuse_found(const std::string& allowed) const {
  refuse((given() ? "found " + node_->described() : "is missing") + "; allowed: " + allowed);
}

Section::Section(std::string path, std::vector<const Node*> layers)
    : path_(std::move(path)), layers_(std::move(layers)) {
  if (!layers_.empty()) place_ = layers_.front()->place();
  for (const Node* layer : layers_) {
    if (layer->as<Node::Table>() == nullptr) {
      Value(path_, layer, {}).refuse_found(layer->place().source->table_words);
    }
  }
}

std::string Section::full_name(const std::string& key) const {
  return path_.empty() ? key : path_ + '.' + key;
}

Value Section::find(const std::string& key) const {
  for (const Node* layer : layers_) {
    if (const Member* found = layer->find(key)) return {full_name(key), &found->value, {}};
  }
  return {full_name(key), nullptr, place_};
}

Value Section::value(const std::string& key) {
  known_.insert(key);
  return find(key);
}

bool Section::has(const std::string& key) const { return find(key).given(); }

std::string Section::place_of(const std::string& key) const { return find(key).place().text(); }

std::vector<std::string> Section::keys() {
  std::set<std::string> all;
  for (const Node* layer : layers_) {
    for (const Member& member : *layer->as<Node::Table>()) all.insert(member.key);
  }
  known_.insert(all.begin(), all.end());
  return {all.begin(), all.end()};
}

std::int64_t Section::integer(const std::string& key, std::int64_t otherwise, std::int64_t lowest,
                              std::int64_t highest) {
  const Value found = value(key);
  return found.given() ? found.integer(lowest, highest) : otherwise;
}

double Section::number(const std::string& key, double otherwise, double lowest, double highest) {
  const Value found = value(key);
  return found.given() ? found.number(lowest, highest) : otherwise;
}

bool Section::truth(const std::string& key, bool otherwise) {
  const Value found = value(key);
  return found.given() ? found.truth() : otherwise;
}

std::string Section::text(const std::string& key, const std::string& otherwise) {
  const Value found = value(key);
  return found.given() ? found.text() : otherwise;
}

std::string Section::choice(const std::string& key, const std::string& otherwise,
                            const std::vector<std::string>& allowed) {
  const Value found = value(key);
  return found.given() ? found.choice(allowed) : otherwise;
}

Section Section::section(const std::string& key, const Node* below) {
  known_.insert(key);
  std::vector<const Node*> tables;
  for (const Node* layer : layers_) {
    if (const Member* found = layer->find(key)) tables.push_back(&found->value);
  }
  if (below != nullptr) tables.push_back(below);
  Section section(full_name(key), std::move(tables));
  if (section.layers_.empty()) section.place_ = place_;
  for (const std::string& name : expected_) {
    if (name.compare(0, key.size() + 1, key + '.') == 0)
      section.expect(name.substr(key.size() + 1));
  }
  return section;
}

void Section::expect(const std::string& key) {
  (key.find('.') == std::string::npos ? known_ : expected_).insert(key);
}

void Section::refuse_unknown_keys() const {
  for (const Node* layer : layers_) {
    for (const Member& member : *layer->as<Node::Table>()) {
      if (known_.count(member.key) != 0) continue;
      const std::string near = nearest(member.key, known_);
      std::string text = member.place.text() + ": unknown key `" + full_name(member.key) + '`';
      if (!near.empty()) text += "; did you mean `" + near + "`?";
      throw InputError(
          text + " known here: " + joined(std::vector<std::string>(known_.begin(), known_.end())));
    }
  }
}

void Section::refuse(const std::string& key, const std::string& what) const {
  find(key).refuse(what);
}

std::string nearest(const std::string& text, const std::set<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(text, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace abacus::reading
