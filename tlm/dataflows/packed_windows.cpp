// Output stationary, but where a column sees fewer input channels than the array has rows, rows take
// positions of the window too: a window's taps, in the order ky, kx, channel, are cut into steps of `rows`
// taps, and a cycle takes a step. Of channels as many as rows or more, all is as output-stationary.
//
// Few channels: a position that two steps share waits in its rows' registers.
//
// Depthwise, each column has its own channel's window in the registers of its lanes, where it moves on by
// the stride for the next output: only the pixels that are new come from the activation SRAM. The read
// quantizer makes `read_width()` operands a cycle, which may take longer than the steps. A window of more positions
// than the array has rows does not fit the registers and comes as a whole each time.
#include <algorithm>

#include "tlm/dataflows/output_stationary.hpp"

namespace abacus::hw {
namespace {

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

class PackedWindows : public OutputStationary {
 public:
  std::string_view name() const override { return "packed-windows"; }
  bool packs_windows() const override { return true; }

  int most_columns(const PeArrayConfig& array, bool /*depthwise*/) const override {
    return array.columns;
  }

  // One a lane.
  std::int64_t activation_registers(const PeArrayConfig& array) const override {
    return std::int64_t{array.rows} * array.columns;
  }

  bool weights_stay(const PeArrayConfig& array, const ArrayTile& tile) const override {
    if (!packs(array, tile)) return OutputStationary::weights_stay(array, tile);
    return steps(array, tile) <= array.weights_per_pe;
  }

  std::int64_t issue_cycles(const PeArrayConfig& array, const ArrayTile& tile) const override {
    if (!packs(array, tile)) return OutputStationary::issue_cycles(array, tile);
    if (!tile.depthwise) return tile.pixels() * steps(array, tile);
    const int moved = std::min(tile.kernel, tile.stride);
    const bool held = window_stays(array, tile);
    const std::int64_t read = std::int64_t{tile.kernel} * (held ? moved : tile.kernel);
    const std::int64_t pixel =
        std::max(steps(array, tile), ceil_divide(read * tile.columns, array.read_width()));
    // The first window of a row.
    const std::int64_t begin = std::int64_t{tile.kernel} * (tile.kernel - moved) * tile.columns;
    return tile.pixels() * pixel +
           (held ? tile.output_height * ceil_divide(begin, array.read_width()) : 0);
  }

  std::vector<OperandAccess> activation_reads(const PeArrayConfig& array, const ArrayTile& tile,
                                              const InsideWindows& inside) const override {
    if (!packs(array, tile)) return OutputStationary::activation_reads(array, tile, inside);
    if (!tile.depthwise) {
      if (outputs_together(array, tile) == 1) return {{tile.channels, inside.positions}};
      // Each step reads what it touches.
      const std::int64_t window = std::int64_t{tile.kernel} * tile.kernel;
      return {{tile.channels, ceil_divide(inside.positions * touched(array, tile), window)}};
    }
    return {{tile.columns, window_stays(array, tile) ? inside.bands : inside.positions}};
  }

  // A position that two steps share would have to come again: only for weights that stream.
  int outputs_together(const PeArrayConfig& array, const ArrayTile& tile) const override {
    const bool shared = packs(array, tile) && !tile.depthwise && weights_stay(array, tile);
    return shared ? 1 : OutputStationary::outputs_together(array, tile);
  }

  std::vector<AccumulationStep> accumulation_order(const PeArrayConfig& array,
                                                   const ArrayTile& tile) const override {
    if (!packs(array, tile)) return OutputStationary::accumulation_order(array, tile);
    std::vector<AccumulationStep> order;
    const int taps = tile.kernel * tile.kernel * tile.channels;
    for (int first = 0; first < taps; first += array.rows) {
      order.push_back({first, std::min(array.rows, taps - first)});
    }
    return order;
  }

  ArrayActions actions(const PeArrayConfig& array, const ArrayTile& tile,
                       bool filled) const override {
    ArrayActions actions = OutputStationary::actions(array, tile, filled);
    if (!packs(array, tile)) return actions;
    const int taps = tile.kernel * tile.kernel * tile.channels;
    const int full = taps / array.rows;
    const int rest = taps % array.rows;
    actions.sums.clear();
    if (full != 0) actions.sums.push_back({array.rows, tile.outputs() * full});
    if (rest != 0) actions.sums.push_back({rest, tile.outputs()});
    return actions;
  }

 private:
  static bool packs(const PeArrayConfig& array, const ArrayTile& tile) {
    return tile.depthwise || tile.channels < array.rows;
  }
  static std::int64_t steps(const PeArrayConfig& array, const ArrayTile& tile) {
    return ceil_divide(std::int64_t{tile.kernel} * tile.kernel * tile.channels, array.rows);
  }
  // Positions of a window that its steps touch, added up.
  static std::int64_t touched(const PeArrayConfig& array, const ArrayTile& tile) {
    const int taps = tile.kernel * tile.kernel * tile.channels;
    std::int64_t positions = 0;
    for (int first = 0; first < taps; first += array.rows) {
      const int last = std::min(first + array.rows, taps) - 1;
      positions += last / tile.channels - first / tile.channels + 1;
    }
    return positions;
  }
  static bool window_stays(const PeArrayConfig& array, const ArrayTile& tile) {
    return std::int64_t{tile.kernel} * tile.kernel <= array.rows;
  }
};

}  // namespace

const Dataflow& packed_windows() {
  static const PackedWindows dataflow;
  return dataflow;
}

}  // namespace abacus::hw
