#include "sw/support/output_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "sw/support/descriptor_stream.hpp"
#include "sw/support/new_process.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::support {
namespace {

using Path = std::filesystem::path;

[[noreturn]] void fail(const Path& file, const std::string& what) {
  throw std::runtime_error(file.string() + ": " + what);
}

[[noreturn]] void fail(const Path& file, const std::string& what, int reason) {
  fail(file, what + ": " + std::strerror(reason));
}

// What a name leads to.
struct Target {
  enum class Kind { file, device, descriptor };
  Kind kind = Kind::file;
  Path path;            // of a file the folder's name in full; of a device as it can be opened
  int descriptor = -1;  // of our own
  std::optional<struct stat> old;  // of a file that is there
};

// Our own open descriptor that the name stands for: /proc/self/fd/1, or /dev/fd/1, which leads there.
std::optional<int> own_descriptor(const Path& name) {
  const std::string leaf = name.filename().string();
  if (leaf.empty() || leaf.size() > 9 ||
      leaf.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  std::error_code error;
  const Path own = std::filesystem::canonical("/proc/self/fd", error);
  if (error) return std::nullopt;
  const Path folder = std::filesystem::canonical(name.parent_path(), error);
  if (error || folder != own) return std::nullopt;
  return std::stoi(leaf);
}

Path folder_of(const Path& file) { return file.has_parent_path() ? file.parent_path() : Path("."); }

// A name in a folder that is there.
Path in_full(const Path& given, const Path& at) {
  std::error_code error;
  const Path folder = std::filesystem::canonical(folder_of(at), error);
  if (error) {
    fail(given, "cannot write it: there is no folder " + folder_of(at).string() + " (" +
                    error.message() + ')');
  }
  if (!std::filesystem::is_directory(folder)) {
    fail(given, "cannot write it: " + folder_of(at).string() + " is no folder");
  }
  return folder / at.filename();
}

Target find_target(const Path& given) {
  constexpr int most_links = 40;
  if (given.empty()) throw std::runtime_error("cannot write a file without a name");
  if (!given.has_filename()) fail(given, "cannot write it: a folder's name; allowed: a file's");
  Path at = given;
  for (int links = 0; links < most_links; ++links) {
    if (const std::optional<int> descriptor = own_descriptor(at)) {
      const int flags = ::fcntl(*descriptor, F_GETFL);
      if (flags < 0) fail(given, "cannot write it", errno);
      if ((flags & O_ACCMODE) == O_RDONLY) {
        fail(given, "cannot write it: the descriptor is open for reading alone");
      }
      return {Target::Kind::descriptor, at, *descriptor, std::nullopt};
    }
    struct stat status {};
    if (::lstat(at.c_str(), &status) != 0) {
      if (errno != ENOENT) fail(given, "cannot write it", errno);
      return {Target::Kind::file, in_full(given, at), -1, std::nullopt};
    }
    if (S_ISREG(status.st_mode)) return {Target::Kind::file, in_full(given, at), -1, status};
    if (S_ISDIR(status.st_mode)) fail(given, "cannot write it: it is a folder");
    if (S_ISSOCK(status.st_mode)) {
      fail(given, "cannot write it: it is a socket; allowed: a file, a device, a pipe");
    }
    if (!S_ISLNK(status.st_mode)) return {Target::Kind::device, at, -1, std::nullopt};
    std::error_code error;
    const Path next = folder_of(at) / std::filesystem::read_symlink(at, error);
    if (error) fail(given, "cannot write it: " + error.message());
    // The kernel's links in /proc lead to pipes and terminals that have no name.
    struct stat behind {};
    if (::lstat(next.c_str(), &status) != 0 && ::stat(at.c_str(), &behind) == 0 &&
        !S_ISREG(behind.st_mode) && !S_ISDIR(behind.st_mode)) {
      return {Target::Kind::device, at, -1, std::nullopt};
    }
    at = next;
  }
  fail(given, "cannot write it", ELOOP);
}

// ".abacus-" + 16 hexadecimal digits + ".partial": short, whatever the result is called.
constexpr char partial_start[] = ".abacus-";
constexpr char partial_end[] = ".partial";
constexpr std::size_t partial_digits = 16;

std::string partial_name() {
  std::random_device random;
  char digits[partial_digits + 1];
  std::snprintf(digits, sizeof digits, "%08x%08x", static_cast<unsigned>(random()),
                static_cast<unsigned>(random()));
  return std::string(partial_start) + digits + partial_end;
}

bool is_partial_name(const std::string& name) {
  const std::size_t start = std::strlen(partial_start);
  const std::size_t end = start + partial_digits;
  return name.size() == end + std::strlen(partial_end) && name.rfind(partial_start, 0) == 0 &&
         name.compare(end, std::string::npos, partial_end) == 0 &&
         name.find_first_not_of("0123456789abcdef", start) == end;
}

// Removes what killed writers left: nobody holds its lock.
void sweep(const Path& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const Path file = entries->path();
    if (!is_partial_name(file.filename().string())) continue;
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) continue;
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        lock_descriptor(descriptor) && is_same_file(file, descriptor)) {
      ::unlink(file.c_str());
    }
    ::close(descriptor);
  }
}

