#include "sw/quant/options/option_table.hpp"

#include <stdexcept>

namespace abacus::quant {
namespace {

struct OptionSection {
  std::string_view title;
  std::vector<const QuantizationOption*> rows;
};

const std::vector<OptionSection>& option_sections() {
  using namespace option;
  static const std::vector<OptionSection> sections = {
      {"Widths", {&element, &weight_bits, &activation_bits, &storage_bits}},
      {"Calibration and BatchNorm",
       {&batch_norm, &calibration_images, &batch_norm_images, &crop_padding, &flip, &seed}},
      {"Ranges, grids and rounding",
       {&groups, &group_method, &weight_clamp, &activation_clamp, &activation_range, &alpha,
        &operand_grid, &shared_scale, &range_search, &weight_rounding}},
      {"Reconstruction",
       {&reconstruction, &reconstruction_images, &iterations, &temperature, &network_iterations,
        &activation_iterations}},
      {"Weights that are exponents", {&fraction_bits}}};
  return sections;
}

}  // namespace

const std::vector<const QuantizationOption*>& quantization_options() {
  static const std::vector<const QuantizationOption*> rows = [] {
    std::vector<const QuantizationOption*> all;
    for (const OptionSection& section : option_sections()) {
      all.insert(all.end(), section.rows.begin(), section.rows.end());
    }
    return all;
  }();
  return rows;
}

std::string_view section_of(const QuantizationOption& option) {
  for (const OptionSection& section : option_sections()) {
    for (const QuantizationOption* row : section.rows) {
      if (row == &option) return section.title;
    }
  }
  throw std::logic_error(option.flag() + " is in no section");
}

}  // namespace abacus::quant
