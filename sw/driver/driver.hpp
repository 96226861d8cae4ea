// Runs a program on the accelerator. Firmware-ready: sees the hardware through HostBus alone, takes no
// memory from the heap, throws nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tlm/host_bus.hpp"

namespace abacus::driver {

enum class DriverStatus { ok, no_accelerator, bus_error, command_error, busy };
const char* to_string(DriverStatus status);

// What the driver needs to know of a program (sw/schedule/program.hpp holds the owner of the bytes).
struct ProgramView {
  std::uint64_t image_address;
  const std::uint8_t* image;
  std::size_t image_bytes;
  std::uint64_t command_address;
  std::uint32_t command_words;
  std::uint64_t input_address;
  std::size_t input_bytes;
  std::uint64_t scores_address;
  std::size_t scores_bytes;
};

struct RunStatistics {
  std::uint64_t cycles;  // doorbell to interrupt, by the accelerator's counter
  std::uint64_t saturations;
  std::uint32_t error_command;  // index, where the status is command_error
};

class Driver {
 public:
  explicit Driver(hw::HostBus& bus) : bus_(bus) {}

  // Checks the identification register and copies the program into DRAM.
  DriverStatus load(const ProgramView& program);
  // Writes the image tensor, rings the doorbell, waits for the interrupt, reads the scores.
  DriverStatus run(const std::uint8_t* input, std::uint8_t* scores, RunStatistics& statistics);

 private:
  hw::HostBus& bus_;
  ProgramView program_{};
};

}  // namespace abacus::driver
