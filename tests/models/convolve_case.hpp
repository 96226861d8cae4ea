// Random convolve commands with the memories' contents that go with them, and what
// docs/arithmetic.md says they compute, in plain loops that share no code with the kernels.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

struct Memories {
  std::vector<std::uint8_t> activation, weight, parameter;
};

struct ConvolveCase {
  hw::ConvolveFields fields{};
  Memories memories;
  // Whole tensors, height × width × channel; only the tile's rows stand in `memories`.
  std::vector<int> input;
  std::vector<int> residual;  // of the tile
  std::vector<int> weights;   // column, ky, kx, channel
  std::vector<hw::ScaleRecord> records;
};

// A value of `bits` bits, sign or not.
int random_value(std::mt19937& random, int bits, bool is_signed);

// A command that `hardware` can execute, with `memories` of its sizes, random all over.
ConvolveCase random_case(std::mt19937& random, const hw::HardwareConfig& hardware, bool edge_array);

// Writes the case's tensors, weights and records to its memories, at the addresses of its fields.
void fill_memories(ConvolveCase& c);

struct Expected {
  std::vector<std::uint8_t> activation;  // the activation SRAM afterwards
  std::int64_t saturations = 0;
};
Expected expected(const ConvolveCase& c, const hw::PeArrayConfig& array);

}  // namespace abacus::models
