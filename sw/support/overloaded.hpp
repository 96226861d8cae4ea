// A visitor of a std::variant out of one function a kind. Without a catch-all among them the compiler
// names every visitor that a new kind is missing from.
#pragma once

namespace abacus::support {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace abacus::support
