#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/schedule/address_space.hpp"
#include "sw/schedule/emitter.hpp"
#include "sw/schedule/hardware_check.hpp"
#include "sw/schedule/plan.hpp"
#include "sw/schedule/program.hpp"
#include "tlm/address_map.hpp"
#include "tlm/command_stream.hpp"

namespace abacus::schedule {
namespace {

// The first page stays empty, so that address 0 never is anything's place.
constexpr std::uint64_t first_address = 0x1000;

static_assert(hw::address_map::dram_base == 0, "addresses in commands are offsets into DRAM");

class Scheduler {
 public:
  Scheduler(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware)
      : network_(network), hardware_(hardware), plan_(make_plan(network, hardware)) {}

  Program run() {
    place_everything();
    write_image();
    describe_layers();
    return std::move(program_);
  }

 private:
  // Tensors, then the image, whose last part are the commands: their length depends on all addresses.
  void place_everything() {
    RegionAllocator memory(first_address);
    const auto place = [&](const network::StoredTensor& tensor) {
      const std::uint64_t bytes = static_cast<std::uint64_t>(tensor.bytes());
      return TensorPlace{memory.take(bytes), bytes};
    };
    map_.input = place(network_.image);
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      map_.outputs.emplace_back();
      if (plan_.placement.in_dram[index_of_tensor(static_cast<int>(i))]) {
        map_.outputs.back() = place(network_.layers[i].output);
      }
    }
    program_.input = map_.input;
    program_.outputs = map_.outputs;
    program_.scores = map_.outputs.back().value();

    program_.image_address = memory.take(0);
    map_.layers.resize(network_.layers.size());
    for_each_column([&](std::size_t layer, const ColumnTile& tile) {
      map_.layers[layer].weights.push_back(memory.take(
          packed_weight_bytes(network_.layers[layer], input_channels(layer), tile.columns()),
          tile_alignment));
    });
    for_each_column([&](std::size_t layer, const ColumnTile& tile) {
      map_.layers[layer].parameters.push_back(memory.take(
          static_cast<std::uint64_t>(tile.columns()) * sizeof(hw::ScaleRecord), tile_alignment));
    });
    for (std::size_t layer = 0; layer < network_.layers.size(); ++layer) {
      if (!network_.layers[layer].adapter) continue;
      map_.layers[layer].adapter = memory.take(adapter_bytes(*network_.layers[layer].adapter));
    }
    Emission emission = emit_commands(network_, hardware_, plan_, map_);
    program_.tiles = std::move(emission.tiles);
    commands_ = hw::encode_commands(emission.commands);
    program_.command_words = static_cast<std::uint32_t>(commands_.size());
    program_.command_address = memory.take(commands_.size() * sizeof(std::uint32_t));
    program_.dram_image.resize(memory.end() - program_.image_address);
    program_.dram_bytes = memory.end();
    const std::uint64_t capacity =
        std::min<std::uint64_t>(hardware_.dram.bytes, hw::address_map::dram_limit);
    if (program_.dram_bytes > capacity) {
      throw std::runtime_error("the program with its tensors needs " +
                               std::to_string(program_.dram_bytes) + " bytes of DRAM; " +
                               hardware_.dram.device + " has " + std::to_string(capacity));
    }
  }

  void write_image() {
    write(program_.command_address, commands_.data(), commands_.size() * sizeof(std::uint32_t));
    std::vector<std::size_t> next(network_.layers.size(), 0);
    for_each_column([&](std::size_t layer, const ColumnTile& tile) {
      const std::size_t column = next[layer]++;
      const std::vector<std::uint8_t> weights =
          pack_weights(network_.layers[layer], input_channels(layer), tile);
      write(map_.layers[layer].weights[column], weights.data(), weights.size());
      const std::vector<hw::ScaleRecord> records =
          scale_records(network_.layers[layer], tile, plan_.placement.tilings[layer].compact());
      write(map_.layers[layer].parameters[column], records.data(),
            records.size() * sizeof(hw::ScaleRecord));
    });
    for (std::size_t layer = 0; layer < network_.layers.size(); ++layer) {
      if (!network_.layers[layer].adapter) continue;
      const std::vector<std::uint8_t> bytes = pack_adapter(*network_.layers[layer].adapter);
      write(map_.layers[layer].adapter, bytes.data(), bytes.size());
    }
  }

  void describe_layers() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const network::IntegerLayer& layer = network_.layers[i];
      const LayerTiling& tiling = plan_.placement.tilings[i];
      LayerPlan description;
      description.name = layer.name;
      description.output_tiles =
          static_cast<int>(tiling.spatial.size() * std::max<std::size_t>(1, tiling.columns.size()));
      description.edge = layer.edge;
      if (layer.kind == network::IntegerLayerKind::convolution) {
        description.taps = layer.output.shape.elements() * layer.seen_channels(input_channels(i)) *
                           layer.kernel * layer.kernel;
        description.groups = static_cast<int>(layer.read_quantizers.size());
        description.weights_resident = tiling.weights_resident;
      }
      program_.layers.push_back(description);
    }
  }

  int input_channels(std::size_t layer) const {
    return network_.tensor(network_.layers[layer].input).shape.channels;
  }

  template <typename Visit>
  void for_each_column(const Visit& visit) const {
    for (std::size_t layer = 0; layer < plan_.placement.tilings.size(); ++layer) {
      for (const ColumnTile& tile : plan_.placement.tilings[layer].columns) visit(layer, tile);
    }
  }

  void write(std::uint64_t address, const void* data, std::size_t bytes) {
    std::memcpy(program_.dram_image.data() + (address - program_.image_address), data, bytes);
  }

  const network::IntegerNetwork& network_;
  const hw::HardwareConfig& hardware_;
  Plan plan_;
  MemoryMap map_;
  std::vector<std::uint32_t> commands_;
  Program program_;
};

}  // namespace

std::vector<hw::Command> commands_of(const Program& program) {
  std::vector<std::uint32_t> words(program.command_words);
  std::memcpy(words.data(),
              program.dram_image.data() + (program.command_address - program.image_address),
              words.size() * sizeof(std::uint32_t));
  return hw::decode_commands(words);
}

Program schedule(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware) {
  network::validate(network, "integer network");
  check_hardware(network, hardware);
  return Scheduler(network, hardware).run();
}

}  // namespace abacus::schedule
