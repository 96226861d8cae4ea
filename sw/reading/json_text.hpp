// JSON → Node.
#pragma once

#include <string>

#include "sw/reading/node.hpp"

namespace abacus::reading {

// `name`: of the text, in errors: its file, and where in it the text stands. Throws InputError where it is no
// JSON or an object has a key twice, which would hide a value.
Node parse_json(const std::string& text, const std::string& name);

}  // namespace abacus::reading
