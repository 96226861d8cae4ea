#include "benchmarks/bare_kernel.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace abacus::benchmarks {
namespace {

constexpr int accumulators_at_once = 2048;

models::TapFormat tap_format(const network::IntegerLayer& layer) {
  models::TapFormat format;
  format.kind = layer.arithmetic == network::Arithmetic::adder ? hw::TapKind::absolute_difference
                                                               : hw::TapKind::product;
  format.weight_bits = layer.weight_bits;
  format.weight_signed = layer.weight_signed;
  format.activation_bits = layer.activation_bits;
  format.activation_signed = layer.activation_signed;
  format.weight_shift = layer.weight_shift;
  format.activation_shift = layer.activation_shift;
  return format;
}

void fill(std::uint8_t* bytes, std::size_t count, int mask, std::mt19937& random) {
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::uint8_t>(random() & static_cast<unsigned>(mask));
  }
}

}  // namespace

BareKernel::BareKernel(const network::IntegerNetwork& network, models::CpuTarget target)
    : target_(target) {
  std::mt19937 random(1);
  std::size_t most_accumulators = 0;
  for (const network::IntegerLayer& source : network.layers) {
    if (source.kind != network::IntegerLayerKind::convolution) continue;
    const models::TapPlan plan = models::plan_taps(tap_format(source), target);
    const network::Shape& input = network.tensor(source.input).shape;
    const network::Shape& output = source.output.shape;
    const models::WeightShape weights{source.kernel * source.kernel, input.channels,
                                      output.channels};
    Layer layer;
    layer.kernel = plan.kernel;
    layer.geometry = {source.kernel, source.stride, weights.channel_groups(),
                      weights.column_blocks(), output.width};
    layer.rows = output.height;
    layer.operand_bytes = plan.operand_bytes();
    const int row_accumulators = output.width * weights.column_blocks() * 8;
    layer.rows_at_once = std::clamp(accumulators_at_once / row_accumulators, 1, layer.rows);
    most_accumulators = std::max(most_accumulators,
                                 static_cast<std::size_t>(layer.rows_at_once) * row_accumulators);

    const int operand_rows = (output.height - 1) * source.stride + source.kernel;
    const std::size_t operand_bytes =
        static_cast<std::size_t>(layer.geometry.operand_row()) * operand_rows * layer.operand_bytes;
    const int activation_mask = (1 << source.activation_bits) - 1;
    fill(layer.operands.reserve(operand_bytes), operand_bytes, activation_mask, random);
    const std::size_t block_bytes = weights.block_elements() * layer.operand_bytes;
    fill(layer.blocks.reserve(block_bytes), block_bytes, (1 << source.weight_bits) - 1, random);
    const std::size_t columns = static_cast<std::size_t>(weights.column_blocks()) * 8;
    std::fill_n(layer.corrections.reserve(columns), columns, 0);
    taps_ += output.elements() * input.channels * source.kernel * source.kernel;
    layers_.push_back(std::move(layer));
  }
  accumulators_.reserve(most_accumulators);
}

void BareKernel::run() {
  for (const Layer& layer : layers_) {
    for (int row = 0; row < layer.rows; row += layer.rows_at_once) {
      const std::size_t first = static_cast<std::size_t>(row) * layer.geometry.stride *
                                layer.geometry.operand_row() * layer.operand_bytes;
      models::accumulate(target_, layer.kernel, layer.geometry,
                         std::min(layer.rows_at_once, layer.rows - row),
                         layer.operands.data() + first, layer.blocks.data(),
                         layer.corrections.data(), accumulators_.data());
    }
  }
}

}  // namespace abacus::benchmarks
