#include "sw/reading/file_bytes.hpp"

#include <fstream>
#include <system_error>

#include "sw/reading/node.hpp"

namespace abacus::reading {

std::string file_bytes(const std::filesystem::path& file, std::uintmax_t most) {
  const auto fail = [&](const std::string& why) {
    throw InputError(file.string() + ": cannot read the file" + why);
  };
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) fail(": there is no such file");
  if (std::filesystem::is_directory(status)) fail(": it is a folder");
  if (!std::filesystem::is_regular_file(status)) fail(": it is a pipe or a device");
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) fail(": " + error.message());
  if (size > most) {
    throw InputError(file.string() + ": found " + std::to_string(size) +
                     " bytes; allowed: at most " + std::to_string(most));
  }
  std::ifstream in(file, std::ios::binary);
  std::string bytes(size, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!in) fail("");
  return bytes;
}

}  // namespace abacus::reading
