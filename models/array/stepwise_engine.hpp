// An engine that adds one tap after the other as the hardware does: for each output, step by step in the
// dataflow's order, the exact sum of a step's taps and one saturating addition. Plain loops that share
// nothing with the vector kernels but the processing element's tap.
#pragma once

#include <cstdint>
#include <vector>

#include "models/array/engine.hpp"
#include "models/elements/processing_element.hpp"

namespace abacus::models {

class StepwiseEngine : public Engine {
 public:
  explicit StepwiseEngine(int accumulator_bits);

  // Activations as they are. Takes operands of any other layout, too.
  OperandLayout layout(const TapFormat& format) override;
  void load(const TileWeights& weights) override;
  void take(const TileOperands& operands) override;
  void accumulate(int first_row, int rows, std::int32_t* accumulators,
                  std::int64_t& saturations) override;

 private:
  int activation(int row, int position, int channel) const;
  int weight(int column, int ky, int kx, int channel) const;
  std::int32_t accumulator(int row, int x, int column, std::int64_t& saturations) const;

  std::int64_t highest_;
  TileWeights weights_{};
  const ProcessingElement* element_ = nullptr;
  std::vector<int> plain_weights_;  // [ky][kx][channel][column]
  TileOperands operands_{};
};

}  // namespace abacus::models
