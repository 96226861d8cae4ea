#include "sw/quant/calibrate/layer_plans.hpp"

#include <memory>
#include <stdexcept>

#include "sw/quant/layers/adder_quantizer.hpp"
#include "sw/quant/layers/shift_quantizer.hpp"
#include "sw/quant/layers/uniform_quantizer.hpp"
#include "sw/quant/options/scheme.hpp"

namespace abacus::quant {
namespace {

double ordinary_step(const LayerToPlan& layer, int activation_bits) {
  const network::StoredTensor& input = layer.input;
  if (activation_bits >= input.bits) return input.scale;
  const int levels = highest_integer(activation_bits, input.is_signed);
  return layer.operands.magnitudes.best_range(levels) / levels;
}

// What is stored passes through where the element has codes for all of it.
double table_activation_step(const LayerToPlan& layer, const hw::ElementTable& element) {
  const network::StoredTensor& input = layer.input;
  const int highest = element.highest_activation();
  if (highest < 1) {
    throw std::invalid_argument("element " + element.name + " has no positive code of activations");
  }
  if (element.lowest_activation() <= input.lowest() && highest >= input.highest()) {
    return input.scale;
  }
  return layer.operands.magnitudes.best_range(highest) / highest;
}

}  // namespace

std::vector<float> LayerToPlan::weights() const {
  return checkpoint.tensors.at(layer.name + ".weight").values<float>();
}

ConvolutionPlan plan_ordinary_layer(const LayerToPlan& layer, int weight_bits,
                                    int activation_bits) {
  ConvolutionPlan plan;
  plan.weight_bits = weight_bits;
  plan.activation_bits = activation_bits;
  plan.activation_signed = layer.input.is_signed;
  plan.activation_step = ordinary_step(layer, activation_bits);
  plan.weight_step = best_weight_steps(layer.weights(), layer.layer.output.channels, weight_bits);
  return plan;
}

ConvolutionPlan plan_exponent_layer(const LayerToPlan& layer, WeightQuantizer quantizer,
                                    const CompletedOptions& options) {
  ConvolutionPlan plan = plan_ordinary_layer(layer, options.weight_bits, options.activation_bits);
  plan.weights = WeightPlan{quantizer, options.weight_bits, 0, {}};
  plan.weights->parameters =
      initial_parameters(*plan.weights, layer.weights(), layer.layer.output.channels);
  plan.fraction_bits = options.fraction_bits;
  return plan;
}

ConvolutionPlan plan_shift_layer(const LayerToPlan& layer, const CompletedOptions& options) {
  ConvolutionPlan plan;
  plan.weights = shift_plan(layer.layer, options.weight_bits);
  plan.weight_bits = plan.weights->bits;
  plan.weight_step = plan.weights->parameters;
  plan.activation_bits = options.activation_bits;
  plan.activation_signed = layer.input.is_signed;
  plan.activation_step = ordinary_step(layer, plan.activation_bits);
  plan.fraction_bits = options.fraction_bits;
  return plan;
}

ConvolutionPlan plan_grouped_layer(const LayerToPlan& layer, const CompletedOptions& options) {
  const OperandGrid grid = operand_grid(layer.folded, layer.input.is_signed, options);
  return plan_adder_layer(layer.weights(), layer.layer.output.channels,
                          activation_range(layer, options), adder_quantizer_options(options, grid));
}

ConvolutionPlan plan_table_layer(const LayerToPlan& layer, const CompletedOptions& options) {
  const hw::ElementTable& element = options.element->table;
  if (layer.input.is_signed && !element.activation_signed) {
    throw std::invalid_argument(
        "layer \"" + layer.folded.name +
        "\" reads a tensor that can be negative, since no ReLU makes it; element " + element.name +
        " takes unsigned activations");
  }
  ConvolutionPlan plan;
  if (element.scales == hw::StepRule::shared) {
    const OperandGrid grid =
        element.weight_signed ? OperandGrid::symmetric : OperandGrid::nonnegative;
    plan =
        plan_adder_layer(layer.weights(), layer.layer.output.channels,
                         activation_range(layer, options), adder_quantizer_options(options, grid));
  } else {
    plan.activation_step = table_activation_step(layer, element);
    plan.weight_step = best_weight_steps(layer.weights(), layer.layer.output.channels,
                                         element.lowest_weight(), element.highest_weight());
  }
  plan.element = {options.element, &element};
  return plan;
}

double activation_range(const LayerToPlan& layer, const CompletedOptions& options) {
  const bool share_of_maximum =
      options.activation_clamp && options.activation_range == ActivationRange::alpha_max;
  return share_of_maximum ? options.alpha * layer.operands.magnitudes.maximum()
                          : layer.operands.quantile;
}

OperandGrid operand_grid(const network::FoldedLayer& layer, bool inputs_signed,
                         const CompletedOptions& options) {
  if (!inputs_signed) return options.operand_grid;
  if (options.operand_grid != OperandGrid::nonnegative) return OperandGrid::symmetric;
  throw std::invalid_argument("layer \"" + layer.name +
                              "\" reads a tensor that can be negative, since no ReLU makes it; a "
                              "nonnegative operand grid needs inputs from a ReLU. Allowed here: "
                              "schemes " +
                              listed(schemes_with(option::operand_grid)) +
                              " with a symmetric or unsigned operand grid");
}

}  // namespace abacus::quant
