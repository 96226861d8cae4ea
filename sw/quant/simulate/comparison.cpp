#include "sw/quant/simulate/comparison.hpp"

#include <algorithm>

#include "sw/network/dataset_match.hpp"
#include "sw/quant/simulate/simulation.hpp"
#include "sw/train/batches.hpp"

namespace abacus::quant {

Comparison compare_with_float(QuantizedNetwork& network, train::FloatNetwork& float_network,
                              const network::Dataset& images,
                              const QuantizationProgress& progress) {
  network::check_image_shape("network", network.network.input, images);
  torch::NoGradGuard no_gradient;
  const train::BatchNormMode mode = float_network.batch_norm_mode();
  float_network.set_batch_norm_mode(train::BatchNormMode::inference);
  Simulation simulation(network, ScaleArithmetic::fixed_point);
  constexpr std::int64_t batch = 200;
  Comparison result;
  std::int64_t agreeing = 0;
  double divergence = 0;
  for (std::int64_t first = 0; first < images.count(); first += batch) {
    const std::int64_t size = std::min(batch, images.count() - first);
    const torch::Tensor pixels =
        train::make_batch(images, network.normalization, first, size).images;
    const torch::Tensor wanted = float_network.forward(pixels).log_softmax(1);
    const torch::Tensor found = simulation.forward(pixels).log_softmax(1);
    agreeing += found.argmax(1).eq(wanted.argmax(1)).sum().item<std::int64_t>();
    divergence += (wanted.exp() * (wanted - found)).sum().item<double>();
    if (progress) progress("comparison", first + size, images.count());
  }
  float_network.set_batch_norm_mode(mode);
  result.images = images.count();
  result.agreement_percent =
      100.0 * static_cast<double>(agreeing) / static_cast<double>(result.images);
  result.divergence = divergence / static_cast<double>(result.images);
  return result;
}

}  // namespace abacus::quant
