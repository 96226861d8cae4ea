// Folders for work in progress.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sw/support/file_lock.hpp"

namespace abacus::support {

// A new folder NAME-XXXXXX in `parent`, which must be there, for a work whose result goes elsewhere. Removed
// with all that is in it. What processes left that were killed at the same work is removed by the next one.
class WorkFolder {
 public:
  // Throws std::runtime_error naming the folder.
  WorkFolder(const std::filesystem::path& parent, const std::string& name);
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::optional<FileLock> lock_;
};

}  // namespace abacus::support
