#include "sw/experiment/toml_section.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <utility>

namespace abacus {
namespace {

std::string location(const toml::source_region& region) {
  std::ostringstream text;
  text << (region.path ? *region.path : std::string("(text)")) << ':' << region.begin.line << ':'
       << region.begin.column;
  return text.str();
}

// A value as the user wrote it, with its type.
std::string described(const toml::node& node) {
  std::ostringstream text;
  if (node.is_table()) return "a table";
  if (node.is_array()) return "a list";
  if (const auto* value = node.as_string()) {
    text << "the text \"" << value->get() << '"';
  } else if (const auto* whole = node.as_integer()) {
    text << whole->get();
  } else if (const auto* real = node.as_floating_point()) {
    text << "the number " << real->get();
  } else if (const auto* truth = node.as_boolean()) {
    text << (truth->get() ? "true" : "false");
  } else {
    text << "a date or time";
  }
  return text.str();
}

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

}  // namespace

toml::table read_toml(const std::filesystem::path& file) {
  try {
    return toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    const toml::source_region& region = error.source();
    // A file that cannot be opened has no line.
    if (region.begin.line == 0) {
      throw InputError(file.string() +
                       ": cannot read the file: " + std::string(error.description()));
    }
    throw InputError(location(region) + ": " + std::string(error.description()));
  }
}

std::string where(const toml::node& node) { return location(node.source()); }

TomlSection::TomlSection(std::string path, std::vector<const toml::table*> layers)
    : path_(std::move(path)), layers_(std::move(layers)) {}

const toml::node* TomlSection::find(const std::string& key) const {
  for (const toml::table* layer : layers_) {
    if (const toml::node* found = layer->get(key)) return found;
  }
  return nullptr;
}

bool TomlSection::has(const std::string& key) const { return find(key) != nullptr; }

std::vector<std::string> TomlSection::keys() {
  std::set<std::string> all;
  for (const toml::table* layer : layers_) {
    for (const auto& [key, value] : *layer) all.emplace(key.str());
  }
  known_.insert(all.begin(), all.end());
  return {all.begin(), all.end()};
}

const toml::node* TomlSection::node(const std::string& key) {
  known_.insert(key);
  return find(key);
}

std::string TomlSection::full_name(const std::string& key) const {
  return path_.empty() ? key : path_ + '.' + key;
}

void TomlSection::refuse_value(const std::string& key, const toml::node& node,
                               const std::string& allowed) const {
  throw InputError(where(node) + ": " + full_name(key) + ": found " + described(node) +
                   "; allowed: " + allowed);
}

void TomlSection::refuse(const std::string& key, const std::string& what) const {
  const toml::node* found = find(key);
  if (found == nullptr && !layers_.empty()) found = layers_.front();
  throw InputError((found != nullptr ? where(*found) + ": " : "") + full_name(key) + ": " + what);
}

std::int64_t TomlSection::integer(const std::string& key, std::int64_t otherwise,
                                  std::int64_t lowest, std::int64_t highest) {
  const toml::node* found = node(key);
  if (found == nullptr) return otherwise;
  const auto* value = found->as_integer();
  if (value == nullptr || value->get() < lowest || value->get() > highest) {
    refuse_value(
        key, *found,
        "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return value->get();
}

double TomlSection::number(const std::string& key, double otherwise, double lowest,
                           double highest) {
  const toml::node* found = node(key);
  if (found == nullptr) return otherwise;
  const auto value = found->is_number() ? found->value<double>() : std::nullopt;
  if (!value || std::isnan(*value) || *value < lowest || *value > highest) {
    std::ostringstream allowed;
    allowed << "a number from " << lowest << " to " << highest;
    refuse_value(key, *found, allowed.str());
  }
  return *value;
}

bool TomlSection::truth(const std::string& key, bool otherwise) {
  const toml::node* found = node(key);
  if (found == nullptr) return otherwise;
  const auto* value = found->as_boolean();
  if (value == nullptr) refuse_value(key, *found, "true or false");
  return value->get();
}

std::vector<std::int64_t> TomlSection::integers(const std::string& key, std::size_t count,
                                                std::int64_t lowest, std::int64_t highest) {
  const toml::node* found = node(key);
  if (found == nullptr) return {};
  const std::string allowed = "a list of " + std::to_string(count) + " whole numbers from " +
                              std::to_string(lowest) + " to " + std::to_string(highest);
  const auto* list = found->as_array();
  if (list == nullptr || list->size() != count) refuse_value(key, *found, allowed);
  std::vector<std::int64_t> values;
  for (const toml::node& element : *list) {
    const auto* value = element.as_integer();
    if (value == nullptr || value->get() < lowest || value->get() > highest) {
      refuse_value(key, element, allowed);
    }
    values.push_back(value->get());
  }
  return values;
}

std::string TomlSection::text(const std::string& key, const std::string& otherwise) {
  const toml::node* found = node(key);
  if (found == nullptr) return otherwise;
  const auto* value = found->as_string();
  if (value == nullptr || value->get().empty()) {
    refuse_value(key, *found, "a text that is not empty");
  }
  return value->get();
}

std::string TomlSection::required_text(const std::string& key) {
  if (node(key) == nullptr) refuse(key, "is missing; allowed: a text that is not empty");
  return text(key, "");
}

std::string TomlSection::required_choice(const std::string& key,
                                         const std::vector<std::string>& allowed) {
  if (node(key) == nullptr) refuse(key, "is missing; allowed: " + joined(allowed));
  return choice(key, "", allowed);
}

std::string TomlSection::choice(const std::string& key, const std::string& otherwise,
                                const std::vector<std::string>& allowed) {
  const toml::node* found = node(key);
  if (found == nullptr) return otherwise;
  const auto* value = found->as_string();
  if (value == nullptr ||
      std::find(allowed.begin(), allowed.end(), value->get()) == allowed.end()) {
    refuse_value(key, *found, joined(allowed));
  }
  return value->get();
}

TomlSection TomlSection::section(const std::string& key, const toml::table* below) {
  known_.insert(key);
  std::vector<const toml::table*> tables;
  for (const toml::table* layer : layers_) {
    const toml::node* found = layer->get(key);
    if (found == nullptr) continue;
    if (!found->is_table()) refuse_value(key, *found, "a table");
    tables.push_back(found->as_table());
  }
  if (below != nullptr) tables.push_back(below);
  return TomlSection(full_name(key), std::move(tables));
}

void TomlSection::refuse_unknown_keys() const {
  for (const toml::table* layer : layers_) {
    for (const auto& [key, value] : *layer) {
      const std::string name(key.str());
      if (known_.count(name) != 0) continue;
      const std::string near = nearest(name, known_);
      std::string text = location(key.source()) + ": unknown key `" + full_name(name) + '`';
      if (!near.empty()) text += "; did you mean `" + near + "`?";
      throw InputError(
          text + " known here: " + joined(std::vector<std::string>(known_.begin(), known_.end())));
    }
  }
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

}  // namespace abacus
