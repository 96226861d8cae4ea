#include "sw/cli/adder_arguments.hpp"

#include <CLI/CLI.hpp>
#include <vector>

namespace abacus {

void add_adder_options(CLI::App& command, QuantizationOptions& options, AdderArguments& arguments) {
  const auto choice = [&](const std::string& name, std::optional<std::string>& value,
                          const std::vector<std::string>& names, const std::string& help) {
    command.add_option(name, value, help)->check(CLI::IsMember(names));
  };
  command
      .add_option("--groups", options.groups,
                  "Groups of output channels a layer (default: adderquant 4, others 1)")
      ->check(CLI::Range(1, 64));
  choice(
      "--group-method", arguments.group_method, group_method_names(),
      "What is clustered: each channel's largest weight (max, the default), its mean (mean), the "
      "channel itself (all); uniform: no clustering, runs of channels");
  command
      .add_option("--alpha", options.alpha,
                  "Share of the activations within their range (default: from 0.99 at 2 bits to "
                  "0.9999 at 8)")
      ->check(CLI::Range(1e-6, 1.0));
  choice("--activation-range", arguments.activation_range, activation_range_names(),
         "What alpha means: percentile (default) or alpha-max, a share of the maximum");
  command.add_option("--weight-clamp", options.weight_clamp,
                     "Clamp the weights to the activations' range, losslessly (default: true)");
  command.add_option("--activation-clamp", options.activation_clamp,
                     "False takes the activations' maximum for their range (default: true)");
  choice(
      "--operand-grid", arguments.operand_grid, operand_grid_names(),
      "Signs of the operands: unsigned (activations; adderquant's default), symmetric (qssf's) or "
      "nonnegative (both unsigned)");
  choice("--shared-scale", arguments.shared_scale, shared_scale_names(),
         "qssf: whose range gives the scale (default: activations)");
  choice("--range-search", arguments.range_search, range_search_names(),
         "output-error: try ranges, keep the one with the least error in the layer's output "
         "(default: nonnegative and best output-error, adderquant none)");
}

void apply(const AdderArguments& arguments, QuantizationOptions& options) {
  const AdderArguments& a = arguments;
  if (a.group_method) options.group_method = group_method_from_string(*a.group_method);
  if (a.activation_range) {
    options.activation_range = activation_range_from_string(*a.activation_range);
  }
  if (a.operand_grid) options.operand_grid = operand_grid_from_string(*a.operand_grid);
  if (a.shared_scale) options.shared_scale = shared_scale_from_string(*a.shared_scale);
  if (a.range_search) options.range_search = range_search_from_string(*a.range_search);
}

}  // namespace abacus
