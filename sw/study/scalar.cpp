#include "sw/study/scalar.hpp"

#include <cmath>
#include <cstdint>

#include "sw/support/overloaded.hpp"

namespace abacus::study {

Scalar scalar_of(const reading::Node& node) {
  if (const auto* truth = node.as<bool>()) return *truth;
  if (const auto* whole = node.as<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* real = node.as<double>()) return *real;
  if (const auto* text = node.as<std::string>()) return *text;
  return std::monostate();
}

reading::Node node_of(const Scalar& scalar, const reading::Place& place) {
  constexpr double most_whole = 9007199254740992;  // 2^53
  return std::visit(support::Overloaded{
                        [&](std::monostate) { return reading::Node(place, reading::Node::Null()); },
                        [&](bool truth) { return reading::Node(place, truth); },
                        [&](const std::string& text) { return reading::Node(place, text); },
                        [&](double number) {
                          if (std::floor(number) == number && std::abs(number) <= most_whole) {
                            return reading::Node(place, static_cast<std::int64_t>(number));
                          }
                          return reading::Node(place, number);
                        }},
                    scalar);
}

}  // namespace abacus::study
