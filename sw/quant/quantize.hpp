// Post-training quantization: a trained float network in, an integer network out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/train/batches.hpp"

namespace abacus {

enum class QuantizationScheme {
  adderquant_ptq,  // adder networks: AdderQuant (adder_quantizer.hpp)
  uniform_ptq      // ordinary networks: per-channel symmetric weights (uniform_quantizer.hpp)
};

// "adderquant-ptq", "uniform-ptq".
const std::vector<std::string>& quantization_scheme_names();
std::string to_string(QuantizationScheme scheme);
// Throws std::invalid_argument naming the text and the allowed values.
QuantizationScheme quantization_scheme_from_string(const std::string& text);

// What BatchNorm's mean and variance become once the layers before it are quantized.
enum class BatchNormEstimation {
  kept,       // the checkpoint's
  estimated,  // those of the quantized network on training images, as the authors' code does
  corrected   // the checkpoint's, moved by the difference between the quantized and the float
              // network on the same images: needs fewer images, since their choice cancels out
};
BatchNormEstimation batch_norm_estimation_from_string(const std::string& text);
std::string to_string(BatchNormEstimation estimation);

struct QuantizationOptions {
  QuantizationScheme scheme = QuantizationScheme::adderquant_ptq;
  int weight_bits = 8;      // of the layers between the edges, 2 … 8
  int activation_bits = 8;  // likewise
  int storage_bits = 8;     // of the tensors between layers, 2 … 16
  BatchNormEstimation batch_norm = BatchNormEstimation::estimated;
  std::int64_t calibration_images = 2000;
  std::int64_t batch_norm_images = 8000;
  Augmentation augmentation;  // of the training images, as in the network's training
  std::uint64_t seed = 1;

  // AdderQuant's parts.
  int groups = 4;  // 1: no groups
  bool weight_clamp = true;
  bool activation_clamp = true;  // false: the activations' range is their maximum
  // Share of the activations within their range; without a value, default_alpha().
  std::optional<double> alpha;
};

// The more levels, the less there is to gain by giving up the largest activations. Chosen on
// training images held out from calibration (docs/quantization.md); the paper has 0.999 for all.
double default_alpha(int activation_bits);

// Throws std::invalid_argument naming the option, what was found and what is allowed.
void check(const QuantizationOptions& options);

// Throws std::invalid_argument naming `source` (the checkpoint's file), scheme and arithmetic if the
// scheme is not for the checkpoint's kind of network.
void check_scheme(QuantizationScheme scheme, const Checkpoint& checkpoint,
                  const std::string& source);

// One line of text that is the same for the same options; hashed, the package's recipe.
std::string to_string(const QuantizationOptions& options);

// The augmentation that the checkpoint's training used, as far as its recorded command says; else
// pad by 4, crop and flip, AdderNet's and everyone's for these data sets.
Augmentation training_augmentation(const Checkpoint& checkpoint);

// Told what is being done and how much of it: images.
using QuantizationProgress =
    std::function<void(const std::string& stage, std::int64_t done, std::int64_t total)>;

// `training`: images for calibration and BatchNorm re-estimation. `evaluation`: images on which to
// measure the fake-quantized accuracy, may be null. The result has passed validate(); its origin
// lacks only the hashes, which are files' business. The same arguments give the same result,
// bit for bit, on the same machine. Throws std::invalid_argument for options out of range, a scheme
// that is not for the network's arithmetic, or images of another shape.
IntegerNetwork quantize(const Checkpoint& checkpoint, const Dataset& training,
                        const Dataset* evaluation, const QuantizationOptions& options,
                        const QuantizationProgress& progress);

}  // namespace abacus
