// A TOML table of a table file (energies, areas), field by field, with errors that name file, line and
// column.
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

namespace abacus {

// Throws std::runtime_error: file:line:column, what.
[[noreturn]] void refuse_at(const std::filesystem::path& file, const toml::source_region& where,
                            const std::string& what);
// Throws std::runtime_error where the file cannot be read or is no TOML.
toml::table read_table_file(const std::filesystem::path& file);

class TableFields {
 public:
  // Both must outlive it.
  TableFields(const std::filesystem::path& file, const toml::table& table)
      : file_(file), table_(table) {}

  [[noreturn]] void refuse(const std::string& what) const;
  [[noreturn]] void refuse(const toml::node& node, const std::string& what) const;

  // Each throws where the key is missing or has another type.
  const toml::node& node(std::string_view key) const;
  std::string text(std::string_view key) const;  // not empty
  double number(std::string_view key, double lowest) const;
  const toml::table& subtable(std::string_view key) const;
  // Throws for the first key that is none of these.
  void allow(std::initializer_list<std::string_view> keys) const;

 private:
  const std::filesystem::path& file_;
  const toml::table& table_;
};

}  // namespace abacus
