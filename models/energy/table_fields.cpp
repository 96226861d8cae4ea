#include "models/energy/table_fields.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace abacus {

void refuse_at(const std::filesystem::path& file, const toml::source_region& where,
               const std::string& what) {
  std::ostringstream text;
  text << file.string() << ':' << where.begin.line << ':' << where.begin.column << ": " << what;
  throw std::runtime_error(text.str());
}

toml::table read_table_file(const std::filesystem::path& file) {
  try {
    return toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    const auto& where = error.source();
    if (where.begin.line == 0) {
      throw std::runtime_error(file.string() + ": " + std::string(error.description()));
    }
    refuse_at(file, where, std::string(error.description()));
  }
}

void TableFields::refuse(const std::string& what) const { refuse_at(file_, table_.source(), what); }

void TableFields::refuse(const toml::node& node, const std::string& what) const {
  refuse_at(file_, node.source(), what);
}

const toml::node& TableFields::node(std::string_view key) const {
  const toml::node* found = table_.get(key);
  if (found == nullptr) refuse("`" + std::string(key) + "` is missing");
  return *found;
}

std::string TableFields::text(std::string_view key) const {
  const toml::node& found = node(key);
  const auto value = found.value_exact<std::string>();
  if (!value || value->empty()) {
    refuse(found, "`" + std::string(key) + "` must be a text that is not empty");
  }
  return *value;
}

double TableFields::number(std::string_view key, double lowest) const {
  const toml::node& found = node(key);
  const auto value = found.is_number() ? found.value<double>() : std::nullopt;
  if (!value || !std::isfinite(*value) || *value < lowest) {
    std::ostringstream text;
    text << '`' << key << "` must be a number, " << lowest << " or more";
    refuse(found, text.str());
  }
  return *value;
}

const toml::table& TableFields::subtable(std::string_view key) const {
  const toml::node& found = node(key);
  if (!found.is_table()) refuse(found, "`" + std::string(key) + "` must be a table");
  return *found.as_table();
}

void TableFields::allow(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, value] : table_) {
    if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
    std::string known;
    for (const auto& name : keys) known += (known.empty() ? "" : ", ") + std::string(name);
    refuse_at(file_, key.source(),
              "unknown key `" + std::string(key.str()) + "`; known here: " + known);
  }
}

}  // namespace abacus
