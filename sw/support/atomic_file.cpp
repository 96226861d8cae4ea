#include "sw/support/atomic_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

namespace abacus::support {
namespace {

// Removes the temporary file unless it was renamed.
class TemporaryFile {
 public:
  // The process number keeps apart two processes that write the same file.
  explicit TemporaryFile(const std::filesystem::path& target)
      : path_(target.string() + ".partial." + std::to_string(::getpid())) {}
  ~TemporaryFile() {
    if (path_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void rename_to(const std::filesystem::path& target) {
    std::filesystem::rename(path_, target);
    path_.clear();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

void write_file_atomically(const std::filesystem::path& file,
                           const std::function<void(std::ostream&)>& write) {
  TemporaryFile temporary(file);
  const auto fail = [&](const char* what) {
    throw std::runtime_error(file.string() + ": cannot " + what +
                             " the file: " + std::strerror(errno));
  };
  std::ofstream out(temporary.path(), std::ios::binary | std::ios::trunc);
  if (!out) fail("create");
  write(out);
  out.close();
  if (!out) fail("write");
  try {
    temporary.rename_to(file);
  } catch (const std::filesystem::filesystem_error& error) {
    throw std::runtime_error(
        file.string() + ": cannot rename the finished file into place: " + error.code().message());
  }
}

}  // namespace abacus::support
