#include "sw/quant/qat/byte_teacher.hpp"

#include <cstddef>
#include <vector>

#include "sw/network/graph_folding.hpp"
#include "sw/train/adder_functions.hpp"

namespace abacus::quant {

train::ForwardHooks byte_teacher_hooks(train::FloatNetwork& network) {
  std::vector<bool> after_relu(network.network().layers.size(), false);
  const std::vector<network::FoldedLayer> folded = network::fold_graph(network.network());
  for (const network::FoldedLayer& layer : folded) {
    after_relu[static_cast<std::size_t>(layer.layer)] =
        layer.input >= 0 && folded[static_cast<std::size_t>(layer.input)].nonnegative;
  }
  train::ForwardHooks hooks;
  hooks.compute = [&network, after_relu](int index, const std::vector<torch::Tensor>& inputs) {
    const std::size_t i = static_cast<std::size_t>(index);
    const network::Layer& layer = network.network().layers[i];
    if (!layer.computes(network::Arithmetic::adder) || layer.convolution().bias || !after_relu[i]) {
      return torch::Tensor();
    }
    return train::adder_conv2d_int8(inputs[0], network.parameter(layer.name + ".weight"),
                                    layer.convolution().stride, layer.convolution().padding);
  };
  return hooks;
}

}  // namespace abacus::quant
