#include "sw/reading/node.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace abacus::reading {

std::string Place::text() const {
  if (line == 0) return source->name;
  return source->name + ':' + std::to_string(line) + ':' + std::to_string(column);
}

Node::Node(Place place, Value value) : place_(std::move(place)), value_(std::move(value)) {}

const Member* Node::find(std::string_view key) const {
  const auto* table = as<Table>();
  if (table == nullptr) return nullptr;
  const auto at = std::lower_bound(
      table->begin(), table->end(), key,
      [](const Member& member, std::string_view name) { return member.key < name; });
  return at == table->end() || at->key != key ? nullptr : &*at;
}

std::string Node::described() const {
  if (as<Table>() != nullptr) return place_.source->table_words;
  if (as<List>() != nullptr) return "a list";
  if (as<Null>() != nullptr) return "null";
  if (as<DateOrTime>() != nullptr) return "a date or time";
  std::ostringstream text;
  if (const auto* words = as<std::string>()) {
    text << "the text \"" << *words << '"';
  } else if (const auto* whole = as<std::int64_t>()) {
    text << *whole;
  } else if (const auto* real = as<double>()) {
    text << "the number " << *real;
  } else {
    text << (*as<bool>() ? "true" : "false");
  }
  return text.str();
}

}  // namespace abacus::reading
