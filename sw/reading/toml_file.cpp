#include "sw/reading/toml_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "sw/reading/file_bytes.hpp"
#include "sw/reading/toml_nesting.hpp"

namespace abacus::reading {
namespace {

class Converter {
 public:
  explicit Converter(const std::string& name)
      : source_(std::make_shared<const Source>(Source{name, "a table"})) {}

  Place place(const toml::source_region& region) const {
    return {source_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
  }

  Place place(int line, int column) const { return {source_, line, column}; }

  [[noreturn]] void refuse_depth(const Place& at) const {
    throw InputError(at.text() + ": nested deeper than " + std::to_string(most_levels) + " levels");
  }

  Node node(const toml::node& from, int level = 1) {
    const Place at = place(from.source());
    if (level > most_levels) refuse_depth(at);
    if (++count_ > most_values) {
      throw InputError(at.text() + ": more than " + std::to_string(most_values) + " values");
    }
    if (const auto* table = from.as_table()) {
      Node::Table members;
      for (const auto& [key, value] : *table) {
        members.push_back({std::string(key.str()), place(key.source()), node(value, level + 1)});
      }
      std::sort(members.begin(), members.end(),
                [](const Member& a, const Member& b) { return a.key < b.key; });
      return {at, std::move(members)};
    }
    if (const auto* array = from.as_array()) {
      Node::List list;
      for (const toml::node& element : *array) list.push_back(node(element, level + 1));
      return {at, std::move(list)};
    }
    if (const auto* text = from.as_string()) return {at, text->get()};
    if (const auto* whole = from.as_integer()) return {at, whole->get()};
    if (const auto* real = from.as_floating_point()) return {at, real->get()};
    if (const auto* truth = from.as_boolean()) return {at, truth->get()};
    return {at, Node::DateOrTime()};
  }

 private:
  std::shared_ptr<const Source> source_;
  std::size_t count_ = 0;
};

}  // namespace

Node read_toml(const std::filesystem::path& file) {
  return parse_toml(file_bytes(file, most_toml_bytes), file.string());
}

Node parse_toml(const std::string& text, const std::string& name) {
  Converter converter(name);
  if (const auto at = too_deep(text, most_levels)) {
    converter.refuse_depth(converter.place(at->line, at->column));
  }
  try {
    return converter.node(toml::parse(text, name));
  } catch (const toml::parse_error& error) {
    throw InputError(converter.place(error.source()).text() + ": " +
                     std::string(error.description()));
  }
}

}  // namespace abacus::reading
