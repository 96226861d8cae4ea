// The one strict reader of files that people and programs write: tables key by key, with defaults, ranges,
// allowed values and errors that name place, key, what was found and what is allowed. Keys that nobody asked
// for are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "sw/reading/mistakes.hpp"
#include "sw/reading/node.hpp"

namespace abacus::reading {

class Section;

// A value with its name in full ("hardware.array.rows", "layers[3].kernel"), which may be missing. Each getter
// throws InputError where it is, has another type or is not allowed. The tree must outlive it.
class Value {
 public:
  // `place`: of what should have it, for where it is missing: `node` is null then. `mistakes`: what sections
  // below it collect into; may be null.
  Value(std::string name, const Node* node, const Place& place, Mistakes* mistakes = nullptr);

  bool given() const { return node_ != nullptr; }
  const Node* node() const { return node_; }  // null where it is missing
  const std::string& name() const { return name_; }
  // Of the value, or of what should have it.
  const Place& place() const { return place_; }

  std::int64_t integer(std::int64_t lowest, std::int64_t highest) const;
  // Any that T holds.
  template <typename T>
  T whole() const {
    return static_cast<T>(integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
  double number(double lowest, double highest) const;  // finite
  double number() const;                               // finite
  bool truth() const;
  std::string any_text() const;
  std::string text() const;  // not empty
  std::string choice(const std::vector<std::string>& allowed) const;
  std::vector<Value> list() const;
  std::vector<std::int64_t> integers(std::int64_t lowest, std::int64_t highest) const;
  // So many of them.
  std::vector<std::int64_t> integers(std::size_t count, std::int64_t lowest,
                                     std::int64_t highest) const;
  Section section() const;
  // A text, a number, true or false, as it would stand on a command line.
  std::string option() const;

  // "PLACE: NAME: what"
  [[noreturn]] void refuse(const std::string& what) const;
  // "PLACE: NAME: found …; allowed: …", or that it is missing.
  [[noreturn]] void refuse_found(const std::string& allowed) const;

 private:
  template <typename T>
  const T& as(const std::string& allowed) const;
  std::string start() const;  // of an error

  std::string name_;
  const Node* node_;
  Place place_;
  Mistakes* mistakes_;
};

class Section {
 public:
  // `layers`: tables of which the first that has a key decides; one at least. They must outlive the section.
  // `path` names the section in errors ("hardware.array"; empty for the top).
  Section(std::string path, std::vector<const Node*> layers);

  // From now on getters with a default keep what they refuse and give the default, here and in the sections
  // below, and unknown keys are kept, too. `mistakes` must outlive the section.
  void collect_into(Mistakes& mistakes) { mistakes_ = &mistakes; }
  Mistakes* mistakes() const { return mistakes_; }  // null: none

  // The key's value; missing where no layer has it.
  Value value(const std::string& key);

  // The key's value, or the default where no layer has the key.
  std::int64_t integer(const std::string& key, std::int64_t otherwise, std::int64_t lowest,
                       std::int64_t highest);
  double number(const std::string& key, double otherwise, double lowest, double highest);
  bool truth(const std::string& key, bool otherwise);
  std::string text(const std::string& key, const std::string& otherwise);
  std::string choice(const std::string& key, const std::string& otherwise,
                     const std::vector<std::string>& allowed);

  // The section below `key`, empty where no layer has it. `below`: a table under all others, of another
  // file, such as a preset.
  Section section(const std::string& key, const Node* below = nullptr);
  bool has(const std::string& key) const;
  // Whether the key is given in the layer that decides `other`, or above it.
  bool stands_with(const std::string& key, const std::string& other) const;
  // The same section without the layers below the one that decides `key`; all of it where none has it.
  Section down_to(const std::string& key) const;
  // "file:line:column" of the key's value, or of the section where no layer has it.
  std::string place_of(const std::string& key) const;
  // All keys of all layers, sorted; they count as known from then on.
  std::vector<std::string> keys();

  // A key that others read; with dots in it, one of a section below.
  void expect(const std::string& key);
  // The same, of a key that a file below (see section()) does not have.
  void expect_above(const std::string& key);
  // Throws InputError for all keys that nobody asked for, with the nearest known ones.
  void refuse_unknown_keys() const;
  // Throws InputError that points at the key's value, or at the section where the key is not there.
  [[noreturn]] void refuse(const std::string& key, const std::string& what) const;

  // A key with the value that holds, in words.
  struct Used {
    std::string key;
    std::string value;
  };
  // A rule between several keys is broken. Throws InputError that points at the one of them that stands in
  // the topmost layer, which the user can best change, and names all with values and places.
  [[noreturn]] void refuse_together(std::vector<Used> keys, const std::string& allowed) const;

 private:
  Value find(const std::string& key) const;
  // Of the first layer that has the key; their number where none has.
  std::size_t layer_of(const std::string& key) const;
  template <typename T, typename Read>
  T read_or(const std::string& key, T otherwise, const Read& read);
  std::string full_name(const std::string& key) const;

  std::string path_;
  Place place_;
  std::vector<const Node*> layers_;
  std::size_t layers_below_ = 0;  // the last ones, of other files
  std::set<std::string> known_;
  std::set<std::string> known_above_;
  // Of sections below: "section.key".
  std::set<std::string> expected_;
  std::set<std::string> expected_above_;
  Mistakes* mistakes_ = nullptr;
};

// The entry of `known` that `text` most likely was meant to be; empty where none is near.
std::string nearest(const std::string& text, const std::set<std::string>& known);
// "a, b, c"
std::string joined(const std::vector<std::string>& words);

}  // namespace abacus::reading
