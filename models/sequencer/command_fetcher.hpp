// Reads a program's commands from DRAM ahead of their use: two buffers of a few commands, one in
// use, the other being filled.
//
// Ports: engine().socket, to the bus.
// Time: bus reads, as many at once as its burst engine allows; next() waits where the commands are
// not there yet.
#pragma once

#include <array>
#include <cstdint>
#include <systemc>

#include "models/dma/burst_engine.hpp"
#include "tlm/command.hpp"

namespace abacus::models {

class CommandFetcher : public sc_core::sc_module {
 public:
  CommandFetcher(const sc_core::sc_module_name& name, const hw::DmaConfig& config,
                 Context& context);

  BurstEngine& engine() { return engine_; }

  // Begins to fetch the `count` commands that stand at `address`.
  void begin(std::uint64_t address, std::uint32_t count);
  // The next command, or null where the bus answered with an error. Called `count` times at most,
  // from an SC_THREAD. Valid until the call after the next.
  const hw::Command* next();
  // Waits until nothing is under way any more.
  void end();

 private:
  static constexpr std::uint32_t commands_per_buffer = 4;
  using Buffer = std::array<hw::Command, commands_per_buffer>;
  void fetch();

  BurstEngine engine_;
  std::array<Buffer, 2> buffers_{};
  std::uint64_t address_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t requested_ = 0;
  std::uint32_t used_ = 0;
};

}  // namespace abacus::models
