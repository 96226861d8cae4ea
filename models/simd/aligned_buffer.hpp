// Scratch memory of the kernels: aligned to a cache line, grown once and then reused.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace abacus::models {

template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivial_v<T>);

 public:
  static constexpr std::size_t alignment = 64;

  // At least `elements` elements, contents undefined after growth. One cache line more is
  // allocated, so that a kernel may read or write a full vector at the last element.
  T* reserve(std::size_t elements) {
    if (elements > capacity_) {
      const std::size_t bytes = elements * sizeof(T) + alignment;
      data_.reset(static_cast<T*>(::operator new (bytes, std::align_val_t{alignment})));
      capacity_ = elements;
    }
    return data_.get();
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{alignment}); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t capacity_ = 0;
};

}  // namespace abacus::models
