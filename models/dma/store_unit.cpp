#include "models/dma/store_unit.hpp"

#include <string>

#include "models/dma/transfer.hpp"

namespace abacus::models {

StoreUnit::StoreUnit(const sc_core::sc_module_name& name, const hw::HardwareConfig& config,
                     Context& shared, TokenCounters& tokens, Sram& activation_sram)
    : ExecutionUnit(name, shared, tokens, config.command_queue, Unit::store),
      config_(config.store_dma),
      bus_bytes_(config.bus.bytes_per_cycle),
      activation_sram_(activation_sram),
      engine_("engine", config.store_dma, shared) {}

void StoreUnit::execute(const hw::Command& command) {
  if (command.opcode != hw::Opcode::store)
    throw CommandError("the store unit executes stores only");
  if (command.transfer.memory != hw::OnChipMemory::activation) {
    throw CommandError("store from memory " +
                       std::to_string(static_cast<int>(command.transfer.memory)) +
                       ": allowed is 0 (activation)");
  }
  const BurstTransfer transfer = transfer_of(command, activation_sram_);
  const sc_core::sc_time start = sc_core::sc_time_stamp();
  const bool ok = engine_.run(transfer);
  if (context().timed()) {
    for (const TransferAccount::Interval& interval : engine_.spent()) {
      spend(interval.cause, interval.time);
    }
  }
  if (!ok) {
    throw CommandError("store to DRAM address " + std::to_string(transfer.address) +
                       ": the bus answered with an error");
  }
  if (!context().timed()) return;
  const std::int64_t beats = data_beats(transfer, config_.burst_bytes, bus_bytes_);
  add_stalled(sc_core::sc_time_stamp() - start - context().cycles(static_cast<double>(beats)));
  context().activity.count(transfer.layer, Component::dma, Action::register_write, beats,
                           bus_bytes_ * 8);
  context().activity.count(transfer.layer, Component::dma, Action::register_read, beats,
                           bus_bytes_ * 8);
  activation_sram_.count_reads(transfer.layer, sram_accesses(transfer));
}

}  // namespace abacus::models
