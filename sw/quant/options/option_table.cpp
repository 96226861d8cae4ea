#include "sw/quant/options/option_table.hpp"

namespace abacus::quant {

const std::vector<const QuantizationOption*>& quantization_options() {
  using namespace option;
  static const std::vector<const QuantizationOption*> rows = {&element,
                                                              &weight_bits,
                                                              &activation_bits,
                                                              &storage_bits,
                                                              &batch_norm,
                                                              &calibration_images,
                                                              &batch_norm_images,
                                                              &crop_padding,
                                                              &flip,
                                                              &seed,
                                                              &groups,
                                                              &group_method,
                                                              &weight_clamp,
                                                              &activation_clamp,
                                                              &activation_range,
                                                              &alpha,
                                                              &operand_grid,
                                                              &shared_scale,
                                                              &range_search,
                                                              &weight_rounding,
                                                              &reconstruction,
                                                              &reconstruction_images,
                                                              &iterations,
                                                              &temperature,
                                                              &network_iterations,
                                                              &activation_iterations,
                                                              &fraction_bits};
  return rows;
}

}  // namespace abacus::quant
