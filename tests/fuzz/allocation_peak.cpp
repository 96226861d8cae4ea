#include "tests/fuzz/allocation_peak.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace abacus::test {
namespace {

std::atomic<std::size_t> held{0};
std::atomic<std::size_t> most{0};

}  // namespace

AllocationPeak::AllocationPeak() : held_at_start_(held.load()) { most = held_at_start_; }

std::size_t AllocationPeak::bytes() const { return most - std::min(most.load(), held_at_start_); }

// Null where there is no memory.
void* allocate(std::size_t size) noexcept {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) return nullptr;
  const std::size_t now = held += ::malloc_usable_size(memory);
  if (now > most) most = now;  // tests have one thread
  return memory;
}

void* allocate_or_throw(std::size_t size) {
  void* const memory = allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void release(void* memory) {
  if (memory == nullptr) return;
  held -= ::malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace abacus::test

// All forms but those of stricter alignment, that one form's memory never meets another's delete.
void* operator new(std::size_t size) { return abacus::test::allocate_or_throw(size); }
void* operator new[](std::size_t size) { return abacus::test::allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return abacus::test::allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return abacus::test::allocate(size);
}
void operator delete(void* memory) noexcept { abacus::test::release(memory); }
void operator delete[](void* memory) noexcept { abacus::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { abacus::test::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { abacus::test::release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  abacus::test::release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  abacus::test::release(memory);
}
