#include "sw/quant/calibrate/batch_norm_estimation.hpp"

#include <memory>
#include <string>
#include <vector>

#include "sw/quant/simulate/simulation.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {
namespace {

std::vector<float> values(const torch::Tensor& tensor) {
  return train::from_torch(tensor).values<float>();
}

// Moves the trained statistics as quantization moved the estimates.
void correct(QuantizedNetwork& network, const std::vector<BatchNormChannels>& trained,
             const train::FloatNetwork& float_network) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    QuantizedLayer& layer = network.layers[i];
    if (layer.folded.batch_norm == network::no_tensor) continue;
    const std::string& name =
        network.network.layers[static_cast<std::size_t>(layer.folded.batch_norm)].name;
    const std::vector<float> mean = values(float_network.parameter(name + ".running_mean"));
    const std::vector<float> variance = values(float_network.parameter(name + ".running_var"));
    for (std::size_t o = 0; o < mean.size(); ++o) {
      layer.batch_norm.mean[o] += trained[i].mean[o] - static_cast<double>(mean[o]);
      // A channel that never varies has no ratio to correct by.
      if (variance[o] > 0) {
        layer.batch_norm.variance[o] *= trained[i].variance[o] / static_cast<double>(variance[o]);
      }
    }
  }
}

}  // namespace

void estimate_batch_norms(QuantizedNetwork& network, const network::Checkpoint& checkpoint,
                          const CalibrationData& data, BatchNormEstimation estimation,
                          std::int64_t count, const QuantizationProgress& progress) {
  if (estimation == BatchNormEstimation::kept || estimation == BatchNormEstimation::fitted) return;
  std::unique_ptr<train::FloatNetwork> float_network;
  std::vector<BatchNormChannels> trained;
  if (estimation == BatchNormEstimation::corrected) {
    float_network = std::make_unique<train::FloatNetwork>(checkpoint.network, checkpoint.tensors);
    float_network->set_batch_norm_mode(train::BatchNormMode::re_estimation);
    for (const QuantizedLayer& layer : network.layers) trained.push_back(layer.batch_norm);
  }
  Simulation simulation(network);
  simulation.begin_re_estimation();
  for_each_batch(
      data, count,
      [&](const torch::Tensor& images) {
        torch::NoGradGuard no_gradient;
        simulation.forward(images);
        if (float_network) float_network->forward(images);
      },
      [&](std::int64_t done) {
        if (progress) progress("BatchNorm", done, count);
      });
  simulation.end_re_estimation();
  if (float_network) correct(network, trained, *float_network);
}

}  // namespace abacus::quant
