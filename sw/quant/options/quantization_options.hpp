// What a user chooses for a quantization, and the names of the choices.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/train/batches.hpp"

namespace abacus {

enum class QuantizationScheme {
  adderquant_ptq,   // adder networks: AdderQuant (adder_quantizer.hpp)
  qssf_ptq,         // adder networks: one scale for weights and activations of a layer
  nonnegative_ptq,  // adder networks whose adder layers all follow ReLUs: OperandGrid::nonnegative
  best_ptq,         // the same grid with everything that helps (docs/quantization.md)
  uniform_ptq,      // ordinary networks: per-channel symmetric weights (uniform_quantizer.hpp)
  brecq,            // ordinary networks: block reconstruction with AdaRound (brecq.hpp)
  pot,              // ordinary networks: weights ±2^−i, ±2^(−i/2) or sums of powers of two
  post,             // (weight_quantizer.hpp)
  apot,
  bnn,         // binary networks, which have one bit from their training (binary_quantizer.hpp)
  shift,       // networks of shift layers, whose weights are powers of two (shift_quantizer.hpp)
  shiftaddnet  // ShiftAddNets: shift layers as they are, adder layers as of adderquant_ptq
};

// "adderquant-ptq", "qssf-ptq", "nonnegative-ptq", "best-ptq", "uniform-ptq", "brecq", "pot", "post",
// "apot", "bnn", "shift", "shiftaddnet".
const std::vector<std::string>& quantization_scheme_names();
std::string to_string(QuantizationScheme scheme);
// Throws std::invalid_argument naming the text and the allowed values; so do the others below.
QuantizationScheme quantization_scheme_from_string(const std::string& text);

// The quantizer of the weights between the edges, of schemes that have one of weight_quantizer.hpp.
std::optional<WeightQuantizer> level_quantizer(QuantizationScheme scheme);

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
BatchNormEstimation batch_norm_estimation_from_string(const std::string& text);
std::string to_string(BatchNormEstimation estimation);

// By what output channels are grouped: the paper's Table 5.
enum class GroupMethod {
  max,     // k-means on max|W_c|, exactly (eqs. 14 and 15)
  mean,    // k-means on mean|W_c|, exactly
  all,     // k-means on the whole vectors W_c
  uniform  // no clustering: runs of equal length in the channels' order
};
const std::vector<std::string>& group_method_names();  // "max", "mean", "all", "uniform"
GroupMethod group_method_from_string(const std::string& text);
std::string to_string(GroupMethod method);

// How α makes the activations' range (section 3.2).
enum class ActivationRange {
  percentile,  // r_x = the ⌈α(n − 1)⌉-th smallest |x|
  alpha_max    // r_x = α · max|x|: the alternative that the paper argues against
};
const std::vector<std::string>& activation_range_names();  // "percentile", "alpha-max"
ActivationRange activation_range_from_string(const std::string& text);
std::string to_string(ActivationRange range);

// qssf-ptq: whose range gives a layer's one scale (section 2.1, eqs. 8 to 10; Proposition 1).
enum class SharedScale { activations, weights };
const std::vector<std::string>& shared_scale_names();  // "activations", "weights"
SharedScale shared_scale_from_string(const std::string& text);
std::string to_string(SharedScale scale);

// How an adder layer's range is chosen.
enum class RangeSearch {
  none,         // from the activations' distribution alone: α
  output_error  // the ones that leave the layer's output nearest to the float network's
};
const std::vector<std::string>& range_search_names();  // "none", "output-error"
RangeSearch range_search_from_string(const std::string& text);
std::string to_string(RangeSearch search);

enum class WeightRounding {
  nearest,
  output_error  // adder layers: weight after weight, to the level that leaves the least error in the
                // layer's output (adder_rounding.hpp)
};
const std::vector<std::string>& weight_rounding_names();  // "nearest", "output-error"
WeightRounding weight_rounding_from_string(const std::string& text);
std::string to_string(WeightRounding rounding);

// Adder networks: what is learned after quantizing, without labels.
enum class Reconstruction {
  none,
  block,   // each residual block (reconstruction.hpp)
  network  // all of it at once (network_reconstruction.hpp)
};
const std::vector<std::string>& reconstruction_names();  // "none", "block", "network"
Reconstruction reconstruction_from_string(const std::string& text);
std::string to_string(Reconstruction reconstruction);

// Options without a value get their scheme's default, with_defaults().
struct QuantizationOptions {
  QuantizationScheme scheme = QuantizationScheme::adderquant_ptq;
  int weight_bits = 8;      // of the layers between the edges, 2 … 8
  int activation_bits = 8;  // likewise
  int storage_bits = 8;     // of the tensors between layers, 2 … 16
  std::optional<BatchNormEstimation> batch_norm;
  std::int64_t calibration_images = 2000;
  std::int64_t batch_norm_images = 8000;
  Augmentation augmentation;  // of the training images, as in the network's training
  std::uint64_t seed = 1;
  // Exponent weights: fraction bits of the taps; 2 … 12, at most so many; of POST's, which a lookup
  // table holds, 2 … 8, just so many. No value: default_fraction_bits, of POST's usual_table_fraction_bits(). Training takes it with such quantizers (check_quantizers()).
  std::optional<int> fraction_bits;

  // Adder layers. Which schemes take which is in docs/quantization.md; check() refuses the others.
  std::optional<int> groups;  // 1: no groups
  std::optional<GroupMethod> group_method;
  std::optional<bool> weight_clamp;
  std::optional<bool> activation_clamp;  // false: the activations' range is their maximum
  std::optional<ActivationRange> activation_range;
  // Share of the activations within their range, or of their maximum; in (0, 1].
  std::optional<double> alpha;
  std::optional<OperandGrid> operand_grid;
  std::optional<SharedScale> shared_scale;
  std::optional<RangeSearch> range_search;
  std::optional<WeightRounding> weight_rounding;
  std::optional<Reconstruction> reconstruction;

  // Of reconstruction, and of scheme brecq (docs/reconstruction.md).
  std::optional<std::int64_t> reconstruction_images;
  std::optional<std::int64_t> iterations;             // a unit; of the whole network, in all
  std::optional<double> temperature;                  // network: divides the scores; above 0
  std::optional<std::int64_t> network_iterations;     // block
  std::optional<std::int64_t> activation_iterations;  // brecq: a unit, of the activations' steps
};

// The more levels, the less there is to gain by giving up the largest activations. Chosen on
// training images held out from calibration (docs/quantization.md); the paper has 0.999 for all.
double default_alpha(int activation_bits);

// The options with a value for everything that the scheme takes, and for nothing else.
QuantizationOptions with_defaults(QuantizationOptions options);

// Throws std::invalid_argument naming the option, what was found and what is allowed; for an option
// that the scheme does not take, the schemes that do.
void check(const QuantizationOptions& options);

// Throws std::invalid_argument naming `source` (the checkpoint's file), scheme and arithmetic if the
// scheme is not for the checkpoint's kind of network.
void check_scheme(QuantizationScheme scheme, const Checkpoint& checkpoint,
                  const std::string& source);

// One line of text that is the same for the same options (defaults spelled out or not); hashed, the
// package's recipe.
std::string to_string(const QuantizationOptions& options);

// The augmentation that the checkpoint's training used, as far as its recorded command says; else
// pad by 4, crop and flip, AdderNet's and everyone's for these data sets.
Augmentation training_augmentation(const Checkpoint& checkpoint);

// Told what is being done and how much of it: images.
using QuantizationProgress =
    std::function<void(const std::string& stage, std::int64_t done, std::int64_t total)>;

}  // namespace abacus
