// Where results go: the one way in which the programs write files.
//
// What a name leads to, symbolic links followed, decides:
//   - A file, or nothing yet: a new file beside it, of a name that nobody can foresee, is filled, synced
//     to the disk and renamed. Whatever ends the process, the name leads to all of the old content or to
//     all of the new. Owner and mode stay; other hard links keep the old content. Files that processes
//     left when they were killed are removed by the next writer in the folder.
//   - A device, a FIFO, or one of our own open descriptors (/dev/stdout, /dev/fd/3): written as it is.
//   - A folder, a socket, a file that its owner has made read-only: refused.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <vector>

#include "sw/support/file_lock.hpp"

namespace abacus::support {

// Lets `write` fill the file. Throws std::runtime_error naming the file and why, Stopped
// (stop_request.hpp) where we are asked to stop while a FIFO has no reader or a reader does not go on;
// passes on what `write` throws. In each case an older file stays as it was.
void write_output(const std::filesystem::path& file,
                  const std::function<void(std::ostream&)>& write);

// Throws std::runtime_error naming the file where it cannot be written, as far as can be known before: how
// much space there is nobody knows. Leaves nothing behind.
void check_output(const std::filesystem::path& file);

// All that a program will write, to be reserved before its work begins: nobody learns after an hour that
// there is no place for the result, and no two programs write the same file.
class ReservedOutputs {
 public:
  // Throws std::runtime_error naming the file where one of them cannot be written, two are the same file,
  // one is among `inputs`, or another process has reserved it. Leaves nothing behind but lock files
  // (.NAME.lock) until it is destroyed.
  explicit ReservedOutputs(const std::vector<std::filesystem::path>& files,
                           const std::vector<std::filesystem::path>& inputs = {});

 private:
  std::vector<FileLock> locks_;
};

// The one file of an option that may be left out, or none.
std::vector<std::filesystem::path> given(const std::filesystem::path& file);

// Makes the folder and those above it, where they are not there. Throws std::runtime_error naming it and why.
void make_output_folder(const std::filesystem::path& folder);

}  // namespace abacus::support
