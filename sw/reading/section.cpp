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

Value::Value(std::string name, const Node* node, const Place& place, Mistakes* mistakes)
    : name_(std::move(name)),
      node_(node),
      place_(node == nullptr ? place : node->place()),
      mistakes_(mistakes) {}

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
    values.emplace_back(name_ + '[' + std::to_string(values.size()) + ']', &element, place_,
                        mistakes_);
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
  Section section(name_, {node_});
  if (mistakes_ != nullptr) section.collect_into(*mistakes_);
  return section;
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

std::string Value::start() const {
  return place_.text() + ": " + (name_.empty() ? "" : name_ + ": ");
}

void Value::refuse(const std::string& what) const { throw InputError(start() + what); }

void Value::refuse_found(const std::string& allowed) const {
  if (!given()) throw MissingKey(start() + "is missing; allowed: " + allowed, name_);
  refuse("found " + node_->described() + "; allowed: " + allowed);
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

std::size_t Section::layer_of(const std::string& key) const {
  std::size_t layer = 0;
  while (layer < layers_.size() && layers_[layer]->find(key) == nullptr) ++layer;
  return layer;
}

Value Section::find(const std::string& key) const {
  const std::size_t layer = layer_of(key);
  const Node* node = layer < layers_.size() ? &layers_[layer]->find(key)->value : nullptr;
  return {full_name(key), node, place_, mistakes_};
}

Value Section::value(const std::string& key) {
  known_.insert(key);
  return find(key);
}

bool Section::has(const std::string& key) const { return find(key).given(); }

bool Section::stands_with(const std::string& key, const std::string& other) const {
  return has(key) && layer_of(key) <= layer_of(other);
}

Section Section::down_to(const std::string& key) const {
  Section section = *this;
  const std::size_t layer = layer_of(key);
  if (layer + 1 >= layers_.size()) return section;
  section.layers_.resize(layer + 1);
  const std::size_t dropped = layers_.size() - section.layers_.size();
  section.layers_below_ -= std::min(section.layers_below_, dropped);
  return section;
}

std::string Section::place_of(const std::string& key) const { return find(key).place().text(); }

std::vector<std::string> Section::keys() {
  std::set<std::string> all;
  for (const Node* layer : layers_) {
    for (const Member& member : *layer->as<Node::Table>()) all.insert(member.key);
  }
  known_.insert(all.begin(), all.end());
  return {all.begin(), all.end()};
}

template <typename T, typename Read>
T Section::read_or(const std::string& key, T otherwise, const Read& read) {
  const Value found = value(key);
  if (!found.given()) return otherwise;
  if (mistakes_ == nullptr) return read(found);
  mistakes_->collect([&] { otherwise = read(found); });
  return otherwise;
}

std::int64_t Section::integer(const std::string& key, std::int64_t otherwise, std::int64_t lowest,
                              std::int64_t highest) {
  return read_or(key, otherwise,
                 [&](const Value& found) { return found.integer(lowest, highest); });
}

double Section::number(const std::string& key, double otherwise, double lowest, double highest) {
  return read_or(key, otherwise, [&](const Value& found) { return found.number(lowest, highest); });
}

bool Section::truth(const std::string& key, bool otherwise) {
  return read_or(key, otherwise, [](const Value& found) { return found.truth(); });
}

std::string Section::text(const std::string& key, const std::string& otherwise) {
  return read_or(key, otherwise, [](const Value& found) { return found.text(); });
}

std::string Section::choice(const std::string& key, const std::string& otherwise,
                            const std::vector<std::string>& allowed) {
  return read_or(key, otherwise, [&](const Value& found) { return found.choice(allowed); });
}

Section Section::section(const std::string& key, const Node* below) {
  known_.insert(key);
  std::vector<const Node*> tables;
  std::size_t tables_below = 0;
  const auto add = [&](const Node& table, bool is_below) {
    const auto require_table = [&] {
      if (table.as<Node::Table>() != nullptr) return;
      Value(full_name(key), &table, {}).refuse_found(table.place().source->table_words);
    };
    if (mistakes_ == nullptr) {
      require_table();
    } else if (!mistakes_->collect(require_table)) {
      return;
    }
    tables.push_back(&table);
    tables_below += is_below ? 1 : 0;
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Member* found = layers_[i]->find(key);
    if (found != nullptr) add(found->value, i + layers_below_ >= layers_.size());
  }
  if (below != nullptr) add(*below, true);
  Section section(full_name(key), std::move(tables));
  section.layers_below_ = tables_below;
  section.mistakes_ = mistakes_;
  if (section.layers_.empty()) section.place_ = place_;
  const auto hand_on = [&](const std::set<std::string>& names, auto expecting) {
    for (const std::string& name : names) {
      if (name.compare(0, key.size() + 1, key + '.') == 0)
        (section.*expecting)(name.substr(key.size() + 1));
    }
  };
  hand_on(expected_, &Section::expect);
  hand_on(expected_above_, &Section::expect_above);
  return section;
}

void Section::expect(const std::string& key) {
  (key.find('.') == std::string::npos ? known_ : expected_).insert(key);
}

void Section::expect_above(const std::string& key) {
  (key.find('.') == std::string::npos ? known_above_ : expected_above_).insert(key);
}

void Section::refuse_unknown_keys() const {
  Mistakes own;
  Mistakes& mistakes = mistakes_ == nullptr ? own : *mistakes_;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::set<std::string> known = known_;
    if (i + layers_below_ < layers_.size()) known.insert(known_above_.begin(), known_above_.end());
    for (const Member& member : *layers_[i]->as<Node::Table>()) {
      if (known.count(member.key) != 0) continue;
      const std::string near = nearest(member.key, known);
      std::string text = member.place.text() + ": unknown key `" + full_name(member.key) + '`';
      if (!near.empty()) text += "; did you mean `" + near + "`?";
      text += " known here: " + joined(std::vector<std::string>(known.begin(), known.end()));
      mistakes.add_unknown(text, near.empty() ? "" : full_name(near));
    }
  }
  own.raise();
}

void Section::refuse_together(std::vector<Used> keys, const std::string& allowed) const {
  std::stable_sort(keys.begin(), keys.end(),
                   [&](const Used& a, const Used& b) { return layer_of(a.key) < layer_of(b.key); });
  std::string others;
  for (std::size_t i = 1; i < keys.size(); ++i) {
    const Value value = find(keys[i].key);
    others += (i == 1                 ? " with "
               : i + 1 == keys.size() ? " and "
                                      : ", ") +
              value.name() + ' ' + keys[i].value +
              (value.given() ? " (" + value.place().text() + ')' : std::string(" (the default)"));
  }
  refuse(keys.front().key, "found " + keys.front().value + others + "; allowed: " + allowed);
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
