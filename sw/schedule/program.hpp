// What the scheduler makes of an integer network and a hardware description: bytes for the DRAM and
// the addresses that the driver and the checks need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/output_tile.hpp"
#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

// A tensor's place in DRAM: height, width, channel order, without gaps.
struct TensorPlace {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

struct LayerPlan {
  std::string name;
  std::int64_t taps =
      0;  // counted once a network tap, however often groups stream it; 0 for pools, add
  int output_tiles = 0;  // spatial tiles × output-channel tiles
  int groups = 1;
  bool weights_resident = true;  // all of the layer's weights fit in the weight SRAM at once
  bool edge = false;
};

struct Program {
  std::uint64_t image_address = 0;       // of `dram_image` in DRAM
  std::vector<std::uint8_t> dram_image;  // packed weights, scale records, adapters, commands
  std::uint64_t command_address = 0;     // of the command stream (tlm/command_stream.hpp)
  std::uint32_t command_words = 0;
  TensorPlace input;   // the quantized image
  TensorPlace scores;  // the last layer's output
  // Layers' outputs, where DRAM has room for them: those that do not stay on chip for as long as they
  // are needed, and the scores. Tensors do not share DRAM.
  std::vector<std::optional<TensorPlace>> outputs;
  std::vector<OutputTile> tiles;  // a compute command's each, in the program's order
  std::vector<LayerPlan> layers;
  std::uint64_t dram_bytes = 0;  // highest address used
};

// The commands that stand in its image.
std::vector<hw::Command> commands_of(const Program& program);

// Throws std::runtime_error naming the layer, what it needs and what the hardware has, where a
// layer does not fit: wrong kind of processing element, operand too wide for its lanes, or an SRAM
// too small even for the smallest tile (one output row, one tile of output channels).
Program schedule(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware);

}  // namespace abacus::schedule
