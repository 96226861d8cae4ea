#include "sw/workload/layer_costs.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iomanip>

namespace abacus::workload {
namespace {

bool takes_adapter(const network::Convolution& convolution) {
  return !convolution.edge && convolution.arithmetic != network::Arithmetic::adder &&
         convolution.arithmetic != network::Arithmetic::bnn &&
         convolution.arithmetic != network::Arithmetic::table;
}

std::string shape_text(const network::Shape& shape) {
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width);
}

std::string count_or_nothing(std::int64_t count) { return count == 0 ? "" : std::to_string(count); }

}  // namespace

AdapterCosts adapter_costs(const network::Shape& input) {
  constexpr int fewest_channels = 8;  // for two layers
  AdapterCosts costs;
  const std::int64_t channels = input.channels;
  costs.hidden = channels < fewest_channels ? 0 : static_cast<int>(channels / 4);
  costs.weights = costs.hidden == 0 ? channels : costs.hidden * (channels + 1);
  costs.biases = costs.hidden + 1;
  costs.operations = costs.weights;
  costs.pool_additions = input.elements();
  return costs;
}

std::vector<LayerCosts> layer_costs(const network::Network& network) {
  std::vector<LayerCosts> all;
  for (const network::Layer& layer : network.layers) {
    LayerCosts costs;
    costs.name = layer.name;
    costs.kind = network::kind_name(layer.kind);
    costs.input = layer.input;
    costs.output = layer.output;
    if (const std::optional<network::Window> window = network::window_of(layer.kind)) {
      costs.kernel = window->kernel;
      costs.stride = window->stride;
      costs.padding = window->padding;
    }
    if (const network::Convolution* const convolution = layer.if_convolution()) {
      costs.arithmetic = network::to_string(convolution->arithmetic);
      costs.edge = convolution->edge;
      costs.groups = convolution->groups;
      costs.taps = network::Network::taps(layer);
      if (convolution->bias) costs.biases = layer.output.channels;
      if (takes_adapter(*convolution)) costs.adapter = adapter_costs(layer.input);
    }
    if (layer.is<network::BatchNorm>()) costs.biases = layer.output.channels;
    costs.weights = network::Network::parameters(layer) - costs.biases;
    all.push_back(std::move(costs));
  }
  return all;
}

LayerCosts total_costs(const std::vector<LayerCosts>& layers) {
  LayerCosts total;
  total.name = "total";
  for (const LayerCosts& layer : layers) {
    total.taps += layer.taps;
    total.weights += layer.weights;
    total.biases += layer.biases;
    total.adapter.weights += layer.adapter.weights;
    total.adapter.biases += layer.adapter.biases;
    total.adapter.operations += layer.adapter.operations;
    total.adapter.pool_additions += layer.adapter.pool_additions;
  }
  return total;
}

std::vector<std::pair<std::string, CostValue>> cost_fields(const LayerCosts& l) {
  const auto text = [](const std::string& value) {
    return value.empty() ? CostValue() : CostValue(value);
  };
  const auto size = [](int value) { return value == 0 ? CostValue() : std::int64_t{value}; };
  const std::string array = l.arithmetic.empty() ? "" : l.edge ? "edge" : "main";
  // A padding of 0 is one, where there is a window.
  const CostValue padding = l.kernel == 0 ? CostValue() : std::int64_t{l.padding};
  return {{"layer", l.name},
          {"kind", text(l.kind)},
          {"arithmetic", text(l.arithmetic)},
          {"array", text(array)},
          {"input_channels", size(l.input.channels)},
          {"input_height", size(l.input.height)},
          {"input_width", size(l.input.width)},
          {"output_channels", size(l.output.channels)},
          {"output_height", size(l.output.height)},
          {"output_width", size(l.output.width)},
          {"kernel", size(l.kernel)},
          {"stride", size(l.stride)},
          {"padding", padding},
          {"groups", size(l.groups)},
          {"taps", l.taps},
          {"weights", l.weights},
          {"biases", l.biases},
          {"parameters", l.parameters()},
          {"adapter_hidden", std::int64_t{l.adapter.hidden}},
          {"adapter_weights", l.adapter.weights},
          {"adapter_biases", l.adapter.biases},
          {"adapter_operations", l.adapter.operations},
          {"adapter_pool_additions", l.adapter.pool_additions}};
}

void write_costs_csv(std::ostream& out, const std::vector<LayerCosts>& layers) {
  const char* comma = "";
  for (const auto& [name, value] : cost_fields({})) {
    out << comma << name;
    comma = ",";
  }
  out << '\n';
  const auto write = [&](const LayerCosts& layer) {
    comma = "";
    for (const auto& [name, value] : cost_fields(layer)) {
      out << comma;
      comma = ",";
      if (const auto* text = std::get_if<std::string>(&value)) out << *text;
      if (const auto* count = std::get_if<std::int64_t>(&value)) out << *count;
    }
    out << '\n';
  };
  for (const LayerCosts& layer : layers) write(layer);
  write(total_costs(layers));
}

void write_costs_table(std::ostream& out, const std::vector<LayerCosts>& layers) {
  constexpr std::size_t columns = 11;
  using Row = std::array<std::string, columns>;
  std::vector<Row> rows = {{"layer", "kind", "arithmetic", "input", "output", "kernel", "stride",
                            "taps", "parameters", "adapter parameters", "adapter operations"}};
  const auto add = [&](const LayerCosts& l, bool total) {
    rows.push_back({l.name, l.kind + (l.groups > 1 ? ", depthwise" : ""),
                    l.arithmetic + (l.edge ? ", edge" : ""), total ? "" : shape_text(l.input),
                    total ? "" : shape_text(l.output), count_or_nothing(l.kernel),
                    count_or_nothing(l.stride), count_or_nothing(l.taps),
                    count_or_nothing(l.parameters()),
                    count_or_nothing(l.adapter.weights + l.adapter.biases),
                    count_or_nothing(l.adapter.operations)});
  };
  for (const LayerCosts& layer : layers) add(layer, false);
  add(total_costs(layers), true);

  constexpr std::size_t text_columns = 3;  // set to the left
  std::array<std::size_t, columns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) {
      out << (i == 0 ? "" : "  ") << (i < text_columns ? std::left : std::right)
          << std::setw(static_cast<int>(widths[i])) << row[i];
    }
    out << '\n';
  }
}

}  // namespace abacus::workload
