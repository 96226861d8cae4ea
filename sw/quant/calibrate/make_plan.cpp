#include "sw/quant/calibrate/make_plan.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"

namespace abacus::quant {
namespace {

constexpr int edge_bits = 8;  // first convolution and classifier
constexpr int image_bits = 8;
constexpr int score_bits = 16;  // the classifier's output; nothing reads it but the host
// Scores may pass the calibrated maximum by this factor.
constexpr double score_headroom = 2;

class Planner {
 public:
  Planner(const network::Checkpoint& checkpoint, const std::vector<network::FoldedLayer>& folded,
          const std::vector<TensorStatistics>& statistics, const CompletedOptions& options)
      : checkpoint_(checkpoint), folded_(folded), statistics_(statistics), options_(options) {}

  QuantizationPlan make() {
    set_image();
    for (std::size_t i = 0; i < folded_.size(); ++i) {
      plan_.outputs.push_back(stored_tensor(i));
      plan_.convolutions.emplace_back();
      if (folded_[i].kind == network::IntegerLayerKind::convolution) set_operands(folded_[i]);
    }
    return std::move(plan_);
  }

 private:
  const network::StoredTensor& tensor(int index) const {
    return index == network::image_tensor ? plan_.image
                                          : plan_.outputs[static_cast<std::size_t>(index)];
  }

  void set_image() {
    const network::Normalization& n = checkpoint_.normalization;
    double largest = 0;
    for (int c = 0; c < checkpoint_.network.input.channels; ++c) {
      const std::size_t i = static_cast<std::size_t>(c);
      for (const float pixel : {0.0F, 1.0F}) {
        largest =
            std::max(largest, std::abs(static_cast<double>((pixel - n.mean[i]) / n.deviation[i])));
      }
    }
    plan_.image.shape = checkpoint_.network.input;
    plan_.image.bits = image_bits;
    plan_.image.is_signed = true;
    plan_.image.scale = largest / plan_.image.highest();
  }

  // The tensor that a layer stores: its range is calibrated, and a maximum's is its operand's.
  network::StoredTensor stored_tensor(std::size_t index) const {
    const network::FoldedLayer& layer = folded_[index];
    const network::Shape shape =
        checkpoint_.network.layers[static_cast<std::size_t>(layer.output)].output;
    const MagnitudeHistogram& magnitudes = statistics_[index].magnitudes;
    network::StoredTensor stored;
    if (layer.kind == network::IntegerLayerKind::max_pool) {
      stored = tensor(layer.input);
      stored.shape = shape;
      return stored;
    }
    stored.shape = shape;
    stored.is_signed = !layer.nonnegative;
    if (layer.output + 1 == static_cast<int>(checkpoint_.network.layers.size())) {
      stored.bits = score_bits;
      stored.is_signed = true;
      const double largest = magnitudes.maximum() > 0 ? magnitudes.maximum() : 1;
      stored.scale = largest * score_headroom / stored.highest();
      return stored;
    }
    stored.bits = options_.storage_bits;
    stored.scale = magnitudes.best_range(stored.highest()) / stored.highest();
    return stored;
  }

  void set_operands(const network::FoldedLayer& folded) {
    static const TensorStatistics of_image;  // which no one has watched
    const network::Layer& layer =
        checkpoint_.network.layers[static_cast<std::size_t>(folded.layer)];
    const TensorStatistics& operands = folded.input == network::image_tensor
                                           ? of_image
                                           : statistics_[static_cast<std::size_t>(folded.input)];
    const LayerToPlan to_plan{checkpoint_, folded, layer, tensor(folded.input), operands};
    plan_.convolutions.back() = layer.convolution().edge
                                    ? plan_ordinary_layer(to_plan, edge_bits, edge_bits)
                                    : options_.scheme().plan(to_plan, options_);
  }

  const network::Checkpoint& checkpoint_;
  const std::vector<network::FoldedLayer>& folded_;
  const std::vector<TensorStatistics>& statistics_;
  const CompletedOptions& options_;
  QuantizationPlan plan_;
};

}  // namespace

double calibration_alpha(const CompletedOptions& options) {
  const bool percentile =
      options.activation_clamp && options.activation_range == ActivationRange::percentile;
  return percentile ? options.alpha : 1.0;
}

void check_operand_grids(const network::Checkpoint& checkpoint,
                         const std::vector<network::FoldedLayer>& folded,
                         const CompletedOptions& options) {
  for (const network::FoldedLayer& layer : folded) {
    const network::Layer& from = checkpoint.network.layers[static_cast<std::size_t>(layer.layer)];
    if (!from.computes(network::Arithmetic::adder)) continue;
    const bool inputs_signed = layer.input == network::image_tensor ||
                               !folded[static_cast<std::size_t>(layer.input)].nonnegative;
    operand_grid(layer, inputs_signed, options);
  }
}

QuantizationPlan make_plan(const network::Checkpoint& checkpoint,
                           const std::vector<network::FoldedLayer>& folded,
                           const std::vector<TensorStatistics>& statistics,
                           const CompletedOptions& options) {
  return Planner(checkpoint, folded, statistics, options).make();
}

}  // namespace abacus::quant
