#include "models/dma/transfer.hpp"

#include <algorithm>
#include <string>

#include "models/execution/execution_unit.hpp"

namespace abacus::models {

namespace {

hw::TensorPurpose purpose_of(const hw::Command& command) {
  if (command.opcode == hw::Opcode::store) return hw::TensorPurpose::output;
  switch (command.transfer.memory) {
    case hw::OnChipMemory::weight:
      return hw::TensorPurpose::weights;
    case hw::OnChipMemory::parameter:
      return hw::TensorPurpose::parameters;
    case hw::OnChipMemory::activation:
      break;
  }
  return command.transfer.residual != 0 ? hw::TensorPurpose::residual : hw::TensorPurpose::input;
}

}  // namespace

BurstTransfer transfer_of(const hw::Command& command, Sram& sram) {
  const hw::TransferFields& fields = command.transfer;
  if (fields.rows == 0 || fields.row_bytes == 0) {
    throw CommandError("transfer of " + std::to_string(fields.rows) + " rows of " +
                       std::to_string(fields.row_bytes) + " bytes: both must be at least 1");
  }
  const std::uint64_t end = fields.onchip_address +
                            std::uint64_t{fields.rows - 1} * fields.onchip_stride +
                            fields.row_bytes;
  if (end > sram.size()) {
    throw CommandError("transfer up to on-chip address " + std::to_string(end) + ": " +
                       to_string(sram.component()) + " has " + std::to_string(sram.size()) +
                       " bytes");
  }
  BurstTransfer transfer;
  transfer.command =
      command.opcode == hw::Opcode::store ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND;
  transfer.address = fields.dram_address;
  transfer.row_bytes = fields.row_bytes;
  transfer.rows = fields.rows;
  transfer.stride = fields.dram_stride;
  transfer.local = sram.data() + fields.onchip_address;
  transfer.local_stride = fields.onchip_stride;
  transfer.sram = &sram;
  transfer.layer = layer_of(command);
  transfer.purpose = purpose_of(command);
  return transfer;
}

std::int64_t sram_accesses(const BurstTransfer& transfer) {
  const bool gapless = transfer.rows == 1 || transfer.local_stride == transfer.row_bytes;
  if (gapless) return transfer.sram->accesses(transfer.rows * transfer.row_bytes);
  return transfer.sram->accesses(transfer.row_bytes) * static_cast<std::int64_t>(transfer.rows);
}

std::int64_t data_beats(const BurstTransfer& transfer, int burst_bytes, int bus_bytes) {
  const auto burst = static_cast<std::uint64_t>(burst_bytes);
  const auto width = static_cast<std::uint64_t>(bus_bytes);
  const bool gapless = transfer.rows == 1 || transfer.stride == transfer.row_bytes;
  const std::uint64_t runs = gapless ? 1 : transfer.rows;
  const std::uint64_t run_bytes = transfer.row_bytes * (gapless ? transfer.rows : 1);
  // Beats of [address, address + run_bytes), cut at multiples of `burst`; where the width divides
  // the burst, a cut falls between two beats and costs nothing.
  std::uint64_t beats = 0;
  for (std::uint64_t run = 0; run < runs; ++run) {
    std::uint64_t address = transfer.address + run * transfer.stride;
    const std::uint64_t end = address + run_bytes;
    if (burst % width == 0) {
      beats += (end - 1) / width - address / width + 1;
      continue;
    }
    while (address < end) {
      const std::uint64_t part_end = std::min(end, (address / burst + 1) * burst);
      beats += (part_end - 1) / width - address / width + 1;
      address = part_end;
    }
  }
  return static_cast<std::int64_t>(beats);
}

}  // namespace abacus::models
