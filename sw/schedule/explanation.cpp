#include "sw/schedule/explanation.hpp"

#include <algorithm>

#include "sw/schedule/hardware_check.hpp"
#include "sw/schedule/search.hpp"

namespace abacus::schedule {
namespace {

std::string text(Source source) {
  switch (source) {
    case Source::streamed:
      return "from DRAM, by tiles";
    case Source::arriving:
      return "from DRAM, once";
    case Source::present:
      return "on chip";
  }
  return "";
}

std::string text_of_output(const OperandPlaces& places) {
  if (!places.output_stays) return "to DRAM";
  return places.output_stored ? "on chip and to DRAM" : "on chip";
}

std::string unit_of(const network::IntegerLayer& layer) {
  if (layer.kind != network::IntegerLayerKind::convolution) return "vector unit";
  return layer.edge ? "edge array" : "PE array";
}

// The largest part of its estimated time.
std::string limit_of(const network::IntegerLayer& layer, const CycleParts& parts) {
  const double compute = std::max({parts.issue, parts.scale, parts.weights});
  if (parts.load + parts.store > compute + parts.commands) return "DRAM and bus";
  if (parts.commands > compute) return "commands";
  if (layer.kind != network::IntegerLayerKind::convolution) return "vector lanes";
  if (parts.scale > parts.issue && parts.scale >= parts.weights) return "scale lanes";
  if (parts.weights > parts.issue) return "weight SRAM";
  return "lanes";
}

TilingSummary summary(const LayerTiling& tiling) {
  TilingSummary summary;
  summary.spatial_tiles = static_cast<int>(tiling.spatial.size());
  summary.rows = tiling.spatial.front().output.count;
  summary.column_tiles = std::max(1, static_cast<int>(tiling.columns.size()));
  for (const ColumnTile& tile : tiling.columns) {
    summary.columns = std::max(summary.columns, tile.columns());
  }
  summary.order = tiling.order;
  summary.buffers = tiling.buffers;
  summary.cost = tiling.cost;
  return summary;
}

}  // namespace

std::string to_string(LoopOrder order) {
  return order == LoopOrder::rows_outer ? "rows outer" : "columns outer";
}

std::vector<LayerExplanation> explain(const network::IntegerNetwork& network,
                                      const hw::HardwareConfig& hardware) {
  network::validate(network, "integer network");
  check_hardware(network, hardware);
  const Placement placement = search_placement(network, hardware);
  std::vector<LayerExplanation> all;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const network::IntegerLayer& layer = network.layers[i];
    const LayerTiling& tiling = placement.tilings[i];
    LayerExplanation explanation;
    explanation.name = layer.name;
    explanation.unit = unit_of(layer);
    explanation.input = text(tiling.places.input);
    if (layer.residual != network::no_tensor) explanation.residual = text(tiling.places.residual);
    explanation.output = text_of_output(tiling.places);
    explanation.chosen = summary(tiling);
    explanation.next_best = tiling.next_best;
    explanation.limit = limit_of(layer, tiling.parts);
    all.push_back(explanation);
  }
  return all;
}

}  // namespace abacus::schedule
