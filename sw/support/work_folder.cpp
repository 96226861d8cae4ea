#include "sw/support/work_folder.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace abacus::support {
namespace {

// In each work folder, while its process lives.
constexpr char lock_name[] = "lock";

void clear_away(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

// Those that nobody works in.
void sweep(const std::filesystem::path& parent, const std::string& start) {
  std::error_code error;
  std::filesystem::directory_iterator entries(parent, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::filesystem::path& folder = entries->path();
    std::error_code ignored;
    if (folder.filename().string().rfind(start, 0) != 0 ||
        !std::filesystem::is_directory(entries->symlink_status(ignored))) {
      continue;
    }
    try {
      if (FileLock::try_take(folder / lock_name)) clear_away(folder);
    } catch (const std::runtime_error&) {
      // Another user's.
    }
  }
}

}  // namespace

WorkFolder::WorkFolder(const std::filesystem::path& parent, const std::string& name) {
  // A folder that is just being made has no lock yet: nobody else looks meanwhile.
  const FileLock alone = FileLock::take(parent / ('.' + name + ".lock"));
  sweep(parent, name + '-');
  std::string folder = (parent / (name + "-XXXXXX")).string();
  if (::mkdtemp(folder.data()) == nullptr) {
    throw std::runtime_error(parent.string() +
                             ": cannot make a folder in it: " + std::strerror(errno));
  }
  path_ = folder;
  try {
    lock_ = FileLock::try_take(path_ / lock_name);
  } catch (const std::runtime_error&) {
    clear_away(path_);
    throw;
  }
}

WorkFolder::~WorkFolder() {
  clear_away(path_);  // the lock, too
}

}  // namespace abacus::support
