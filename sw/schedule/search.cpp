#include "sw/schedule/search.hpp"

#include <algorithm>
#include <boost/functional/hash.hpp>
#include <cstddef>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/schedule/address_space.hpp"
#include "sw/schedule/emitter.hpp"
#include "sw/schedule/plan.hpp"
#include "sw/schedule/program.hpp"
#include "sw/schedule/replay.hpp"
#include "sw/schedule/variants.hpp"
#include "tlm/address_map.hpp"
#include "tlm/command_stream.hpp"

namespace abacus::schedule {
namespace {

// The first page stays empty, so that address 0 never is anything's place.
constexpr std::uint64_t first_address = 0x1000;

static_assert(hw::address_map::dram_base == 0, "addresses in commands are offsets into DRAM");

// What a program costs.
struct Cost {
  std::int64_t cycles = 0;
  std::int64_t bytes = 0;  // to and from DRAM
};

// A program, but for its weights.
class Draft {
 public:
  Draft(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
        const PlanVariant& variant)
      : network_(network),
        hardware_(hardware),
        plan_(make_plan(network, variant.hardware, variant.time_tolerance)) {
    place_everything();
  }

  bool same_as(const Draft& other) const { return hash_ == other.hash_ && words_ == other.words_; }

  // About how much a replay has to do.
  std::int64_t events() const {
    std::int64_t events = static_cast<std::int64_t>(commands_.size()) + command_bytes() / burst();
    for (const hw::Command& command : commands_) {
      if (!moves(command)) continue;
      const hw::TransferFields& f = command.transfer;
      events += std::int64_t{f.rows} * (f.row_bytes / burst() + 1);
    }
    return events;
  }

  Cost cost(std::int64_t at_most) const {
    Cost cost{replay(commands_, program_.command_address, hardware_, at_most), command_bytes()};
    for (const hw::Command& command : commands_) {
      if (!moves(command)) continue;
      cost.bytes += std::int64_t{command.transfer.rows} * command.transfer.row_bytes;
    }
    return cost;
  }

  const Placement& placement() const { return plan_.placement; }

  Program program() && {
    write_image();
    describe_layers();
    return std::move(program_);
  }

 private:
  static bool moves(const hw::Command& command) {
    return command.opcode == hw::Opcode::load || command.opcode == hw::Opcode::store;
  }
  std::int64_t burst() const { return hardware_.load_dma.burst_bytes; }
  std::int64_t command_bytes() const {
    return static_cast<std::int64_t>(words_.size() * sizeof(std::uint32_t));
  }

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
    commands_ = std::move(emission.commands);
    words_ = hw::encode_commands(commands_);
    hash_ = boost::hash_range(words_.begin(), words_.end());
    program_.command_words = static_cast<std::uint32_t>(words_.size());
    program_.command_address = memory.take(words_.size() * sizeof(std::uint32_t));
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
    program_.dram_image.resize(program_.dram_bytes - program_.image_address);
    write(program_.command_address, words_.data(), words_.size() * sizeof(std::uint32_t));
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
  std::vector<hw::Command> commands_;
  std::vector<std::uint32_t> words_;  // of the commands, as they stand in DRAM
  std::size_t hash_ = 0;              // of words_
  Program program_;
};

// The fastest of the programs planned for what there is or less, as a replay finds; of those hardly slower,
// the one that moves the fewest bytes. From the fastest so far it goes on to those planned for half of
// something.
class Search {
 public:
  Search(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware)
      : network_(network), hardware_(hardware), most_(most_plan_steps(hardware)) {}

  Draft run() {
    found_.push_back(Found{Draft(network_, hardware_, plan_variant(hardware_, {})), {}});
    found_.front().cost = found_.front().draft.cost(std::numeric_limits<std::int64_t>::max());
    least_ = found_.front().cost.cycles;
    known_.emplace(PlanSteps{}, least_);
    const std::int64_t most = events_worth(static_cast<double>(least_));
    explore({}, most);
    // What a search for half of something finds is found with all of it, too.
    if (most > found_.front().draft.events()) {
      for (std::size_t axis = 0; axis < plan_axes; ++axis) {
        PlanSteps root{};
        if (++root[axis] <= most_[axis]) explore(root, most);
      }
    }
    auto best = found_.begin();
    for (auto it = found_.begin(); it != found_.end(); ++it) {
      if (!hardly_slower(it->cost)) continue;
      if (!hardly_slower(best->cost) || it->cost.bytes < best->cost.bytes) best = it;
    }
    return std::move(best->draft);
  }

