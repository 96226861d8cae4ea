// Reads a section of a TOML file, or of several files laid over one another, key by key: with
// defaults, ranges, allowed values, and errors that name file, line and column.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace abacus {

// What the user wrote is wrong; what() starts with file:line:column.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws InputError where the file cannot be read or is no TOML.
toml::table read_toml(const std::filesystem::path& file);

// "file:line:column" of a node's first character.
std::string where(const toml::node& node);

class TomlSection {
 public:
  // `layers`: tables of which the first that has a key decides. They must outlive the section.
  // `path` names the section in errors ("hardware.array"; empty for the top).
  TomlSection(std::string path, std::vector<const toml::table*> layers);

  // Each returns the key's value, or the default where no layer has the key. They throw InputError
  // where the value has another type or is outside of [lowest, highest].
  std::int64_t integer(const std::string& key, std::int64_t otherwise, std::int64_t lowest,
                       std::int64_t highest);
  double number(const std::string& key, double otherwise, double lowest, double highest);
  bool truth(const std::string& key, bool otherwise);
  // A list of `count` whole numbers; empty where no layer has the key.
  std::vector<std::int64_t> integers(const std::string& key, std::size_t count, std::int64_t lowest,
                                     std::int64_t highest);
  std::string text(const std::string& key, const std::string& otherwise);
  // Without a default: the key must be there.
  std::string required_text(const std::string& key);
  std::string required_choice(const std::string& key, const std::vector<std::string>& allowed);
  std::string choice(const std::string& key, const std::string& otherwise,
                     const std::vector<std::string>& allowed);

  // The section below `key`, empty where no layer has it. `below`: a table under all others.
  TomlSection section(const std::string& key, const toml::table* below = nullptr);
  // The node itself; nullptr where no layer has it.
  const toml::node* node(const std::string& key);
  bool has(const std::string& key) const;
  // All keys of all layers, sorted; they count as known from then on.
  std::vector<std::string> keys();

  // Throws InputError for the first key that nobody asked for, with the nearest known one.
  void refuse_unknown_keys() const;
  // Throws InputError that points at the key's value, or at the section where the key is not there.
  [[noreturn]] void refuse(const std::string& key, const std::string& what) const;

 private:
  const toml::node* find(const std::string& key) const;
  std::string full_name(const std::string& key) const;
  [[noreturn]] void refuse_value(const std::string& key, const toml::node& node,
                                 const std::string& allowed) const;

  std::string path_;
  std::vector<const toml::table*> layers_;
  std::set<std::string> known_;
};

// The entry of `known` that `text` most likely was meant to be; empty where none is near.
std::string nearest(const std::string& text, const std::set<std::string>& known);
// "a, b, c"
std::string joined(const std::vector<std::string>& words);

}  // namespace abacus
