// How one layer is cut into tiles, given where its tensors stand. Sizes in bytes, times in clock
// cycles; docs/scheduling.md explains the choice.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/column_cut.hpp"
#include "sw/schedule/free_space.hpp"
#include "tlm/array_tile.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

struct RowRange {
  int first = 0;
  int count = 0;

  int end() const { return first + count; }
};

// Full-width output rows, and the rows of the input that their windows touch (halo included, rows
// outside the tensor left out).
struct SpatialTile {
  RowRange output;
  RowRange input;
};

enum class LoopOrder {
  rows_outer,    // every column tile of a spatial tile, then the next
  columns_outer  // every spatial tile of a column tile, then the next
};

// Where an operand comes from while the layer runs.
enum class Source {
  streamed,  // from DRAM, tile by tile, through buffers of the layer's own
  arriving,  // from DRAM, once, to the place where the whole tensor will stand
  present    // the whole tensor stands in the activation SRAM
};

struct OperandPlaces {
  Source input = Source::streamed;
  Source residual = Source::streamed;  // of layers that have one
  bool output_stays = false;           // at the whole tensor's place; else in buffers, and stored
  bool output_stored = true;

  bool operator<(const OperandPlaces& o) const {
    return std::tie(input, residual, output_stays, output_stored) <
           std::tie(o.input, o.residual, o.output_stays, o.output_stored);
  }
};

struct TilingCost {
  double cycles = 0;
  double bytes =
      0;  // between DRAM and the chip, commands too; pieces shorter than a burst count as one

  TilingCost& operator+=(const TilingCost& o) {
    cycles += o.cycles;
    bytes += o.bytes;
    return *this;
  }
};

// What its cycles are made of, each part as if it were alone.
struct CycleParts {
  double issue = 0;     // the array's or the vector unit's lanes
  double scale = 0;     // scale lanes
  double weights = 0;   // weights that do not stay in the PEs, from their SRAM
  double commands = 0;  // filling of the PEs, pipeline, hand-over
  double load = 0;      // through bus and DRAM
  double store = 0;
};

// A tiling in numbers, to be compared and shown.
struct TilingSummary {
  int spatial_tiles = 1;
  int rows = 1;  // of the output, in a spatial tile
  int column_tiles = 1;
  int columns = 0;  // of the widest; 0 on the vector unit
  LoopOrder order = LoopOrder::rows_outer;
  int buffers = 1;  // of each streamed operand
  TilingCost cost;
};

struct LayerTiling {
  std::vector<ColumnTile> columns;  // empty for the vector unit's layers
  std::vector<SpatialTile> spatial;
  LoopOrder order = LoopOrder::rows_outer;
  OperandPlaces places;
  int buffers = 2;  // of each streamed operand: 2 let load, compute and store overlap
  std::array<std::uint32_t, 2> input_buffers{};  // their addresses, as far as there are such
  std::array<std::uint32_t, 2> residual_buffers{};
  std::array<std::uint32_t, 2> output_buffers{};
  std::uint64_t input_bytes = 0;  // of one buffer
  std::uint64_t residual_bytes = 0;
  std::uint64_t output_bytes = 0;
  bool weights_resident = true;     // stay in their SRAM while the layer runs
  bool parameters_resident = true;  // likewise the scale records
  TilingCost cost;                  // estimated
  CycleParts parts;
  std::optional<TilingSummary> next_best;  // with the same tensors on chip; none: nothing else fits

  // An output buffer holds the channels of its column tile only; else, whole pixels.
  bool compact() const { return order == LoopOrder::columns_outer && !places.output_stays; }
  // A column tile serves several spatial tiles that do not follow one another.
  bool several_passes() const { return order == LoopOrder::rows_outer && spatial.size() > 1; }
};

// A layer's loops, before their buffers have places.
struct Loops {
  const ColumnCut* cut;
  int rows;     // of a spatial tile
  int spatial;  // tiles
  LoopOrder order;
  int buffers;
};

TilingSummary summary(const Loops& loops, const TilingCost& cost);

// Rows of a layer's input that the windows of output rows `output` touch.
RowRange input_rows(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                    RowRange output);
std::uint64_t row_bytes(const network::StoredTensor& tensor);

// Whether a step adapter needs the channel sums of what `layer`, one of the network's, stores.
bool sums_are_wanted(const network::IntegerNetwork& network, const network::IntegerLayer& layer);

const hw::PeArrayConfig& array_of(const network::IntegerLayer& layer,
                                  const hw::HardwareConfig& hardware);
// What the array computes of a convolution with one command.
hw::ArrayTile array_tile(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                         int output_rows, int columns);

// Chooses a layer's tiling; remembers what it was asked before.
class LayerMapper {
 public:
  // Throws std::runtime_error naming layer, need and capacity where an SRAM holds no column.
  LayerMapper(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
              const hw::HardwareConfig& hardware, double time_tolerance);

  // Among the tilings whose buffers fit the free space and whose estimated time is at most
  // `time_tolerance` times the least, the one that moves the fewest bytes. Null where none fits. `high`: the buffers stand at the
  // upper end of what is free.
  const LayerTiling* best(const OperandPlaces& places, const FreeSpace& space, bool high);

  // Throws std::runtime_error saying what the smallest tile needs of the activation SRAM.
  [[noreturn]] void refuse() const;

 private:
  using Question = std::tuple<OperandPlaces, std::vector<std::pair<std::uint64_t, std::uint64_t>>>;
  struct Buffers;
  struct Candidate;

  std::vector<Candidate>::iterator choose(std::vector<Candidate>::iterator begin,
                                          std::vector<Candidate>::iterator end) const;

  std::optional<LayerTiling> search(const OperandPlaces& places, const FreeSpace& space,
                                    bool high) const;
  std::vector<Loops> candidates(const OperandPlaces& places) const;
  Buffers buffers(const OperandPlaces& places, const Loops& loops) const;
  bool place(const Buffers& buffers, FreeSpace space, bool high, LayerTiling* tiling) const;
  int most_input_rows(int rows) const;

  const network::IntegerNetwork* network_;
  const network::IntegerLayer* layer_;
  const hw::HardwareConfig* hardware_;
  double time_tolerance_;
  bool sums_wanted_;
  std::vector<ColumnCut> cuts_;
  std::map<Question, std::optional<LayerTiling>> answers_;
};

}  // namespace abacus::schedule
