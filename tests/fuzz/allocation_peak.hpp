// How much of the heap the program of a test holds. Linked into it, replaces the global operators new and delete.
#pragma once

#include <cstddef>

namespace abacus::test {

// The most that was held at once since construction, in bytes beyond what was held then.
class AllocationPeak {
 public:
  AllocationPeak();
  std::size_t bytes() const;

 private:
  std::size_t held_at_start_;
};

}  // namespace abacus::test
