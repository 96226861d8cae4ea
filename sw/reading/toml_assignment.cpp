#include "sw/reading/toml_assignment.hpp"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "sw/reading/toml_file.hpp"

namespace abacus::reading {
namespace {

// A command line has no lines and columns.
Node placed(const Node& node, const Place& place) {
  if (const auto* table = node.as<Node::Table>()) {
    Node::Table members;
    for (const Member& member : *table) {
      members.push_back({member.key, place, placed(member.value, place)});
    }
    return {place, std::move(members)};
  }
  if (const auto* list = node.as<Node::List>()) {
    Node::List elements;
    for (const Node& element : *list) elements.push_back(placed(element, place));
    return {place, std::move(elements)};
  }
  if (const auto* truth = node.as<bool>()) return {place, *truth};
  if (const auto* whole = node.as<std::int64_t>()) return {place, *whole};
  if (const auto* real = node.as<double>()) return {place, *real};
  if (const auto* text = node.as<std::string>()) return {place, *text};
  return {place, Node::DateOrTime()};
}

std::optional<Node> parsed(const std::string& toml) {
  try {
    Node node = parse_toml(toml, "");
    const auto* members = node.as<Node::Table>();
    if (members == nullptr || members->size() != 1) return std::nullopt;
    return node;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

// TOML's basic strings escape as JSON does.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Node parse_toml_assignment(const std::string& text, const std::string& name) {
  const Place place{std::make_shared<const Source>(Source{name, "a table"}), 0, 0};
  const std::size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  if (equals != std::string::npos && text.find_first_of("\r\n") == std::string::npos) {
    const std::string value = text.substr(equals + 1);
    std::optional<Node> node = parsed(key + '=' + value);
    if (!node && !value.empty()) {
      const std::size_t start = value.find_first_not_of(" \t");
      const std::size_t end = value.find_last_not_of(" \t");
      if (start != std::string::npos) {
        node = parsed(key + '=' + quoted(value.substr(start, end + 1 - start)));
      }
    }
    if (node) return placed(*node, place);
  }
  throw InputError(name + ": found no KEY=VALUE; allowed: hardware.array.rows=8, level=functional");
}

}  // namespace abacus::reading
