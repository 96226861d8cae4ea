#include "sw/support/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "sw/support/stop_request.hpp"

namespace abacus::support {

bool lock_descriptor(int descriptor) {
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    return errno != EWOULDBLOCK;
  }
  return true;
}

bool is_same_file(const std::filesystem::path& file, int descriptor) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::lstat(file.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

FileLock::FileLock(std::filesystem::path file, int descriptor)
    : file_(std::move(file)), descriptor_(descriptor) {}

FileLock::FileLock(FileLock&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  // While it is ours: nobody may find another one's file under the name.
  ::unlink(file_.c_str());
  ::close(descriptor_);
}

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& file) {
  constexpr mode_t mode = 0666;  // less what the user's mask takes away
  for (;;) {
    const int descriptor =
        ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
    if (descriptor < 0) {
      throw std::runtime_error(file.string() + ": cannot make the lock: " + std::strerror(errno));
    }
    FileLock lock(file, descriptor);
    if (!lock_descriptor(descriptor)) {
      ::close(std::exchange(lock.descriptor_, -1));  // the name is the holder's
      return std::nullopt;
    }
    if (is_same_file(file, descriptor)) return lock;
    // The one that held it has just let go and removed the file.
    ::close(std::exchange(lock.descriptor_, -1));
  }
}

FileLock FileLock::take(const std::filesystem::path& file) {
  for (;;) {
    if (std::optional<FileLock> lock = try_take(file)) return std::move(*lock);
    if (stop_requested()) throw Stopped();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace abacus::support
