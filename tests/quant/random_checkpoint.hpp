// Networks with parameters drawn at random, of the sizes that trained ones have.
#pragma once

#include <random>
#include <string>

#include "sw/network/checkpoint.hpp"
#include "sw/train/modules.hpp"

namespace abacus::test {

// Weights as before training, but those of adders, which grow until they pass most activations:
// here five times as large. BatchNorms that pass on about unit deviation: their statistics are
// estimated on `images`, their weights and biases drawn around 1 and 0.
inline network::Checkpoint random_checkpoint(const std::string& name,
                                             network::Arithmetic arithmetic, network::Shape image,
                                             int classes, const torch::Tensor& images,
                                             unsigned seed) {
  network::Checkpoint checkpoint;
  checkpoint.network = network::make_network(name, arithmetic, image, classes);
  checkpoint.dataset = "fashion-mnist";
  checkpoint.normalization.mean = {0.4F, 0.4F, 0.4F};
  checkpoint.normalization.deviation = {0.3F, 0.3F, 0.3F};
  checkpoint.command = "abacus-train train --crop-padding 1 --flip";
  train::FloatNetwork network(checkpoint.network, seed);
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> spread(-0.3F, 0.3F);
  for (const network::Layer& layer : checkpoint.network.layers) {
    if (layer.computes(network::Arithmetic::adder)) {
      const std::string weights = layer.name + ".weight";
      network.set_parameter(weights, network.parameter(weights).detach() * 5);
    }
    if (!layer.is<network::BatchNorm>()) continue;
    torch::Tensor weight = torch::empty({layer.output.channels});
    torch::Tensor bias = torch::empty({layer.output.channels});
    for (int c = 0; c < layer.output.channels; ++c) {
      weight[c] = 1.0F + spread(random);
      bias[c] = spread(random);
    }
    network.set_parameter(layer.name + ".weight", weight);
    network.set_parameter(layer.name + ".bias", bias);
  }
  torch::NoGradGuard no_gradient;
  network.set_batch_norm_mode(train::BatchNormMode::re_estimation);
  network.forward(images);
  checkpoint.tensors = network.tensors();
  return checkpoint;
}

}  // namespace abacus::test
