// PE array: `rows` input channels × `columns` output channels of one kind of processing element, an
// adder tree and an accumulator per column.
//
// | property          | unit    | where it is set                                               |
// | ----------------- | ------- | ------------------------------------------------------------- |
// | kind              |         | PeArrayConfig::kind (models/elements)                         |
// | rows, columns     | lanes   | PeArrayConfig                                                 |
// | weight_bits,      | bits    | PeArrayConfig: widest operands; narrower ones are taken and   |
// | activation_bits   |         | counted at their own width                                    |
// | fraction_bits     | bits    | PeArrayConfig: most that the lanes of shift, shift-add keep   |
// | table             |         | PeArrayConfig: lookup tables of post (models/post_lut)        |
// | element           |         | PeArrayConfig: what table lanes compute (tlm/element_table.hpp) |
// | accumulator_bits  | bits    | PeArrayConfig; overflow saturates and is counted              |
// | weights_per_pe    | weights | PeArrayConfig: a PE's local weight buffer                     |
// | dataflow          |         | PeArrayConfig (tlm/dataflow.hpp): issue cycles, pipeline      |
// |                   |         | depth, order of accumulation, traffic, actions                |
// | weight fill       | cycles  | packed bytes / (banks × port_bytes) of the weight SRAM        |
//
// Function: accumulators exactly as docs/arithmetic.md defines them, by an engine (engine.hpp).
// Actions, for occupied lanes only, as often as the dataflow says: the element's own a tap and a sum; the
// additions and registers between taps and accumulator; accumulations; local weight reads; registers
// of activations, weights, taps. With zero gating a tap of which one operand is 0, and which is 0 therefore,
// is no operation but the write of one bit, that holds the unit's operands.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/array/engine.hpp"
#include "models/array/kernels.hpp"
#include "models/array/operand_layout.hpp"
#include "models/array/zero_gating.hpp"
#include "models/elements/processing_element.hpp"
#include "models/post_lut/post_lut.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "models/simd/cpu_target.hpp"
#include "tlm/dataflow.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

class PeArray {
 public:
  PeArray(Component component, const hw::PeArrayConfig& config,
          CpuTarget target = best_cpu_target(), const std::string& engine = default_engine);

  const hw::PeArrayConfig& config() const { return config_; }
  Component component() const { return component_; }
  const ProcessingElement& element() const { return element_; }
  const hw::Dataflow& dataflow() const { return dataflow_; }

  // Time ------------------------------------------------------------------------------------------

  std::int64_t issue_cycles(const hw::ArrayTile& tile) const {
    return dataflow_.issue_cycles(config_, tile);
  }
  int pipeline_depth() const { return dataflow_.pipeline_depth(config_); }
  // From the first operands to the last accumulator, weights being there.
  std::int64_t cycles(const hw::ArrayTile& tile) const { return dataflow_.cycles(config_, tile); }
  // False: weights stream from the weight SRAM at every position.
  bool weights_stay(const hw::ArrayTile& tile) const {
    return dataflow_.weights_stay(config_, tile);
  }

  // Cycles that the array waits for ports of its lookup tables, at each output position of the loaded
  // weights; 0 but for post.
  std::int64_t table_waits() const { return loaded_ ? demand_.waiting_cycles : 0; }
  const PostLut& table() const { return table_; }

  // Energy ----------------------------------------------------------------------------------------

  // filled: the tile's weights were written into the PEs' buffers before it. post: what is read from
  // the tables is what the loaded weights ask for. With zero gating the tile's operands must still be in
  // the buffer.
  void count(Activity& activity, int layer, const TapFormat& format, const hw::ArrayTile& tile,
             bool filled) const;

  // Function --------------------------------------------------------------------------------------

  // What the next tiles' taps look like; returns how their operands are to be written.
  const OperandLayout& set_format(const TapFormat& format);
  // Takes the weights of a tile into the PEs; `packed` as ConvolveFields says. Tile and format hold
  // until the next call. The operands of a depthwise tile are those of the columns' own channels.
  void load_weights(const hw::ArrayTile& tile, const std::uint8_t* packed);
  // True if the weights in the PEs are of a tile and format like these, so that they can be kept.
  bool holds(const TapFormat& format, const hw::ArrayTile& tile) const;
  // Forgets the weights.
  void forget() { loaded_ = false; }

  // Operand buffer for `rows` operand rows, to be filled by the read quantizer; then
  // take_operands() with the same arguments.
  std::uint8_t* operands(const TapGeometry& geometry, int rows);
  void take_operands(const TapGeometry& geometry, int rows);
  // Accumulators of output rows [first_row, first_row + rows) of the operands in the buffer:
  // [row][x][accumulator_stride()], valid until the next call. Adds to `saturations`. Throws
  // EngineDifference (engine.hpp).
  const std::int32_t* accumulate(int first_row, int rows, std::int64_t& saturations);
  int accumulator_stride() const { return (tile_.columns + 7) / 8 * 8; }
  // Bound of |accumulator| for the loaded weights.
  std::int64_t largest_accumulator() const;

 private:
  bool gates(const TapFormat& format) const {
    return config_.zero_gating && element_.zero_gives_zero(format);
  }
  PostLutDemand table_demand(const std::uint8_t* packed) const;

  Component component_;
  hw::PeArrayConfig config_;
  const ProcessingElement& element_;
  const hw::Dataflow& dataflow_;
  PostLut table_;
  std::unique_ptr<Engine> engine_;

  TapFormat format_;
  OperandLayout layout_;

  bool loaded_ = false;
  TapFormat loaded_format_;
  hw::ArrayTile tile_{};
  std::vector<hw::AccumulationStep> order_;
  PostLutDemand demand_;  // of post
  ZeroGating zero_gating_;
  std::int64_t largest_sum_ = 0;  // of |sum|, whatever the weights

  TapGeometry geometry_{};
  AlignedBuffer<std::uint8_t> operands_;
  AlignedBuffer<std::int32_t> accumulators_;
};

}  // namespace abacus::models