// A new file beside the target, removed unless it became the target.
class PartialFile {
 public:
  PartialFile(const Path& given, Path target) : given_(given), target_(std::move(target)) {
    constexpr mode_t mode = 0666;  // less what the user's mask takes away
    for (;;) {
      path_ = target_.parent_path() / partial_name();
      descriptor_ =
          ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
      if (descriptor_ < 0 && errno == EEXIST) continue;
      if (descriptor_ < 0) {
        fail(given, "cannot make a file in " + target_.parent_path().string(), errno);
      }
      // Swept before it was locked: another one.
      if (lock_descriptor(descriptor_) && is_same_file(path_, descriptor_)) return;
      ::close(descriptor_);
    }
  }
  ~PartialFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  int descriptor() const { return descriptor_; }

  void become_target(const std::optional<struct stat>& old) {
    if (old.has_value()) {
      // Another one's file stays his, where we may say so.
      static_cast<void>(::fchown(descriptor_, old->st_uid, old->st_gid) == 0);
      static_cast<void>(::fchmod(descriptor_, old->st_mode & 07777U) == 0);
    }
    // Else the name could be on the disk before the content is.
    if (::fsync(descriptor_) != 0 && errno != EINVAL) fail(given_, "cannot write it", errno);
    if (::rename(path_.c_str(), target_.c_str()) != 0) {
      fail(given_, "cannot give the finished file its name", errno);
    }
    path_.clear();
    const int folder = ::open(target_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;  // a folder that may be written and not read
    ::fsync(folder);
    ::close(folder);
  }

 private:
  Path given_;
  Path target_;
  Path path_;
  int descriptor_ = -1;
};

// An open device or FIFO.
class Device {
 public:
  // A signal does not end an open() that waits for a FIFO's reader, so we ask in turn.
  Device(const Path& given, const Path& device) {
    for (;;) {
      descriptor_ = ::open(device.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      if (descriptor_ >= 0) break;
      const int reason = errno;
      if (reason != EINTR && !(reason == ENXIO && is_fifo(device))) {
        fail(given, "cannot open it", reason);
      }
      if (stop_requested()) throw Stopped();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) & ~O_NONBLOCK);
  }
  ~Device() { ::close(descriptor_); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  static bool is_fifo(const Path& device) {
    struct stat status {};
    return ::stat(device.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
  }

  int descriptor_ = -1;
};

void write_through(const Path& given, int descriptor,
                   const std::function<void(std::ostream&)>& write) {
  DescriptorStream out(descriptor);
  write(out);
  out.flush();
  if (out.was_stopped()) throw Stopped();
  if (!out) fail(given, "cannot write it", out.reason());
}

// Throws unless write_output() could begin.
void check_target(const Path& given, const Target& target) {
  if (target.kind == Target::Kind::descriptor) return;
  if (target.kind == Target::Kind::file && !target.old.has_value()) return;
  if (::faccessat(AT_FDCWD, target.path.c_str(), W_OK, AT_EACCESS) != 0) {
    fail(given, "cannot write it", errno);
  }
  if (target.kind == Target::Kind::device) return;
  struct stat folder {};
  const uid_t user = ::geteuid();
  if (::stat(target.path.parent_path().c_str(), &folder) == 0 && (folder.st_mode & S_ISVTX) != 0 &&
      user != 0 && user != folder.st_uid && user != target.old->st_uid) {
    fail(given, "cannot replace another user's file in a folder with the sticky bit");
  }
}

}  // namespace

void write_output(const Path& file, const std::function<void(std::ostream&)>& write) {
  const Target target = find_target(file);
  check_target(file, target);
  if (target.kind == Target::Kind::file) {
    sweep(target.path.parent_path());
    PartialFile partial(file, target.path);
    write_through(file, partial.descriptor(), write);
    partial.become_target(target.old);
    return;
  }
  if (target.kind == Target::Kind::descriptor) {
    flush_streams();  // what was said before comes before
    write_through(file, target.descriptor, write);
    return;
  }
  const Device device(file, target.path);
  write_through(file, device.descriptor(), write);
}

void check_output(const Path& file) {
  const Target target = find_target(file);
  check_target(file, target);
  // Nothing but trying tells whether a file may be made there.
  if (target.kind == Target::Kind::file) PartialFile(file, target.path);
}

ReservedOutputs::ReservedOutputs(const std::vector<Path>& files, const std::vector<Path>& inputs) {
  std::vector<Path> taken;
  for (const Path& file : files) {
    check_output(file);
    const Target target = find_target(file);
    if (target.kind != Target::Kind::file) continue;
    if (std::find(taken.begin(), taken.end(), target.path) != taken.end()) {
      fail(file, "two results are to be written there; allowed: a file for each");
    }
    taken.push_back(target.path);
    for (const Path& input : inputs) {
      std::error_code ignored;
      if (std::filesystem::equivalent(input, target.path, ignored)) {
        fail(file, "is read, too; writing it would lose it; allowed: another file");
      }
    }
    const Path lock = target.path.parent_path() / ('.' + target.path.filename().string() + ".lock");
    std::optional<FileLock> held = FileLock::try_take(lock);
    if (!held) fail(file, "another process is about to write it");
    locks_.push_back(std::move(*held));
  }
}

std::vector<Path> given(const Path& file) {
  return file.empty() ? std::vector<Path>() : std::vector<Path>{file};
}

void make_output_folder(const Path& folder) {
  if (folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::error_code unreachable;
  if (!std::filesystem::is_directory(folder, unreachable)) {
    std::error_code ignored;
    const bool is_other = std::filesystem::exists(folder, ignored);
    fail(folder, is_other ? "cannot write into it: it is no folder"
                          : "cannot make the folder: " + error.message());
  }
}

}  // namespace abacus::support
