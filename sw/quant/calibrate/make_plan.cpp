#include "sw/quant/calibrate/make_plan.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include "sw/quant/layers/adder_quantizer.hpp"
#include "sw/quant/layers/shift_quantizer.hpp"
#include "sw/quant/layers/uniform_quantizer.hpp"

namespace abacus {
namespace {

constexpr int edge_bits = 8;  // first convolution and classifier
constexpr int image_bits = 8;
constexpr int score_bits = 16;  // the classifier's output; nothing reads it but the host
// Scores may pass the calibrated maximum by this factor.
constexpr double score_headroom = 2;

class Planner {
 public:
  Planner(const Checkpoint& checkpoint, const std::vector<FoldedLayer>& folded,
          const std::vector<TensorStatistics>& statistics, const QuantizationOptions& options)
      : checkpoint_(checkpoint), folded_(folded), statistics_(statistics), options_(options) {}

  QuantizationPlan make() {
    set_image();
    for (std::size_t i = 0; i < folded_.size(); ++i) {
      plan_.outputs.push_back(stored_tensor(i));
      plan_.convolutions.emplace_back();
      if (folded_[i].kind == IntegerLayerKind::convolution) set_operands(folded_[i]);
    }
    return std::move(plan_);
  }

 private:
  const StoredTensor& tensor(int index) const {
    return index == image_tensor ? plan_.image : plan_.outputs[static_cast<std::size_t>(index)];
  }

  void set_image() {
    const Normalization& n = checkpoint_.normalization;
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
  StoredTensor stored_tensor(std::size_t index) const {
    const FoldedLayer& layer = folded_[index];
    const Shape shape = checkpoint_.network.layers[static_cast<std::size_t>(layer.output)].output;
    const MagnitudeHistogram& magnitudes = statistics_[index].magnitudes;
    StoredTensor stored;
    if (layer.kind == IntegerLayerKind::max_pool) {
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

  void set_operands(const FoldedLayer& layer) {
    const Layer& from = checkpoint_.network.layers[static_cast<std::size_t>(layer.layer)];
    const Convolution& convolution = from.convolution();
    const StoredTensor& input = tensor(layer.input);
    ConvolutionPlan& plan = plan_.convolutions.back();
    plan.fraction_bits = options_.fraction_bits;
    if (convolution.arithmetic == Arithmetic::shift) {
      plan.weights = shift_plan(from, options_.weight_bits);
      plan.weight_bits = plan.weights->bits;
      plan.weight_step = plan.weights->parameters;
      plan.activation_bits = options_.activation_bits;
      plan.activation_signed = input.is_signed;
      plan.activation_step = ordinary_step(layer.input, plan.activation_bits);
      return;
    }
    const std::vector<float> weights =
        checkpoint_.tensors.at(from.name + ".weight").values<float>();
    if (convolution.arithmetic == Arithmetic::adder) {
      const TensorStatistics& seen = statistics_[static_cast<std::size_t>(layer.input)];
      const bool share_of_maximum = options_.activation_clamp.value_or(false) &&
                                    options_.activation_range == ActivationRange::alpha_max;
      const double range =
          share_of_maximum ? *options_.alpha * seen.magnitudes.maximum() : seen.quantile;
      plan = plan_adder(weights, from.output.channels, range,
                        operand_grid(layer, input.is_signed, options_), options_);
      return;
    }
    if (convolution.arithmetic == Arithmetic::bnn) {  // signs: nothing to decide
      plan.weight_bits = plan.activation_bits = 1;
      plan.activation_signed = true;
      return;
    }
    plan.weight_bits = convolution.edge ? edge_bits : options_.weight_bits;
    plan.activation_bits = convolution.edge ? edge_bits : options_.activation_bits;
    plan.activation_signed = input.is_signed;
    plan.activation_step = ordinary_step(layer.input, plan.activation_bits);
    plan.weight_step = best_weight_steps(weights, from.output.channels, plan.weight_bits);
    const std::optional<WeightQuantizer> levels = level_quantizer(options_.scheme);
    if (levels.has_value() && !convolution.edge) {
      plan.weights = WeightPlan{*levels, plan.weight_bits, 0, {}};
      plan.weights->parameters = initial_parameters(*plan.weights, weights, from.output.channels);
    }
  }

  // As stored where the operands are wide enough, so that nothing is rounded twice.
  double ordinary_step(int index, int bits) const {
    const StoredTensor& input = tensor(index);
    if (bits >= input.bits) return input.scale;
    const int levels = highest_integer(bits, input.is_signed);
    return statistics_[static_cast<std::size_t>(index)].magnitudes.best_range(levels) / levels;
  }

  const Checkpoint& checkpoint_;
  const std::vector<FoldedLayer>& folded_;
  const std::vector<TensorStatistics>& statistics_;
  const QuantizationOptions& options_;
  QuantizationPlan plan_;
};

}  // namespace

double calibration_alpha(const QuantizationOptions& given) {
  const QuantizationOptions options = with_defaults(given);
  const bool percentile = options.activation_clamp.value_or(false) &&
                          options.activation_range == ActivationRange::percentile;
  return percentile ? options.alpha.value_or(1) : 1.0;
}

OperandGrid operand_grid(const FoldedLayer& layer, bool inputs_signed,
                         const QuantizationOptions& given) {
  const QuantizationOptions options = with_defaults(given);
  const OperandGrid grid = options.operand_grid.value_or(OperandGrid::nonnegative);
  if (!inputs_signed) return grid;
  if (grid != OperandGrid::nonnegative) return OperandGrid::symmetric;
  throw std::invalid_argument("layer \"" + layer.name +
                              "\" reads a tensor that can be negative, since no ReLU makes it; a "
                              "nonnegative operand grid needs inputs from a ReLU. Allowed here: "
                              "schemes adderquant-ptq and qssf-ptq with a symmetric or unsigned "
                              "operand grid");
}

void check_operand_grids(const Checkpoint& checkpoint, const std::vector<FoldedLayer>& folded,
                         const QuantizationOptions& options) {
  for (const FoldedLayer& layer : folded) {
    const Layer& from = checkpoint.network.layers[static_cast<std::size_t>(layer.layer)];
    if (!from.computes(Arithmetic::adder)) continue;
    const bool inputs_signed =
        layer.input == image_tensor || !folded[static_cast<std::size_t>(layer.input)].nonnegative;
    operand_grid(layer, inputs_signed, options);
  }
}

ConvolutionPlan plan_adder(const std::vector<float>& weights, int output_channels,
                           double activation_range, OperandGrid grid,
                           const QuantizationOptions& given) {
  const QuantizationOptions options = with_defaults(given);
  if (options.scheme == QuantizationScheme::qssf_ptq) {
    return plan_shared_scale_layer(weights, output_channels, activation_range,
                                   *options.shared_scale, options.weight_bits,
                                   options.activation_bits, grid);
  }
  AdderQuantizerOptions adder;
  adder.weight_bits = options.weight_bits;
  adder.activation_bits = options.activation_bits;
  adder.grid = grid;
  adder.groups = *options.groups;
  adder.group_method = *options.group_method;
  adder.weight_clamp = options.weight_clamp.value_or(true);
  return plan_adder_layer(weights, output_channels, activation_range, adder);
}

QuantizationPlan make_plan(const Checkpoint& checkpoint, const std::vector<FoldedLayer>& folded,
                           const std::vector<TensorStatistics>& statistics,
                           const QuantizationOptions& options) {
  const QuantizationOptions complete = with_defaults(options);
  return Planner(checkpoint, folded, statistics, complete).make();
}

}  // namespace abacus
