// Store unit: copies results from the activation SRAM into DRAM (Opcode::store).
//
// Ports: engine().socket, to the bus.
// Parameters (DmaConfig): burst_bytes, outstanding.
// Queue depth: HardwareConfig::command_queue.
// Time: see burst_engine.hpp; one command at a time. Stalled is what a command takes beyond its
// data beats on the bus.
// Counts: bus-wide register writes and reads of the burst buffer (dma), accesses of the memory
// read.
// Malformed: an empty row, a memory other than activation, an address past its end or off the bus.
#pragma once

#include "models/dma/burst_engine.hpp"
#include "models/execution/execution_unit.hpp"
#include "models/memory/sram.hpp"

namespace abacus::models {

class StoreUnit : public ExecutionUnit {
 public:
  StoreUnit(const sc_core::sc_module_name& name, const hw::HardwareConfig& config, Context& context,
            TokenCounters& tokens, Sram& activation_sram);

  BurstEngine& engine() { return engine_; }

 private:
  void execute(const hw::Command& command) override;
  Unit unit_of(const hw::Command&) const override { return Unit::store; }

  hw::DmaConfig config_;
  int bus_bytes_;
  Sram& activation_sram_;
  BurstEngine engine_;
};

}  // namespace abacus::models
