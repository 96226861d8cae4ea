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
  explicit BareKernel(const network::IntegerNetwork& network,
                      models::CpuTarget target = models::best_cpu_target());

  // All taps of one image.
  void run();
  std::int64_t taps() const { return taps_; }

 private:
  struct Layer {
    models::TapKernel kernel;
    models::TapGeometry geometry;
    int rows;          // of the output
    int rows_at_once;  // whose accumulators stay in the first-level cache
    int operand_bytes;
    models::AlignedBuffer<std::uint8_t> operands;
    models::AlignedBuffer<std::uint8_t> blocks;
    models::AlignedBuffer<std::int32_t> corrections;
  };

  models::CpuTarget target_;
  std::vector<Layer> layers_;
  models::AlignedBuffer<std::int32_t> accumulators_;
  std::int64_t taps_ = 0;
};

}  // namespace abacus::benchmarks
