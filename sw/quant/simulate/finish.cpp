#include "sw/quant/simulate/finish.hpp"

#include <algorithm>

#include "sw/quant/simulate/simulation.hpp"
#include "sw/train/batches.hpp"

namespace abacus::quant {

double fake_quantized_accuracy(QuantizedNetwork& network, const network::Dataset& images,
                               const QuantizationProgress& progress) {
  Simulation simulation(network, ScaleArithmetic::fixed_point);
  constexpr std::int64_t batch = 200;
  std::int64_t correct = 0;
  for (std::int64_t first = 0; first < images.count(); first += batch) {
    const std::int64_t size = std::min(batch, images.count() - first);
    const train::Batch part = train::make_batch(images, network.normalization, first, size);
    correct += simulation.forward(part.images).argmax(1).eq(part.labels).sum().item<std::int64_t>();
    if (progress) progress("evaluation", first + size, images.count());
  }
  return 100.0 * static_cast<double>(correct) / static_cast<double>(images.count());
}

network::IntegerNetwork finish(QuantizedNetwork& network, const network::Checkpoint& checkpoint,
                               const std::string& scheme, int weight_bits, int activation_bits,
                               const network::Dataset* evaluation,
                               const QuantizationProgress& progress) {
  network::IntegerNetwork result = to_integer_network(network);
  result.origin.dataset = checkpoint.dataset;
  result.origin.scheme = scheme;
  result.origin.weight_bits = weight_bits;
  result.origin.activation_bits = activation_bits;
  result.origin.float_accuracy_percent = checkpoint.float_accuracy_percent;
  network::validate(result, "quantized network");
  if (evaluation != nullptr) {
    result.origin.fake_quantized_accuracy_percent =
        fake_quantized_accuracy(network, *evaluation, progress);
  }
  return result;
}

}  // namespace abacus::quant
