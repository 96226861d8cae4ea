// An output stream on an open descriptor that keeps the reason of an error and hears stop requests.
#pragma once

#include <array>
#include <cstddef>
#include <ostream>
#include <streambuf>

namespace abacus::support {

class DescriptorBuffer : public std::streambuf {
 public:
  // `descriptor` stays the caller's.
  explicit DescriptorBuffer(int descriptor);

  int reason() const { return reason_; }
  bool was_stopped() const { return stopped_; }

 protected:
  int_type overflow(int_type next) override;
  int sync() override;

 private:
  bool write_all();
  bool wait_for_room();

  int descriptor_;
  bool may_wait_;  // not a file
  int reason_ = 0;
  bool stopped_ = false;
  std::array<char, std::size_t{1} << 16> bytes_;
};

// What is not flushed when it is destroyed is not written.
class DescriptorStream : public std::ostream {
 public:
  explicit DescriptorStream(int descriptor) : std::ostream(nullptr), buffer_(descriptor) {
    rdbuf(&buffer_);
  }
  // errno of what went wrong, EIO where it was not a write.
  int reason() const;
  // We were asked to stop (stop_request.hpp) while a pipe's reader did not go on.
  bool was_stopped() const { return buffer_.was_stopped(); }

 private:
  DescriptorBuffer buffer_;
};

}  // namespace abacus::support
