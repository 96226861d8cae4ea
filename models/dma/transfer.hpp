// What load and store units have in common: the meaning of a command's transfer fields.
#pragma once

#include "models/dma/burst_engine.hpp"
#include "models/memory/sram.hpp"
#include "tlm/command.hpp"

namespace abacus::models {

// The command's transfer between DRAM and `sram`. Throws CommandError where a row is empty or the
// on-chip side does not fit in the memory; the DRAM side is for the bus to check.
BurstTransfer transfer_of(const hw::Command& command, Sram& sram);

// Accesses of the on-chip side that the transfer is counted as: bytes that stand together there share them.
std::int64_t sram_accesses(const BurstTransfer& transfer);

// Clock cycles that the data beats of the transfer take on the bus when nothing is in the way.
std::int64_t data_beats(const BurstTransfer& transfer, int burst_bytes, int bus_bytes);

}  // namespace abacus::models
