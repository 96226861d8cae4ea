// Output stationary with a pipelined adder tree, after the AdderNet authors' FPGA kernel (Wang et al.,
// "AdderNet and its minimalist hardware design for energy-efficient artificial intelligence", arXiv
// 2101.10015): each cycle takes one (ky, kx) position of one tile of `rows` input channels for all
// columns; outputs stay in the accumulators until their sums are whole.
//
// Depthwise, each column works on a row of its own, in one lane; the others of its column stand still.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tlm/dataflow.hpp"

namespace abacus::hw {

class OutputStationary : public Dataflow {
 public:
  std::string_view name() const override { return "output-stationary"; }
  bool packs_windows() const override { return false; }

  int most_columns(const PeArrayConfig& array, bool depthwise) const override;
  std::int64_t activation_registers(const PeArrayConfig& array) const override;
  bool weights_stay(const PeArrayConfig& array, const ArrayTile& tile) const override;

  std::int64_t issue_cycles(const PeArrayConfig& array, const ArrayTile& tile) const override;
  int pipeline_depth(const PeArrayConfig& array) const override;

  std::vector<OperandAccess> activation_reads(const PeArrayConfig& array, const ArrayTile& tile,
                                              const InsideWindows& inside) const override;
  std::int64_t weight_passes(const PeArrayConfig& array, const ArrayTile& tile) const override;
  // Output pixels that a weight serves before the next one comes.
  virtual int outputs_together(const PeArrayConfig& array, const ArrayTile& tile) const;
  OperandAccess output_writes(const PeArrayConfig& array, const ArrayTile& tile) const override;

  std::vector<AccumulationStep> accumulation_order(const PeArrayConfig& array,
                                                   const ArrayTile& tile) const override;

  ArrayActions actions(const PeArrayConfig& array, const ArrayTile& tile,
                       bool filled) const override;
  std::vector<SumLevel> sum_levels(int lanes, int tap_bits) const override;
};

}  // namespace abacus::hw
