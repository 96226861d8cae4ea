// Plans of one convolution between the edges, of which schemes choose.
#pragma once

#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus::quant {

// What there is to plan by.
struct LayerToPlan {
  const network::Checkpoint& checkpoint;
  const network::FoldedLayer& folded;
  const network::Layer& layer;         // its convolution
  const network::StoredTensor& input;  // what it reads
  const TensorStatistics& operands;    // of the same in the float network

  std::vector<float> weights() const;  // output channel × input channel × ky × kx
};

// An ordinary convolution: symmetric weights with a step for each output channel, one step of the
// activations, both with the least mean squared error. Activations as wide as they are stored keep
// their step, so that nothing is rounded twice.
ConvolutionPlan plan_ordinary_layer(const LayerToPlan& layer, int weight_bits, int activation_bits);

// The same with the weights of a quantizer of exponent weights.
ConvolutionPlan plan_exponent_layer(const LayerToPlan& layer, WeightQuantizer quantizer,
                                    const CompletedOptions& options);

// A shift layer's own codes (shift_quantizer.hpp), and activations as of an ordinary convolution.
ConvolutionPlan plan_shift_layer(const LayerToPlan& layer, const CompletedOptions& options);

// A layer for the options' element (docs/table.md): of product scales as an ordinary convolution, of shared
// ones as an adder layer of AdderQuant's ranges, on the element's codes. Throws std::invalid_argument naming
// the layer where its inputs can be negative and the element's activations cannot.
ConvolutionPlan plan_table_layer(const LayerToPlan& layer, const CompletedOptions& options);

// An adder layer with AdderQuant's groups and ranges (adder_quantizer.hpp).
ConvolutionPlan plan_grouped_layer(const LayerToPlan& layer, const CompletedOptions& options);

// r_x of an adder layer: of the activations' distribution, as options.activation_range has it.
double activation_range(const LayerToPlan& layer, const CompletedOptions& options);

// The operand grid of an adder layer: the options'; where its inputs can be negative the unsigned one
// gives way to the symmetric one. Throws std::invalid_argument naming the layer where they can be and
// the grid is nonnegative.
OperandGrid operand_grid(const network::FoldedLayer& layer, bool inputs_signed,
                         const CompletedOptions& options);

}  // namespace abacus::quant
