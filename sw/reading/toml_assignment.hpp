// One TOML key with its value, as a command line has it.
#pragma once

#include <string>

#include "sw/reading/node.hpp"

namespace abacus::reading {

// `text`: "hardware.array.rows = 8". A value that is no TOML is a text: "arithmetic=adder". A table with that one
// key; its places are `name` alone. Throws InputError where there is no "=", or no key before it.
Node parse_toml_assignment(const std::string& text, const std::string& name);

}  // namespace abacus::reading
