#include "sw/reading/mistakes.hpp"

namespace abacus::reading {

void Mistakes::add_unknown(const std::string& text, const std::string& meant) {
  unknown_.push_back(text);
  if (!meant.empty()) meant_.insert(meant);
}

void Mistakes::raise() const {
  if (count() == 0) return;
  std::string text;
  std::set<std::string> told;  // what holds for all runs is read for each of them
  const auto tell = [&](const std::string& line) {
    if (told.insert(line).second) text += (text.empty() ? "" : "\n") + line;
  };
  for (const std::string& line : unknown_) tell(line);
  for (const Other& other : others_) {
    if (meant_.count(other.missing) == 0) tell(other.text);
  }
  if (!unknown_.empty()) throw UnknownKeys(text);
  throw InputError(text);
}

}  // namespace abacus::reading