 private:
  // A replay takes about a tenth of a microsecond an event. A program of few cycles is worth more of them: in it
  // a wrong estimate weighs more.
  static constexpr double most_events = 300'000;
  static constexpr double events_times_cycles = 1.3e8;
  static constexpr double events_times_cycles_squared = 4e12;
  static std::int64_t events_worth(double cycles) {
    const double most = std::max(events_times_cycles / std::max(1.0, cycles),
                                 events_times_cycles_squared / std::max(1.0, cycles * cycles));
    return static_cast<std::int64_t>(std::min(most_events, most));
  }
  static constexpr std::int64_t events_of_a_plan = 500;
  static constexpr std::size_t fewest_variants = 2;
  static constexpr std::int64_t does_not_fit = std::numeric_limits<std::int64_t>::max();
  static constexpr double tolerance = 1.005;
  // Beyond that, how much slower a program is does not matter.
  static constexpr double far = 1.1;

  struct Found {
    Draft draft;
    Cost cost;
  };
  struct Node {
    PlanSteps steps;
    std::int64_t cycles;
    bool expanded;
  };

  static bool sooner(const Node& a, const Node& b) {
    return a.expanded != b.expanded ? !a.expanded : a.cycles < b.cycles;
  }
  // The best first, from `root` on.
  void explore(const PlanSteps& root, std::int64_t events) {
    const std::int64_t until = events_ + events;
    std::vector<Node> nodes;
    std::set<PlanSteps> seen;
    const auto go_on = [&] { return events_ < until || nodes.size() < fewest_variants; };
    const auto visit = [&](const PlanSteps& steps) {
      if (!seen.insert(steps).second) return;
      const std::int64_t cycles = cycles_of(steps);
      nodes.push_back({steps, cycles, cycles == does_not_fit});
    };
    visit(root);
    while (go_on()) {
      const auto next = std::min_element(nodes.begin(), nodes.end(), sooner);
      if (next->expanded) break;
      next->expanded = true;
      const PlanSteps steps = next->steps;
      for (std::size_t axis = 0; axis < plan_axes && go_on(); ++axis) {
        PlanSteps further = steps;
        if (++further[axis] <= most_[axis]) visit(further);
      }
    }
  }

  bool hardly_slower(const Cost& cost) const {
    return static_cast<double>(cost.cycles) <= static_cast<double>(least_) * tolerance;
  }

  std::int64_t cycles_of(const PlanSteps& steps) {
    const auto known = known_.find(steps);
    if (known != known_.end()) return known->second;
    // Planning takes about as long as a replay.
    events_ += events_of_a_plan + found_.front().draft.events();
    std::int64_t cycles = does_not_fit;
    try {
      cycles = cycles_of(Draft(network_, hardware_, plan_variant(hardware_, steps)));
    } catch (const std::runtime_error&) {
      // Then nothing that needs more of the same does, either.
    }
    known_.emplace(steps, cycles);
    return cycles;
  }

  std::int64_t cycles_of(Draft draft) {
    for (const Found& other : found_) {
      if (draft.same_as(other.draft)) return other.cost.cycles;
    }
    events_ += draft.events();
    const Cost cost = draft.cost(static_cast<std::int64_t>(static_cast<double>(least_) * far));
    least_ = std::min(least_, cost.cycles);
    found_.push_back({std::move(draft), cost});
    return cost.cycles;
  }

  const network::IntegerNetwork& network_;
  const hw::HardwareConfig& hardware_;
  PlanSteps most_;
  std::vector<Found> found_;
  std::map<PlanSteps, std::int64_t> known_;
  std::int64_t events_ = 0;  // of all replays, and what plans cost besides
  std::int64_t least_ = 0;
};

}  // namespace

Program search_program(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware) {
  return Search(network, hardware).run().program();
}

Placement search_placement(const network::IntegerNetwork& network,
                           const hw::HardwareConfig& hardware) {
  return Search(network, hardware).run().placement();
}

}  // namespace abacus::schedule
