#include "sw/quant/qat/qat_quantizers.hpp"

#include <cstddef>
#include <stdexcept>

namespace abacus {
namespace {

std::size_t place_among(const std::vector<std::string>& names, const std::string& text,
                        const std::string& what) {
  std::string allowed;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return i;
    allowed += (i == 0 ? "" : ", ") + names[i];
  }
  throw std::invalid_argument("unknown " + what + " \"" + text + "\"; allowed: " + allowed);
}

}  // namespace

std::string to_string(const QatQuantizers& quantizers) {
  return to_string(quantizers.weights) + "-" + to_string(quantizers.activations);
}

bool has_step_start(const QatQuantizers& quantizers) {
  return quantizers.weights == WeightQuantizer::lsq ||
         quantizers.activations == ActivationQuantizer::lsq ||
         quantizers.activations == ActivationQuantizer::asq;
}

const std::vector<std::string>& step_start_names() {
  static const std::vector<std::string> names = {"lsq", "mse"};
  return names;
}

std::string to_string(StepStart start) {
  return step_start_names().at(static_cast<std::size_t>(start));
}

StepStart step_start_from_string(const std::string& text) {
  return static_cast<StepStart>(place_among(step_start_names(), text, "start of steps"));
}

const std::vector<std::string>& adapter_start_names() {
  static const std::vector<std::string> names = {"one", "fitted"};
  return names;
}

std::string to_string(AdapterStart start) {
  return adapter_start_names().at(static_cast<std::size_t>(start));
}

AdapterStart adapter_start_from_string(const std::string& text) {
  return static_cast<AdapterStart>(place_among(adapter_start_names(), text, "start of adapters"));
}

void set_quantizers(QuantizationPlan& plan, const Checkpoint& checkpoint,
                    const std::vector<FoldedLayer>& folded,
                    const std::vector<double>& mean_magnitudes, const QatQuantizers& quantizers,
                    std::uint64_t seed) {
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const Layer& layer = checkpoint.network.layers[static_cast<std::size_t>(folded[i].layer)];
    if (!layer.is<Convolution>() || layer.convolution().edge) continue;
    ConvolutionPlan& of = plan.convolutions[i];
    WeightPlan weights{quantizers.weights, of.weight_bits, quantizers.magnitudes, {}};
    const bool from_rule = quantizers.step_start == StepStart::lsq;
    if (quantizers.weights == WeightQuantizer::lsq && !from_rule) {
      weights.parameters = of.weight_step;
    } else {
      weights.parameters =
          initial_parameters(weights, checkpoint.tensors.at(layer.name + ".weight").values<float>(),
                             layer.output.channels);
    }
    of.weights = weights;
    of.activations = quantizers.activations;
    const bool adapts = quantizers.activations == ActivationQuantizer::asq;
    if (adapts) of.adapter = initial_adapter(layer.input.channels, seed << 16 | i);
    if (folded[i].input == image_tensor || !from_rule) continue;
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
