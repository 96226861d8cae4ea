// What computes a tile's accumulators behind a PeArray. Every engine gives the same bits, those of
// docs/arithmetic.md; they differ in how they come to them:
//
//   vector    the exact kernels of kernels.hpp, a row of outputs at a time
//   stepwise  a tap after the other, in the order and with the saturation of the hardware; slow
//   shadow    both, and compares every accumulator: a difference is an error
//
// Calls are one a tile or a block of rows, never one a tap.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/array/kernels.hpp"
#include "models/array/operand_layout.hpp"
#include "models/elements/tap_format.hpp"
#include "models/simd/cpu_target.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::models {

struct TileWeights {
  TapFormat format;
  hw::ArrayTile tile;
  // In which an accumulator takes its taps (Dataflow::accumulation_order).
  std::vector<hw::AccumulationStep> order;
  const std::uint8_t* packed;  // as ConvolveFields says; read while they are loaded
};

struct TileOperands {
  const std::uint8_t* data;
  OperandLayout layout;
  // Depthwise, channels are those of the columns.
  TapGeometry geometry;
  int rows;
};

class Engine {
 public:
  virtual ~Engine() = default;
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // How it wants the operands of such taps.
  virtual OperandLayout layout(const TapFormat& format) = 0;
  // Hold until the next call.
  virtual void load(const TileWeights& weights) = 0;
  // Operands of the loaded weights' tile, all of its rows; must stay until the next call.
  virtual void take(const TileOperands& operands) = 0;
  // Accumulators of output rows [first_row, first_row + rows) into [row][x][columns rounded up to 8];
  // what stands behind the last column is undefined. Adds the number of additions that saturated to
  // `saturations`.
  virtual void accumulate(int first_row, int rows, std::int32_t* accumulators,
                          std::int64_t& saturations) = 0;
};

// Two engines have come to different results.
class EngineDifference : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Of an engine's name. Throws std::invalid_argument naming the text and the allowed names.
std::unique_ptr<Engine> make_engine(const std::string& name, int accumulator_bits,
                                    CpuTarget target);
const std::vector<std::string>& engine_names();
inline constexpr const char* default_engine = "vector";

}  // namespace abacus::models
