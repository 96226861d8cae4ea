#include "sw/quant/qat/option_tables.hpp"

#include "sw/quant/options/option_help.hpp"
#include "sw/quant/qat/qat_quantizers.hpp"

namespace abacus::quant {

std::vector<OptionTable> option_tables() {
  std::vector<OptionHelp> quantize, plan, quantizers;
  for (const QuantizationOption* option : quantization_options()) {
    quantize.push_back(quantize_help(*option));
  }
  for (const QuantizationOption* option : training_options()) {
    plan.push_back(training_help(*option));
  }
  for (const TakenOption<QuantizerValues>& taken : quantizer_options()) {
    quantizers.push_back(option_help(taken));
  }
  const auto title = [](const std::string& subject) {
    return "<!-- " + subject + ": printed by abacus-train schemes -->";
  };
  return {{title("schemes"), schemes_table()},
          {title("options of quantize"), options_table(quantize)},
          {title("options of the plan"), options_table(plan)},
          {title("options of quantizers"), options_table(quantizers)}};
}

}  // namespace abacus::quant
