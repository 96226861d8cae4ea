// Networks for an element that its user describes (docs/table.md): ordinary ones or AdderNets, as its steps
// combine.
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/adder_options.hpp"
#include "sw/quant/schemes/scheme_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {
namespace {

Usual<QuantizationValues, int> of_element(int hw::ElementTable::*width) {
  return {[width](const CompletedValues& options) { return options.element->table.*width; },
          "the element's"};
}

// Of an AdderNet's layers, whose operands share a step.
TakenOptions shared_options() {
  TakenOptions options = group_options(1);
  for (TakenQuantizationOption& option : options) {
    option = std::move(option).when(
        [](const CompletedValues& values) {
          return values.element->table.scales == hw::StepRule::shared;
        },
        "an element of shared scales");
  }
  return options;
}

void check_widths(const CompletedOptions& options) {
  const hw::ElementTable& element = options.element->table;
  const auto check = [&](const auto& option, int found, int own) {
    if (found == own) return;
    throw std::invalid_argument(option.flag() + " is " + std::to_string(found) +
                                "; allowed with element " + element.name + ": " +
                                std::to_string(own));
  };
  check(option::weight_bits, options.weight_bits, element.weight_bits);
  check(option::activation_bits, options.activation_bits, element.activation_bits);
}

}  // namespace

QuantizationScheme table() {
  QuantizationScheme scheme;
  scheme.name = "table";
  scheme.arithmetic_by = [](const CompletedOptions& options) {
    return network::checkpoint_arithmetic(network::Arithmetic::table, &options.element->table);
  };
  scheme.networks = "ordinary or adder networks, as the element has it";
  scheme.summary = "the codes and taps of a described element: [table.md](table.md)";
  scheme.options = joined(
      TakenOptions{needs(option::element),
                   takes(option::weight_bits, of_element(&hw::ElementTable::weight_bits)),
                   takes(option::activation_bits, of_element(&hw::ElementTable::activation_bits))},
      common_options(), shared_options());
  scheme.check = check_widths;
  scheme.plan = plan_table_layer;
  scheme.realize = round_and_estimate;
  return scheme;
}

}  // namespace abacus::quant::schemes
