#include "sw/quant/plan/unrounded_output.hpp"

#include "sw/support/overloaded.hpp"

namespace abacus::quant {

torch::Tensor unrounded_output(const QuantizedNetwork& network, std::size_t index,
                               const torch::Tensor& input, const torch::Tensor& residual,
                               const std::function<torch::Tensor()>& convolve) {
  const QuantizedLayer& layer = network.layers[index];
  const double gain = network.tensor(layer.folded.input).scale / layer.output.scale;
  return std::visit(
      support::Overloaded{
          [&](const network::Convolution&) { return convolve(); },
          [&](const network::Add&) {
            return input * gain +
                   residual * (network.tensor(layer.folded.residual).scale / layer.output.scale);
          },
          [&](const network::AveragePool& of) {
            return torch::avg_pool2d(input, of.kernel, of.stride) * gain;
          },
          [&](const network::MaxPool& of) {
            return torch::max_pool2d(input, of.kernel, of.stride) * gain;
          },
          [](const network::BatchNorm&) -> torch::Tensor { network::throw_folded_away(); },
          [](const network::Relu&) -> torch::Tensor { network::throw_folded_away(); }},
      network.source(index).kind);
}

}  // namespace abacus::quant
