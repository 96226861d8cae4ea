// An engine that runs two others side by side and holds the second one's accumulators and counts of
// saturations against the first one's, whose results it gives. Throws EngineDifference naming row,
// column of the output and channel of the tile, what was found and what the shadow says.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/array/engine.hpp"

namespace abacus::models {

class ShadowEngine : public Engine {
 public:
  // The shadow must take the operands in the first one's layout.
  ShadowEngine(std::unique_ptr<Engine> engine, std::unique_ptr<Engine> shadow);

  OperandLayout layout(const TapFormat& format) override;
  void load(const TileWeights& weights) override;
  void take(const TileOperands& operands) override;
  void accumulate(int first_row, int rows, std::int32_t* accumulators,
                  std::int64_t& saturations) override;

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> shadow_;
  hw::ArrayTile tile_{};
  std::vector<std::int32_t> shadow_accumulators_;
};

}  // namespace abacus::models
