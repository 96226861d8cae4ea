#include "sw/schedule/hardware_check.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "sw/schedule/tiling.hpp"
#include "tlm/command.hpp"

namespace abacus::schedule {
namespace {

[[noreturn]] void refuse(const network::IntegerLayer& layer, const std::string& what) {
  throw std::runtime_error("layer \"" + layer.name + "\" " + what);
}

void check_table(const network::IntegerLayer& layer, const hw::PostTableConfig& table) {
  const int exponents = hw::post_table_exponents(layer.levels);
  if (exponents > table.exponents) {
    refuse(layer, "has " + std::to_string(layer.levels) + " levels, of which " +
                      std::to_string(exponents) +
                      " need entries of their own in the lookup table; it has entries for " +
                      std::to_string(table.exponents) + " odd exponents");
  }
  if (layer.fraction_bits > table.fraction_bits) {
    refuse(layer, "has taps of " + std::to_string(layer.fraction_bits) +
                      " fraction bits; the lookup table's entries have at most " +
                      std::to_string(table.fraction_bits));
  }
}

// Words for a side of a comparison.
std::string text(const hw::ElementTable& element) {
  const auto operand = [](int bits, bool is_signed) {
    return std::to_string(bits) + (is_signed ? " signed bits" : " unsigned bits");
  };
  return "weights of " + operand(element.weight_bits, element.weight_signed) + ", activations of " +
         operand(element.activation_bits, element.activation_signed) + ", taps of " +
         std::to_string(element.tap_bits) + " bits, scales " + hw::to_string(element.scales) +
         ", accumulate " + std::to_string(element.accumulate);
}

// The lanes must compute what the network was quantized for, to the last tap.
void check_element(const network::IntegerLayer& layer, const hw::ElementTable& wanted,
                   const hw::PeArrayConfig& array) {
  if (!array.element) refuse(layer, "needs the element " + wanted.name + "; the PE array has none");
  const hw::ElementTable& found = *array.element;
  if (found.same_element(wanted)) return;
  const std::string first = "is quantized for the element " + wanted.name + " with ";
  const std::string second = "; the PE array's, " + found.name + ", has ";
  if (text(wanted) != text(found)) refuse(layer, first + text(wanted) + second + text(found));
  const auto different =
      std::mismatch(wanted.taps.begin(), wanted.taps.end(), found.taps.begin()).first;
  const int place = static_cast<int>(different - wanted.taps.begin());
  const int weight = wanted.lowest_weight() + place / wanted.columns();
  const int activation = wanted.lowest_activation() + place % wanted.columns();
  refuse(layer, first + "a tap of " + std::to_string(wanted.tap(activation, weight)) +
                    " for weight " + std::to_string(weight) + " and activation " +
                    std::to_string(activation) + second +
                    std::to_string(found.tap(activation, weight)));
}

void check_array(const network::IntegerLayer& layer, const hw::HardwareConfig& hardware) {
  const hw::PeArrayConfig& array = array_of(layer, hardware);
  const std::string name = layer.edge ? "edge array" : "PE array";
  const hw::ProcessingElementKind needed(layer.arithmetic);
  if (!array.kind.computes(layer.arithmetic)) {
    refuse(layer, "needs processing elements of kind " + hw::to_string(needed) + "; the " + name +
                      " has kind " + hw::to_string(array.kind));
  }
  if (layer.weight_bits > array.weight_bits) {
    refuse(layer, "has weights of " + std::to_string(layer.weight_bits) + " bits; the " + name +
                      " takes at most " + std::to_string(array.weight_bits));
  }
  if (layer.activation_bits > array.activation_bits) {
    refuse(layer, "has activations of " + std::to_string(layer.activation_bits) + " bits; the " +
                      name + " takes at most " + std::to_string(array.activation_bits));
  }
  if (layer.fraction_bits > array.fraction_bits) {
    refuse(layer, "has taps of " + std::to_string(layer.fraction_bits) + " fraction bits; the " +
                      name + " keeps at most " + std::to_string(array.fraction_bits));
  }
  if (layer.arithmetic == network::Arithmetic::post) check_table(layer, array.table);
}

void check_adapter(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                   const hw::HardwareConfig& hardware) {
  const hw::StepAdapterConfig& adapter = hardware.step_adapter;
  const int channels = network.tensor(layer.input).shape.channels;
  if (channels > adapter.channels) {
    refuse(layer, "adapts its step to " + std::to_string(channels) +
                      " channels; the step adapter keeps sums of at most " +
                      std::to_string(adapter.channels));
  }
  if (layer.adapter->hidden() > adapter.hidden) {
    refuse(layer, "has a step adapter of " + std::to_string(layer.adapter->hidden()) +
                      " hidden values; the hardware's takes at most " +
                      std::to_string(adapter.hidden));
  }
  const std::uint64_t bytes = adapter_bytes(*layer.adapter);
  if (bytes > hardware.weight_sram.bytes) {
    refuse(layer, "does not fit: its step adapter needs " + std::to_string(bytes) +
                      " bytes of weight SRAM; it has " +
                      std::to_string(hardware.weight_sram.bytes));
  }
}

void check_array_size(const std::string& name, const hw::PeArrayConfig& array) {
  if (array.rows < 1 || array.columns < 1 || array.scale_lanes < 1) {
    throw std::runtime_error("the " + name + " has " + std::to_string(array.rows) + " rows, " +
                             std::to_string(array.columns) + " columns and " +
                             std::to_string(array.scale_lanes) +
                             " scale lanes; at least 1 of each is needed");
  }
}

}  // namespace

void check_hardware(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware) {
  check_array_size("PE array", hardware.array);
  check_array_size("edge array", hardware.edge_array);
  if (network.layers.size() >= hw::no_layer) {
    throw std::runtime_error("the network has " + std::to_string(network.layers.size()) +
                             " layers; commands number at most " +
                             std::to_string(hw::no_layer - 1));
  }
  for (const network::IntegerLayer& layer : network.layers) {
    if (layer.kind == network::IntegerLayerKind::convolution) check_array(layer, hardware);
    if (layer.arithmetic == network::Arithmetic::table) {
      check_element(layer, network.element.value(), hardware.array);
    }
    if (layer.adapter) check_adapter(network, layer, hardware);
  }
}

}  // namespace abacus::schedule
