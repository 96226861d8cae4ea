// What a compute command takes of time and of the SRAMs' ports; without SystemC, so that a replay of a
// program (sw/schedule) counts as the compute unit does.
//
// A command goes through phases, one after the other. A phase lasts until it has worked for its cycles and
// the SRAMs have served its accesses, which both begin with it, and then for its latency.
#pragma once

#include <array>
#include <cstdint>

#include "models/read_quantizer/kernels.hpp"
#include "tlm/array_tile.hpp"
#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

struct ComputePhase {
  std::int64_t cycles = 0;
  // Of them:
  std::int64_t fill = 0;   // weights and parameters go to where they are used
  std::int64_t table = 0;  // the array waits for ports of its lookup tables
  std::int64_t scale = 0;  // the scale unit needs longer than the array
  std::int64_t work() const { return cycles - fill - table - scale; }
  std::int64_t latency = 0;
  // Accesses of a port.
  std::int64_t activation_reads = 0;
  std::int64_t activation_writes = 0;
  std::int64_t weight_reads = 0;
  std::int64_t parameter_reads = 0;
};

struct ComputeTime {
  std::array<ComputePhase, 2> phases;
  int count = 1;
  std::int64_t undisturbed = 0;  // cycles where no access waits
  std::int64_t operands = 0;     // elements that pass the read quantizer
};

// Of the step adapter's time.
inline constexpr int adapter_passes_of_mean =
    4;  // bytes of a sum, each times the 16-bit multiplier
inline constexpr int adapter_divider_cycles = 28;
inline constexpr int adapter_pipeline_cycles = 4;
std::int64_t adapter_cycles(const hw::AdaptFields& fields, const hw::StepAdapterConfig& config);

hw::ArrayTile array_tile(const hw::ConvolveFields& fields);

// adapted: its multiplier is a step register's.
ReadFormat read_format(const hw::ConvolveFields& fields, bool adapted);

// table_waits: cycles that the array waits at each output position for ports of its lookup tables, which
// depends on the weights.
ComputeTime compute_time(const hw::ConvolveFields& fields, const hw::HardwareConfig& hardware,
                         std::int64_t table_waits);
ComputeTime compute_time(const hw::AdaptFields& fields, const hw::HardwareConfig& hardware);
// add, pool
ComputeTime compute_time(const hw::VectorFields& fields, bool pools,
                         const hw::HardwareConfig& hardware);
// Of any compute command; no cycles for lookup tables.
ComputeTime compute_time(const hw::Command& command, const hw::HardwareConfig& hardware);

}  // namespace abacus::models
