// A value of an axis or a metric, as conditions and arithmetic see it.
#pragma once

#include <string>
#include <variant>

#include "sw/reading/node.hpp"

namespace abacus::study {

// monostate: none, such as the accuracy of random weights.
using Scalar = std::variant<std::monostate, bool, double, std::string>;

// What a file says; none of a list or a table.
Scalar scalar_of(const reading::Node& node);

// A node of the scalar: whole numbers as such.
reading::Node node_of(const Scalar& scalar, const reading::Place& place);

}  // namespace abacus::study
