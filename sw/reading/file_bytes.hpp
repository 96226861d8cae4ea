// A file as its readers want it: whole, and of a size that was looked at first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace abacus::reading {

// The bytes of a regular file. Throws InputError naming it and why it cannot be read: folders, pipes and
// devices, which may never end, and files of more than `most` bytes are not.
std::string file_bytes(const std::filesystem::path& file, std::uintmax_t most);

}  // namespace abacus::reading
