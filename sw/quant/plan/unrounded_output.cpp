#include "sw/quant/plan/unrounded_output.hpp"

#include "sw/support/overloaded.hpp"

namespace abacus {

torch::Tensor unrounded_output(const QuantizedNetwork& network, std::size_t index,
                               const torch::Tensor& input, const torch::Tensor& residual,
                               const std::function<torch::Tensor()>& convolve) {
  const QuantizedLayer& layer = network.layers[index];
  const double gain = network.tensor(layer.folded.input).scale / layer.output.scale;
  return std::visit(
      Overloaded{
          [&](const Convolution&) { return convolve(); },
          [&](const Add&) {
            return input * gain +
                   residual * (network.tensor(layer.folded.residual).scale / layer.output.scale);
          },
          [&](const AveragePool& of) {
            return torch::avg_pool2d(input, of.kernel, of.stride) * gain;
          },
          [&](const MaxPool& of) { return torch::max_pool2d(input, of.kernel, of.stride) * gain; },
          [](const BatchNorm&) -> torch::Tensor { throw_folded_away(); },
          [](const Relu&) -> torch::Tensor { throw_folded_away(); }},
      network.source(index).kind);
}

}  // namespace abacus
