// How far a quantized network's answers are from its float network's, whatever the labels say: the
// measure by which options are chosen, since it works on images that the network has not been
// trained on and that nobody has labelled.
#pragma once

#include <cstdint>

#include "sw/network/dataset.hpp"
#include "sw/quant/options/quantization_progress.hpp"
#include "sw/quant/plan/quantized_network.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {

struct Comparison {
  std::int64_t images = 0;
  double agreement_percent = 0;  // share of the images that both give the same class
  // Mean of Σ p·ln(p/q) over the images; p: class probabilities of the float network, q: of the
  // quantized one (softmax of the scores). In nats.
  double divergence = 0;
};

// On plain images, with fixed-point scales (simulation.hpp). `images` may be of another data set
// than the network's, but of the same shape, else std::invalid_argument; so for no images.
Comparison compare_with_float(QuantizedNetwork& network, train::FloatNetwork& float_network,
                              const network::Dataset& images, const QuantizationProgress& progress);

}  // namespace abacus::quant
