// A float network and an integer package of it side by side on the same images: how far the
// package's tensors are from the float network's, and what a layer's activations lose where the read
// quantizer narrows them (ASQ, "Precision Neural Network Quantization via Learnable Adaptive
// Modules", section 4.5, Figures 4 to 6). The package's integers are those of the reference executor.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sw/network/dataset.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {

// Of one value an image.
class ImageStatistics {
 public:
  void add(double value);
  std::int64_t count() const { return count_; }
  double mean() const { return mean_; }
  double deviation() const;  // sample standard deviation; 0 of fewer than two values
  double lowest() const { return lowest_; }
  double highest() const { return highest_; }

 private:
  std::int64_t count_ = 0;
  double mean_ = 0, squares_ = 0;  // squares: of the deviations from the mean, summed up
  double lowest_ = 0, highest_ = 0;
};

// Counts of values in bins of one width; bin i covers from first + i·width.
struct ValueCounts {
  double first = 0;
  double width = 1;
  std::vector<std::int64_t> counts;
};

// x: real values of the tensor in the float network; x̂: of the package, scale × integer.
struct ComparedLayer {
  std::string name;
  bool has_residual = false;  // a residual block ends in it
  // What the layer stores, L2 norms of the whole tensor.
  ImageStatistics output_norm;   // ‖x‖
  ImageStatistics output_error;  // ‖x − x̂‖

  // What the layer reads, both within the package: v as it is stored, v̂ as the array sees it. Of
  // convolutions with one read quantizer of two bits and more, not at the edges; of others nothing.
  bool quantizes = false;
  int lowest_level = 0;
  double step = 0;              // that v̂ are multiples of; with a step adapter that of β = 1
  ImageStatistics step_factor;  // β, by which an adapter multiplies it; 1 without one
  ImageStatistics input_norm;   // ‖v‖
  ImageStatistics input_error;  // ‖v − v̂‖
  // ‖v − v̂‖ if the step were chosen by hindsight, for least squares: one step for all images, and
  // for each image its own. But for the distance between the steps tried (step_ladder.hpp), no adapter
  // does better than the second.
  ImageStatistics common_step_error;
  ImageStatistics own_step_error;
  ImageStatistics own_step_factor;  // that step over `step`: the β of an ideal adapter
  ImageStatistics levels_used;      // different levels that an image's operands take
  ValueCounts levels;               // of the operands; bins of width 1 around the level
  ValueCounts stored;               // of v; bins of the stored tensor's scale
  ValueCounts quantized;  // of v̂, in the same bins; what lies beyond counts in the outer ones
};

// One entry a layer of the package. `network` must be the float network of the package's name, else
// std::invalid_argument naming the first layer that differs; likewise for images of another shape, or
// none.
std::vector<ComparedLayer> compare_activations(const network::IntegerNetwork& package,
                                               train::FloatNetwork& network,
                                               const network::Normalization& normalization,
                                               const network::Dataset& images,
                                               const std::function<void(std::int64_t)>& done);

}  // namespace abacus::quant
