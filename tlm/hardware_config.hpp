// The accelerator's parameters: what the scenario sets, the scheduler plans for and the models take
// at construction. Defaults are the preset "edge-16x16". hardware_fields.hpp has a row for each: key,
// unit, allowed values, meaning.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tlm/dram_config.hpp"
#include "tlm/element_table.hpp"
#include "tlm/tap_kinds.hpp"

namespace abacus::hw {

enum class TimingLevel {
  functional,  // loosely timed, direct memory access: results only
  approximate  // tile-level timing with bus, DRAM and port contention
};

// Lookup table of `post` lanes (models/post_lut): |a|·2^(−n/2) for odd n.
struct PostTableConfig {
  int exponents = 4;  // odd n: 1, 3, … 2·exponents − 1
  int fraction_bits = 8;
  int ports = 1;
  int lanes = 1;
};

// Exponents that weights of so many magnitudes, 2^(−n/2) for n = 0 … levels − 1, need entries for: odd n.
constexpr int post_table_exponents(int levels) { return levels / 2; }

struct PeArrayConfig {
  ProcessingElementKind kind = "adder";
  int rows = 16;
  int columns = 16;
  int weight_bits = 8;
  int activation_bits = 8;
  int accumulator_bits = 24;
  int weights_per_pe = 64;  // a tile whose kernel² × input-channel tiles do not fit streams its
                            // weights every position
  int scale_lanes = 4;
  int fraction_bits = 8;
  PostTableConfig table;
  std::string dataflow = "output-stationary";
  // Of `table` lanes, which take operands of its widths and signs alone; a run's `element`.
  std::shared_ptr<const ElementTable> element = nullptr;
  bool zero_gating = false;
  int accumulators = 1;  // of a column: outputs that a weight serves one after the other
  int read_lanes = 1;    // at least `rows`

  // Elements that the read quantizer narrows a cycle.
  int read_width() const { return rows > read_lanes ? rows : read_lanes; }
};

struct SramConfig {
  std::uint32_t bytes = 128 * 1024;
  int banks = 4;
  int port_bytes = 32;
  int latency_cycles = 1;
};

struct DmaConfig {
  int burst_bytes = 256;
  int outstanding = 4;
};

struct BusConfig {
  int bytes_per_cycle = 8;
  int arbitration_cycles = 1;
  int response_cycles = 1;
};

struct VectorUnitConfig {
  int lanes = 16;
};

struct StepAdapterConfig {
  int channels = 512;
  int hidden = 128;
  int lanes = 4;
  int registers = 4;
};

struct HardwareConfig {
  std::string name = "edge-16x16";
  double clock_mhz = 400.0;
  PeArrayConfig array{"adder",          16,      16,    8,  8, 24, 64, 16, 8, {},
                      "packed-windows", nullptr, false, 16, 48};
  PeArrayConfig edge_array{"mac", 4, 16, 8, 8, 24, 1024, 4, 8, {}, "packed-windows"};
  SramConfig activation_sram{128 * 1024, 4, 32, 1};
  SramConfig weight_sram{64 * 1024, 2, 64, 1};
  SramConfig parameter_sram{8 * 1024, 1, 16, 1};
  DmaConfig load_dma;
  DmaConfig store_dma;
  BusConfig bus;
  DramConfig dram;
  VectorUnitConfig vector_unit;
  StepAdapterConfig step_adapter;
  int command_queue = 8;
};

}  // namespace abacus::hw
