#include "sw/quant/qat_quantizers.hpp"

#include <cstddef>

namespace abacus {

std::string to_string(const QatQuantizers& quantizers) {
  return to_string(quantizers.weights) + "-" + to_string(quantizers.activations);
}

void set_quantizers(QuantizationPlan& plan, const Checkpoint& checkpoint,
                    const std::vector<FoldedLayer>& folded,
                    const std::vector<double>& mean_magnitudes, const QatQuantizers& quantizers,
                    std::uint64_t seed) {
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const Layer& layer = checkpoint.network.layers[static_cast<std::size_t>(folded[i].layer)];
    if (folded[i].kind != IntegerLayerKind::convolution || layer.edge) continue;
    ConvolutionPlan& of = plan.convolutions[i];
    WeightPlan weights{quantizers.weights, of.weight_bits, quantizers.magnitudes, {}};
    weights.parameters =
        initial_parameters(weights, checkpoint.tensors.at(layer.name + ".weight").values<float>(),
                           layer.output.channels);
    of.weights = weights;
    of.activations = quantizers.activations;
    const bool adapts = quantizers.activations == ActivationQuantizer::asq;
    if (adapts) of.adapter = initial_adapter(layer.input.channels, seed + i);
    if (folded[i].input == image_tensor) continue;
    const std::size_t input = static_cast<std::size_t>(folded[i].input);
    // Operands as wide as what is stored pass through as they are.
    const bool narrower = of.activation_bits < plan.outputs[input].bits;
    if (adapts || (narrower && quantizers.activations == ActivationQuantizer::lsq)) {
      of.activation_step = lsq_start(mean_magnitudes[input],
                                     highest_integer(of.activation_bits, of.activation_signed));
    }
  }
}

}  // namespace abacus
