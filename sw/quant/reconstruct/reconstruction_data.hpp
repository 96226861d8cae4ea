// What a unit under reconstruction reads and should give: one tensor of the quantized network, one
// of the float network, on the same training images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/plan/quantized_network.hpp"
#include "sw/quant/reconstruct/reconstruction_layers.hpp"
#include "sw/quant/reconstruct/reconstruction_units.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/torch.hpp"
namespace abacus::quant {

class ReconstructionData {
 public:
  // The network's input: `count` augmented training images. Keeps references to both networks.
  ReconstructionData(const QuantizedNetwork& network, train::FloatNetwork& float_network,
                     const CalibrationData& data, std::int64_t count);

  std::int64_t count() const { return stored_.size(0); }

  // The float network runs the unit's layers: target() becomes their output.
  void advance_target(ReconstructionUnit unit);
  // The quantized network runs them: stored() becomes their output.
  void advance_stored(TrainableUnit& unit);

  // Of the images `indices` (int64): what the unit reads, as stored integers in float32, and the
  // float network's real values.
  torch::Tensor stored(const torch::Tensor& indices) const;
  torch::Tensor target(const torch::Tensor& indices) const;
  const torch::Tensor& target() const { return target_; }

 private:
  const QuantizedNetwork& network_;
  train::FloatNetwork& float_network_;
  torch::Tensor stored_;  // int32 if 16 bits need it, else int16
  torch::Tensor target_;  // float32
  int float_layers_done_ = 0;
};

// Of a unit's output from the target, which must be a unit ahead of what the unit reads; all images,
// real values. `scale`: of the unit's last stored tensor.
double mean_squared_error(TrainableUnit& unit, const ReconstructionData& images, double scale);

// Batches of `size` of the first `count` numbers, without end, in an order that the seed decides.
class ShuffledBatches {
 public:
  ShuffledBatches(std::int64_t count, std::int64_t size, std::uint64_t seed);
  torch::Tensor next();

 private:
  std::int64_t count_, size_;
  std::uint64_t seed_, epoch_ = 0;
  std::int64_t at_ = 0;
  torch::Tensor order_;
};

}  // namespace abacus::quant
