// A network on its integer grids, BatchNorm still in real numbers: what the simulation runs, what
// re-estimation adjusts, and what becomes the integer network in the end.
#pragma once

#include <vector>

#include "sw/network/dataset.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/quant/plan/fixed_point.hpp"
#include "sw/quant/plan/quantized_convolution.hpp"

namespace abacus::quant {

// weight · (y − mean) / √(variance + epsilon) + bias; one entry a channel each.
struct BatchNormChannels {
  static constexpr double epsilon = network::BatchNorm::epsilon;

  std::vector<double> weight, bias, mean, variance;
};

struct QuantizedLayer {
  network::FoldedLayer folded;
  network::StoredTensor output;
  QuantizedConvolution convolution;                     // convolution only
  std::vector<network::ReadQuantizer> read_quantizers;  // convolution only; one a group
  BatchNormChannels batch_norm;                         // empty if there is none
};

struct QuantizedNetwork {
  network::Network network;
  network::StoredTensor image;
  network::Normalization normalization;
  std::vector<QuantizedLayer> layers;

  const network::StoredTensor& tensor(int index) const {
    return index == network::image_tensor ? image : layers[static_cast<std::size_t>(index)].output;
  }
  // The float network's layer that it stands for: convolution, addition or pool.
  const network::Layer& source(std::size_t layer) const {
    return network.layers[static_cast<std::size_t>(layers[layer].folded.layer)];
  }
  std::vector<network::FoldedLayer> folded() const;
};

// Output integer of a convolution as a function of its accumulator, residual and ReLU aside:
// BatchNorm, steps and offsets in one affine map a channel, centred on BatchNorm's mean. A channel
// whose accumulator does not vary, by BatchNorm's variance, is the constant that BatchNorm makes of it.
std::vector<AffineChannel> affine_channels(const QuantizedLayer& layer);

// The integer of a normalised pixel value.
int quantize_pixel(const network::StoredTensor& image, float value);

// Rounds the affine maps to fixed point and spells out the integer network (origin left empty, but
// for network and arithmetic). Throws std::range_error naming the layer where a factor does not fit.
network::IntegerNetwork to_integer_network(const QuantizedNetwork& network);

}  // namespace abacus::quant
