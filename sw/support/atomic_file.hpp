// Files that are whole or not there.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>

namespace abacus::support {

// Lets `write` fill a file of a temporary name beside `file`, then renames it to `file`. When
// writing fails or throws, the temporary file is removed and a file already there stays as it was.
// Throws std::runtime_error naming the file; passes on what `write` throws.
void write_file_atomically(const std::filesystem::path& file,
                           const std::function<void(std::ostream&)>& write);

}  // namespace abacus::support
