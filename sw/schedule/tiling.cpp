#include "sw/schedule/tiling.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "sw/schedule/address_space.hpp"
#include "sw/schedule/cost_model.hpp"

namespace abacus::schedule {
namespace {

std::vector<SpatialTile> spatial_tiles(const network::IntegerNetwork& network,
                                       const network::IntegerLayer& layer, int rows) {
  std::vector<SpatialTile> tiles;
  const int height = layer.output.shape.height;
  for (int first = 0; first < height; first += rows) {
    const RowRange output{first, std::min(rows, height - first)};
    tiles.push_back({output, input_rows(network, layer, output)});
  }
  return tiles;
}

}  // namespace

// Sizes of a layer's buffers; 0 for operands that need none.
struct LayerMapper::Buffers {
  int count = 1;  // of each
  std::uint64_t input = 0;
  std::uint64_t residual = 0;
  std::uint64_t output = 0;

  std::uint64_t all() const {
    return static_cast<std::uint64_t>(count) * (input + residual + output);
  }
};

struct LayerMapper::Candidate {
  Loops loops;
  Buffers buffers;
  TilingEstimate estimate;
};

// Of those within the tolerance of the least time, the one that moves the fewest bytes.
std::vector<LayerMapper::Candidate>::iterator LayerMapper::choose(
    std::vector<Candidate>::iterator begin, std::vector<Candidate>::iterator end) const {
  double least = begin->estimate.cost.cycles;
  for (auto it = begin; it != end; ++it) least = std::min(least, it->estimate.cost.cycles);
  auto best = end;
  for (auto it = begin; it != end; ++it) {
    if (it->estimate.cost.cycles > least * time_tolerance_) continue;
    if (best == end || it->estimate.cost.bytes < best->estimate.cost.bytes) best = it;
  }
  return best;
}

LayerMapper::LayerMapper(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                         const hw::HardwareConfig& hardware, double time_tolerance)
    : network_(&network),
      layer_(&layer),
      hardware_(&hardware),
      time_tolerance_(time_tolerance),
      sums_wanted_(sums_are_wanted(network, layer)),
      cuts_(column_cuts(network, layer, hardware)) {}

const LayerTiling* LayerMapper::best(const OperandPlaces& places, const FreeSpace& space,
                                     bool high) {
  Question question{places, {}};
  const bool streams =
      places.input == Source::streamed || !places.output_stays ||
      (layer_->residual != network::no_tensor && places.residual == Source::streamed);
  if (streams) {
    for (const AddressRange& range : space.ranges()) {
      std::get<1>(question).emplace_back(range.begin, range.end);
    }
  }
  const auto [answer, added] = answers_.try_emplace(std::move(question));
  if (added) answer->second = search(places, space, high);
  return answer->second ? &*answer->second : nullptr;
}

std::optional<LayerTiling> LayerMapper::search(const OperandPlaces& places, const FreeSpace& space,
                                               bool high) const {
  std::vector<Candidate> fitting;
  for (const Loops& loops : candidates(places)) {
    const Buffers sizes = buffers(places, loops);
    if (!place(sizes, space, high, nullptr)) continue;
    fitting.push_back({loops, sizes, estimate_cost(*network_, *layer_, places, loops, *hardware_)});
  }
  if (fitting.empty()) return std::nullopt;
  std::iter_swap(fitting.begin(), choose(fitting.begin(), fitting.end()));
  const Candidate* best = &fitting.front();

  LayerTiling tiling;
  tiling.columns = best->loops.cut->tiles;
  tiling.spatial = spatial_tiles(*network_, *layer_, best->loops.rows);
  tiling.order = best->loops.order;
  tiling.places = places;
  tiling.buffers = best->loops.buffers;
  tiling.input_bytes = best->buffers.input;
  tiling.residual_bytes = best->buffers.residual;
  tiling.output_bytes = best->buffers.output;
  tiling.weights_resident = best->loops.cut->weights.all <= hardware_->weight_sram.bytes;
  tiling.parameters_resident = best->loops.cut->parameters.all <= hardware_->parameter_sram.bytes;
  tiling.cost = best->estimate.cost;
  tiling.parts = best->estimate.parts;
  if (fitting.size() > 1) {
    const auto next = choose(fitting.begin() + 1, fitting.end());
    tiling.next_best = summary(next->loops, next->estimate.cost);
  }
  place(best->buffers, space, high, &tiling);
  return tiling;
}

// Equal tiles: every number of tiles from 1 on that gives a new number of rows.
std::vector<Loops> LayerMapper::candidates(const OperandPlaces& places) const {
  const bool residual = layer_->residual != network::no_tensor;
  const int height = layer_->output.shape.height;
  std::vector<Loops> all;
  for (const ColumnCut& cut : cuts_) {
    int last_rows = 0;
    for (int count = 1; count <= height; ++count) {
      const int rows = (height + count - 1) / count;
      if (rows == last_rows) continue;
      last_rows = rows;
      const int spatial = (height + rows - 1) / rows;
      for (const int buffers : {2, 1}) {
        if (spatial == 1 && buffers == 2) continue;  // the second would stay unused
        all.push_back({&cut, rows, spatial, LoopOrder::rows_outer, buffers});
        // With one spatial tile both orders are one, but for a compact output.
        if (cut.columns() == 1 || (spatial == 1 && places.output_stays)) continue;
        // A compact tile has its own channels side by side, and so must its residual have.
        if (!places.output_stays) {
          if (residual && places.residual != Source::streamed) continue;
          if (sums_wanted_ && !cut.adjoining) continue;
        }
        all.push_back({&cut, rows, spatial, LoopOrder::columns_outer, buffers});
      }
    }
  }
  return all;
}

LayerMapper::Buffers LayerMapper::buffers(const OperandPlaces& places, const Loops& loops) const {
  Buffers sizes;
  sizes.count = loops.buffers;
  if (places.input == Source::streamed) {
    sizes.input =
        align_up(most_input_rows(loops.rows) * row_bytes(network_->tensor(layer_->input)));
  }
  const bool compact = loops.order == LoopOrder::columns_outer && !places.output_stays;
  const int channels = compact ? loops.cut->widest_tile() : layer_->output.shape.channels;
  const std::uint64_t elements =
      static_cast<std::uint64_t>(loops.rows) * layer_->output.shape.width * channels;
  if (layer_->residual != network::no_tensor && places.residual == Source::streamed) {
    sizes.residual = align_up(elements * network_->tensor(layer_->residual).element_bytes());
  }
  if (!places.output_stays) sizes.output = align_up(elements * layer_->output.element_bytes());
  return sizes;
}

int LayerMapper::most_input_rows(int rows) const {
  const int height = layer_->output.shape.height;
  int most = 0;
  for (int first = 0; first < height; first += rows) {
    const RowRange output{first, std::min(rows, height - first)};
    most = std::max(most, input_rows(*network_, *layer_, output).count);
  }
  return most;
}

// Whether the buffers find room; where `tiling` is given, it has their addresses then.
bool LayerMapper::place(const Buffers& buffers, FreeSpace space, bool high,
                        LayerTiling* tiling) const {
  const auto take = [&](std::uint64_t bytes, std::array<std::uint32_t, 2>* addresses) {
    for (int i = 0; bytes != 0 && i < buffers.count; ++i) {
      const std::optional<std::uint64_t> address =
          high ? space.take_highest(bytes) : space.take_lowest(bytes);
      if (!address) return false;
      if (addresses != nullptr) {
        (*addresses)[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(*address);
      }
    }
    return true;
  };
  const auto addresses = [&](std::array<std::uint32_t, 2> LayerTiling::*of) {
    return tiling == nullptr ? nullptr : &(tiling->*of);
  };
  return take(buffers.input, addresses(&LayerTiling::input_buffers)) &&
         take(buffers.residual, addresses(&LayerTiling::residual_buffers)) &&
         take(buffers.output, addresses(&LayerTiling::output_buffers));
}

void LayerMapper::refuse() const {
  std::uint64_t least = 0;
  const OperandPlaces streamed;
  for (const Loops& loops : candidates(streamed)) {
    const std::uint64_t need = buffers(streamed, loops).all();
    if (least == 0 || need < least) least = need;
  }
  refuse_too_small(*layer_, "activation", "the smallest tile (one output row)", least,
                   hardware_->activation_sram.bytes);
}

TilingSummary summary(const Loops& loops, const TilingCost& cost) {
  return {loops.spatial, loops.rows, loops.cut->columns(), loops.cut->widest_tile(), loops.order,
          loops.buffers, cost};
}

RowRange input_rows(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                    RowRange output) {
  if (layer.kind == network::IntegerLayerKind::add) return output;
  const int height = network.tensor(layer.input).shape.height;
  const int first = std::max(0, output.first * layer.stride - layer.padding);
  const int last = (output.end() - 1) * layer.stride - layer.padding + layer.kernel - 1;
  return {first, std::min(last, height - 1) - first + 1};
}

std::uint64_t row_bytes(const network::StoredTensor& tensor) {
  return static_cast<std::uint64_t>(tensor.shape.width) * tensor.shape.channels *
         tensor.element_bytes();
}

bool sums_are_wanted(const network::IntegerNetwork& network, const network::IntegerLayer& layer) {
  const auto index = &layer - network.layers.data();
  return std::any_of(
      network.layers.begin(), network.layers.end(),
      [&](const network::IntegerLayer& reader) { return reader.adapter && reader.input == index; });
}

const hw::PeArrayConfig& array_of(const network::IntegerLayer& layer,
                                  const hw::HardwareConfig& hardware) {
  return layer.edge ? hardware.edge_array : hardware.array;
}

hw::ArrayTile array_tile(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                         int output_rows, int columns) {
  const int channels = layer.seen_channels(network.tensor(layer.input).shape.channels);
  return {output_rows, layer.output.shape.width, layer.kernel, channels,
          columns,     layer.depthwise,          layer.stride};
}

}  // namespace abacus::schedule
