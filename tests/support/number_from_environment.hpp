// What a test of random cases is to draw, where the environment says so: how many, from which seed.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace abacus::test {

// Throws std::invalid_argument for what is no number or below 0.
inline int number_from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr) return otherwise;
  const int number = std::stoi(text);
  if (number < 0) throw std::invalid_argument(std::string(name) + " is " + text + "; at least 0");
  return number;
}

}  // namespace abacus::test
