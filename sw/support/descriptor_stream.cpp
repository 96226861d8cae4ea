#include "sw/support/descriptor_stream.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

#include "sw/support/stop_request.hpp"

namespace abacus::support {
namespace {

// write() without SIGPIPE: a reader that went away is an error like others.
ssize_t write_without_signal(int descriptor, const char* bytes, std::size_t count) {
  sigset_t pipe_signal;
  sigset_t before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t written = ::write(descriptor, bytes, count);
  const int reason = errno;
  if (written < 0 && reason == EPIPE && sigismember(&before, SIGPIPE) == 0) {
    const timespec now = {0, 0};
    ::sigtimedwait(&pipe_signal, nullptr, &now);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = reason;
  return written;
}

}  // namespace

DescriptorBuffer::DescriptorBuffer(int descriptor) : descriptor_(descriptor) {
  struct stat status {};
  may_wait_ = ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode);
  setp(bytes_.data(), bytes_.data() + bytes_.size());
}

DescriptorBuffer::int_type DescriptorBuffer::overflow(int_type next) {
  if (!write_all()) return traits_type::eof();
  if (!traits_type::eq_int_type(next, traits_type::eof())) {
    *pptr() = traits_type::to_char_type(next);
    pbump(1);
  }
  return traits_type::not_eof(next);
}

int DescriptorBuffer::sync() { return write_all() ? 0 : -1; }

// Our signal handlers restart a write that waits.
bool DescriptorBuffer::wait_for_room() {
  pollfd polled = {descriptor_, POLLOUT, 0};
  while (::poll(&polled, 1, 200) <= 0) {
    if (!stop_requested()) continue;
    stopped_ = true;
    return false;
  }
  return true;
}

bool DescriptorBuffer::write_all() {
  const char* at = pbase();
  while (at < pptr()) {
    auto count = static_cast<std::size_t>(pptr() - at);
    if (may_wait_) {
      // A pipe that has room has room for so much.
      count = std::min<std::size_t>(count, PIPE_BUF);
      if (!wait_for_room()) return false;
    }
    const ssize_t written = write_without_signal(descriptor_, at, count);
    if (written < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      reason_ = errno;
      return false;
    }
    at += written;
  }
  setp(bytes_.data(), bytes_.data() + bytes_.size());
  return true;
}

int DescriptorStream::reason() const { return buffer_.reason() == 0 ? EIO : buffer_.reason(); }

}  // namespace abacus::support
