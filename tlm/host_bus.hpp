// All that software sees of the hardware. The driver is written against this and nothing else, so
// that the same source can run as firmware; the host model implements it with TLM transactions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace abacus::hw {

class HostBus {
 public:
  virtual ~HostBus() = default;
  // Both return false where the bus answers with an error.
  virtual bool read(std::uint64_t address, std::uint8_t* data, std::size_t bytes) = 0;
  virtual bool write(std::uint64_t address, const std::uint8_t* data, std::size_t bytes) = 0;
  virtual void wait_for_interrupt() = 0;
};

}  // namespace abacus::hw
