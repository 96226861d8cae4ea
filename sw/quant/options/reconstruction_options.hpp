// The settings of the two reconstructions.
#pragma once

#include <cstdint>

namespace abacus::quant {

class CompletedOptions;

// Adder networks (reconstruction.hpp).
struct ReconstructionOptions {
  std::int64_t images = 2048;           // augmented training images
  std::int64_t iterations = 200;        // a unit
  std::int64_t network_iterations = 0;  // then, of the whole network's BatchNorms; on images that
      // the network has not seen they did harm (docs/quantization.md)
  std::int64_t batch = 64;
  // Adam's rates at the start; half a cosine to 0.
  double weight_rate = 0.02;         // in levels of the weights' grid
  double norm_rate = 0.004;          // of BatchNorm's weight and bias
  double step_rate = 0.002;          // of the grids' steps, relative to them; 0: they stay
  double network_norm_rate = 0.002;  // of BatchNorm's in the whole network's iterations
  std::uint64_t seed = 1;
};

// Adder networks (network_reconstruction.hpp).
struct NetworkReconstructionOptions {
  std::int64_t images = 16384;     // training images, augmented anew in every pass
  std::int64_t iterations = 1000;  // of the whole network
  std::int64_t batch = 128;
  double rate = 0.002;  // Adam's at the start; half a cosine to 0
  // Divides both networks' scores before the softmax (Hinton et al., "Distilling the knowledge in a
  // neural network", 2015): a network that is sure of its training images tells more by it.
  double temperature = 4;
  std::uint64_t seed = 1;
};

// Ordinary networks (brecq.hpp). The paper has 20,000 iterations, 5,000 of the activations.
struct BrecqOptions {
  std::int64_t images = 1024;                // augmented training images
  std::int64_t iterations = 2000;            // a unit, of the weights
  std::int64_t activation_iterations = 500;  // a unit, of the activations' steps
  std::int64_t batch = 32;
  std::uint64_t seed = 1;
};

// Throw std::invalid_argument naming the option, what was found and what is allowed.
void check(const ReconstructionOptions& options);
void check(const NetworkReconstructionOptions& options);
void check(const BrecqOptions& options);

// A quantization's settings.
ReconstructionOptions reconstruction_options(const CompletedOptions& options);
NetworkReconstructionOptions network_reconstruction_options(const CompletedOptions& options);
BrecqOptions brecq_options(const CompletedOptions& options);

}  // namespace abacus::quant
