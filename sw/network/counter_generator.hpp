// Random numbers as a function of a key: no state to save, any draw can be made on its own.
#pragma once

#include <cstdint>

namespace abacus::network {

// SplitMix64's output function (Steele, Lea, Flood, OOPSLA 2014, with Stafford's mixing constants).
constexpr std::uint64_t mix64(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

// The stream of draws that belongs to (seed, epoch, item, purpose).
class CounterGenerator {
 public:
  CounterGenerator(std::uint64_t seed, std::uint64_t epoch, std::uint64_t item,
                   std::uint64_t purpose)
      : key_(mix64(mix64(mix64(mix64(seed) ^ epoch) ^ item) ^ purpose)) {}

  // Uniform in [0, bound), bound ≥ 1 and small against 2^64.
  std::uint64_t below(std::uint64_t bound) { return mix64(key_ ^ counter_++) % bound; }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace abacus::network
