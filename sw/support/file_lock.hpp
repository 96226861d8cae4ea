// A lock among processes: a file that one of them holds. The kernel drops it with the process, however
// that ends; an abandoned lock file is taken over by the next one.
#pragma once

#include <filesystem>
#include <optional>

namespace abacus::support {

class FileLock {
 public:
  // Makes the file, whose folder must be there. Nothing where another process, or another FileLock of this
  // one, holds it. Throws std::runtime_error naming the file where it cannot be made. On a file system
  // that has no locks everybody gets it.
  static std::optional<FileLock> try_take(const std::filesystem::path& file);
  // The same, but waits. Throws Stopped (stop_request.hpp) where we are asked to stop meanwhile.
  static FileLock take(const std::filesystem::path& file);

  // Removes the file.
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  FileLock(std::filesystem::path file, int descriptor);

  std::filesystem::path file_;
  int descriptor_;
};

// Takes flock's exclusive lock on an open file, without waiting; false where another one holds it. True
// where the file system has no locks.
bool lock_descriptor(int descriptor);

// The file under that name is the open one.
bool is_same_file(const std::filesystem::path& file, int descriptor);

}  // namespace abacus::support
