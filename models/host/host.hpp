// Host: a processor on the bus that runs native software. The software is a function; the hardware
// it sees is a HostBus (tlm/host_bus.hpp).
//
// Ports: engine().socket, to the bus; the interrupt line.
// Time: its bus accesses and waiting for the interrupt; the software's own instructions take none.
// Up to 4 bursts of 64 bytes (a cache line) are under way at once. Its traffic belongs to no layer.
#pragma once

#include <functional>
#include <systemc>

#include "models/dma/burst_engine.hpp"
#include "models/sequencer/interrupt_line.hpp"
#include "tlm/host_bus.hpp"

namespace abacus::models {

class Host : public sc_core::sc_module, public hw::HostBus {
 public:
  Host(const sc_core::sc_module_name& name, Context& context, InterruptLine& interrupt);

  BurstEngine& engine() { return engine_; }
  // Runs once, in a SystemC thread; when it returns the simulation stops (sc_stop).
  void set_software(std::function<void(hw::HostBus&)> software) { software_ = std::move(software); }

  bool read(std::uint64_t address, std::uint8_t* data, std::size_t bytes) override;
  bool write(std::uint64_t address, const std::uint8_t* data, std::size_t bytes) override;
  void wait_for_interrupt() override;

 private:
  void run();
  bool transfer(tlm::tlm_command command, std::uint64_t address, std::uint8_t* data,
                std::size_t bytes);

  Context& context_;
  InterruptLine& interrupt_;
  BurstEngine engine_;
  std::function<void(hw::HostBus&)> software_;
};

}  // namespace abacus::models
