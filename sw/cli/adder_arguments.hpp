// Options of the command line that say how an adder layer is quantized.
#pragma once

#include <optional>
#include <string>

#include "sw/quant/options/quantization_options.hpp"

namespace CLI {
class App;
}

namespace abacus {

// Values that CLI11 reads as text.
struct AdderArguments {
  std::optional<std::string> group_method, activation_range, operand_grid, shared_scale,
      range_search;
};

// Both arguments must live as long as the command. Without a value, an option has its scheme's
// default; schemes refuse those that they do not take (check(QuantizationOptions)).
void add_adder_options(CLI::App& command, QuantizationOptions& options, AdderArguments& arguments);

// Puts the texts' values into the options.
void apply(const AdderArguments& arguments, QuantizationOptions& options);

}  // namespace abacus
