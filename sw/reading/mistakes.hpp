// All that is wrong with files that are read together, told at once.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sw/reading/node.hpp"

namespace abacus::reading {

// Of a key that is not there.
class MissingKey : public InputError {
 public:
  MissingKey(const std::string& what, std::string name)
      : InputError(what), name_(std::move(name)) {}
  const std::string& name() const { return name_; }  // in full

 private:
  std::string name_;
};

// Of keys that nobody knows, alone or among other mistakes.
class UnknownKeys : public InputError {
 public:
  using InputError::InputError;
};

class Mistakes {
 public:
  // Runs a step of reading and keeps what it refuses. Whether it went well.
  template <typename Step>
  bool collect(const Step& step) {
    try {
      step();
      return true;
    } catch (const MissingKey& missing) {
      others_.push_back({missing.what(), missing.name()});
    } catch (const InputError& error) {
      others_.push_back({error.what(), ""});
    }
    return false;
  }
  // A key that nobody knows. `meant`: the name in full that it most likely should have; may be empty.
  void add_unknown(const std::string& text, const std::string& meant);

  std::size_t count() const { return unknown_.size() + others_.size(); }
  // Throws InputError if there are any, a line each: unknown keys first, since they explain others; a key
  // that is missing because it is misspelt is not told a second time.
  void raise() const;

 private:
  struct Other {
    std::string text;
    std::string missing;  // the key's name in full
  };
  std::vector<std::string> unknown_;
  std::set<std::string> meant_;
  std::vector<Other> others_;
};

}  // namespace abacus::reading
