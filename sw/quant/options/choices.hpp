// What a quantization lets a user choose from, and the choices' names: in the order of the values.
#pragma once

#include <string>
#include <vector>

namespace abacus::quant {

// What BatchNorm's mean and variance become once the layers before it are quantized.
enum class BatchNormEstimation {
  kept,       // the checkpoint's
  estimated,  // those of the quantized network on training images, as the authors' code does
  corrected,  // the checkpoint's, moved by the difference between the quantized and the float
              // network on the same images: needs fewer images, since their choice cancels out
  fitted      // layer by layer, the affine map a channel that brings the quantized layer nearest to
              // the float network's outputs on the same images (layer_calibration.hpp)
};
const std::vector<std::string>& batch_norm_estimation_names();

// By what output channels are grouped: the paper's Table 5.
enum class GroupMethod {
  max,     // k-means on max|W_c|, exactly (eqs. 14 and 15)
  mean,    // k-means on mean|W_c|, exactly
  all,     // k-means on the whole vectors W_c
  uniform  // no clustering: runs of equal length in the channels' order
};
const std::vector<std::string>& group_method_names();

// How α makes the activations' range (section 3.2).
enum class ActivationRange {
  percentile,  // r_x = the ⌈α(n − 1)⌉-th smallest |x|
  alpha_max    // r_x = α · max|x|: the alternative that the paper argues against
};
const std::vector<std::string>& activation_range_names();

// qssf-ptq: whose range gives a layer's one scale (section 2.1, eqs. 8 to 10; Proposition 1).
enum class SharedScale { activations, weights };
const std::vector<std::string>& shared_scale_names();

// How an adder layer's range is chosen.
enum class RangeSearch {
  none,         // from the activations' distribution alone: α
  output_error  // the ones that leave the layer's output nearest to the float network's
};
const std::vector<std::string>& range_search_names();

enum class WeightRounding {
  nearest,
  output_error  // adder layers: weight after weight, to the level that leaves the least error in the
                // layer's output (adder_rounding.hpp)
};
const std::vector<std::string>& weight_rounding_names();

// Adder networks: what is learned after quantizing, without labels.
enum class Reconstruction {
  none,
  block,   // each residual block (reconstruction.hpp)
  network  // all of it at once (network_reconstruction.hpp)
};
const std::vector<std::string>& reconstruction_names();

}  // namespace abacus::quant
