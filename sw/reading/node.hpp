// What a TOML or JSON file says, as a tree of values that know their place in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace abacus::reading {

// What a file says is wrong; what() starts with its place.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Deeper or larger files are refused: a tree's size is bounded before it is built.
inline constexpr int most_levels = 64;
inline constexpr std::size_t most_values = 1'000'000;

struct Source {
  std::string name;         // the file, and where in it the text stands if it is not all of it
  const char* table_words;  // what the format calls a table
};

// Where a value or a key stands. JSON's have no line: the value's name in full says where it is.
struct Place {
  std::shared_ptr<const Source> source;
  int line = 0;  // from 1, as `column`; 0: unknown
  int column = 0;

  std::string text() const;  // "file:line:column" or "file"
};

struct Member;

class Node {
 public:
  struct Null {};
  struct DateOrTime {};  // TOML's, which nothing here reads
  using List = std::vector<Node>;
  using Table = std::vector<Member>;  // ascending keys, no two alike
  using Value =
      std::variant<Null, bool, std::int64_t, double, std::string, List, Table, DateOrTime>;

  Node(Place place, Value value);

  const Place& place() const { return place_; }
  template <typename T>
  const T* as() const {
    return std::get_if<T>(&value_);
  }
  // A table's member; nullptr where it has none of that key, or is no table.
  const Member* find(std::string_view key) const;
  // For errors: `the text "x"`, `3`, `a list`.
  std::string described() const;

 private:
  Place place_;
  Value value_;
};

struct Member {
  std::string key;
  Place place;  // of the key
  Node value;
};

}  // namespace abacus::reading
