#include "models/dma/load_unit.hpp"

#include <string>

#include "models/dma/transfer.hpp"

namespace abacus::models {

LoadUnit::LoadUnit(const sc_core::sc_module_name& name, const hw::HardwareConfig& config,
                   Context& shared, TokenCounters& tokens, Sram& activation_sram, Sram& weight_sram,
                   Sram& parameter_sram)
    : ExecutionUnit(name, shared, tokens, config.command_queue, Unit::load),
      config_(config.load_dma),
      bus_bytes_(config.bus.bytes_per_cycle),
      activation_sram_(activation_sram),
      weight_sram_(weight_sram),
      parameter_sram_(parameter_sram),
      engine_("engine", config.load_dma, shared) {}

Sram& LoadUnit::memory_of(const hw::Command& command) {
  switch (command.transfer.memory) {
    case hw::OnChipMemory::activation:
      return activation_sram_;
    case hw::OnChipMemory::weight:
      return weight_sram_;
    case hw::OnChipMemory::parameter:
      return parameter_sram_;
  }
  throw CommandError("load into memory " +
                     std::to_string(static_cast<int>(command.transfer.memory)) +
                     ": allowed are 0 (activation), 1 (weight), 2 (parameter)");
}

void LoadUnit::execute(const hw::Command& command) {
  if (command.opcode != hw::Opcode::load) throw CommandError("the load unit executes loads only");
  const BurstTransfer transfer = transfer_of(command, memory_of(command));
  const sc_core::sc_time start = sc_core::sc_time_stamp();
  const bool ok = engine_.run(transfer);
  if (context().timed()) {
    for (const TransferAccount::Interval& interval : engine_.spent()) {
      spend(interval.cause, interval.time);
    }
  }
  if (!ok) {
    throw CommandError("load from DRAM address " + std::to_string(transfer.address) +
                       ": the bus answered with an error");
  }
  if (!context().timed()) return;
  const std::int64_t beats = data_beats(transfer, config_.burst_bytes, bus_bytes_);
  add_stalled(sc_core::sc_time_stamp() - start - context().cycles(static_cast<double>(beats)));
  context().activity.count(transfer.layer, Component::dma, Action::register_write, beats,
                           bus_bytes_ * 8);
  context().activity.count(transfer.layer, Component::dma, Action::register_read, beats,
                           bus_bytes_ * 8);
  transfer.sram->count_writes(transfer.layer, sram_accesses(transfer));
}

}  // namespace abacus::models
