// TOML → Node.
#pragma once

#include <filesystem>

#include "sw/reading/node.hpp"

namespace abacus::reading {

// The file's top table. Throws InputError where the file cannot be read, is larger than 2 MiB or is no TOML.
Node read_toml(const std::filesystem::path& file);

// The same of a text; `name` stands in places.
Node parse_toml(const std::string& text, const std::string& name);

}  // namespace abacus::reading
