// TOML → Node.
#pragma once

#include <cstdint>
#include <filesystem>

#include "sw/reading/node.hpp"

namespace abacus::reading {

// Of a file: what the library makes of it is a hundred times as large.
inline constexpr std::uintmax_t most_toml_bytes = std::uintmax_t{2} << 20;

// The file's top table. Throws InputError where the file cannot be read, is larger than 2 MiB or is no TOML.
Node read_toml(const std::filesystem::path& file);

// The same of a text; `name` stands in places.
Node parse_toml(const std::string& text, const std::string& name);

}  // namespace abacus::reading
