// The arithmetic of a network's convolutions and nothing else: the PE array's kernels on operands
// and weights that lie ready, a layer at a time, without memories, commands or SystemC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/array/kernels.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "models/simd/cpu_target.hpp"
#include "sw/network/integer_network.hpp"

namespace abacus::benchmarks {

class BareKernel {
 public:
  // Operands are random and lie in buffers of the layers' sizes.
  explicit BareKernel(const IntegerNetwork& network, CpuTarget target = best_cpu_target());

  // All taps of one image.
  void run();
  std::int64_t taps() const { return taps_; }

 private:
  struct Layer {
    TapKernel kernel;
    TapGeometry geometry;
    int rows;          // of the output
    int rows_at_once;  // whose accumulators stay in the first-level cache
    int operand_bytes;
    AlignedBuffer<std::uint8_t> operands;
    AlignedBuffer<std::uint8_t> blocks;
    AlignedBuffer<std::int32_t> corrections;
  };

  CpuTarget target_;
  std::vector<Layer> layers_;
  AlignedBuffer<std::int32_t> accumulators_;
  std::int64_t taps_ = 0;
};

}  // namespace abacus::benchmarks
