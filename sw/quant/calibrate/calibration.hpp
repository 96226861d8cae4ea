// Watches the float network on training images: how large its tensors are.
#pragma once

#include <functional>
#include <vector>

#include "sw/network/dataset.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/quant/calibrate/magnitude_histogram.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {

// The images that a quantizer may look at: never a test image.
struct CalibrationData {
  const network::Dataset& images;
  network::Normalization normalization;
  train::Augmentation augmentation;
  std::uint64_t seed = 0;
  int batch = 200;
};

// Called after each batch with the number of images done.
using ImagesDone = std::function<void(std::int64_t)>;

// Gives `work` the first `count` images of a random order, batch by batch, augmented; more than the
// data set holds begin it again, augmented anew.
void for_each_batch(const CalibrationData& data, std::int64_t count,
                    const std::function<void(const torch::Tensor& images)>& work,
                    const ImagesDone& done);

// Of one folded layer's output in the float network.
struct TensorStatistics {
  MagnitudeHistogram magnitudes;
  double quantile = 0;  // magnitude_quantile, its maximum over the batches: r_x of AdderQuant
};

std::vector<TensorStatistics> calibrate(train::FloatNetwork& network,
                                        const std::vector<network::FoldedLayer>& folded,
                                        const CalibrationData& data, std::int64_t count,
                                        double alpha, const ImagesDone& done);

}  // namespace abacus::quant
