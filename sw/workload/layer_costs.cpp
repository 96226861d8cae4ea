#include "sw/workload/layer_costs.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iomanip>

namespace abacus {
namespace {

bool takes_adapter(const Convolution& convolution) {
  return !convolution.edge && convolution.arithmetic != Arithmetic::adder &&
         convolution.arithmetic != Arithmetic::bnn;
}

std::string shape_text(const Shape& shape) {
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width);
}

std::string count_or_nothing(std::int64_t count) { return count == 0 ? "" : std::to_string(count); }

}  // namespace

AdapterCosts adapter_costs(const Shape& input) {
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

std::vector<LayerCosts> layer_costs(const Network& network) {
  std::vector<LayerCosts> all;
  for (const Layer& layer : network.layers) {
    LayerCosts costs;
    costs.name = layer.name;
    costs.kind = kind_name(layer.kind);
    costs.input = layer.input;
    costs.output = layer.output;
    if (const std::optional<Window> window = window_of(layer.kind)) {
      costs.kernel = window->kernel;
      costs.stride = window->stride;
      costs.padding = window->padding;
    }
    if (const Convolution* const convolution = layer.if_convolution()) {
      costs.arithmetic = to_string(convolution->arithmetic);
      costs.edge = convolution->edge;
      costs.groups = convolution->groups;
      costs.taps = Network::taps(layer);
      if (convolution->bias) costs.biases = layer.output.channels;
      if (takes_adapter(*convolution)) costs.adapter = adapter_costs(layer.input);
    }
    if (layer.is<BatchNorm>()) costs.biases = layer.output.channels;
    costs.weights = Network::parameters(layer) - costs.biases;
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

void write_costs_csv(std::ostream& out, const std::vector<LayerCosts>& layers) {
  out << "layer,kind,arithmetic,array,input_channels,input_height,input_width,output_channels,"
         "output_height,output_width,kernel,stride,padding,groups,taps,weights,biases,parameters,"
         "adapter_hidden,adapter_weights,adapter_biases,adapter_operations,"
         "adapter_pool_additions\n";
  const auto write = [&](const LayerCosts& l) {
    const std::string array = l.arithmetic.empty() ? "" : l.edge ? "edge" : "main";
    out << l.name << ',' << l.kind << ',' << l.arithmetic << ',' << array;
    for (const int size : {l.input.channels, l.input.height, l.input.width, l.output.channels,
                           l.output.height, l.output.width, l.kernel, l.stride}) {
      out << ',' << count_or_nothing(size);
    }
    // A padding of 0 is one, where there is a window.
    out << ',' << (l.kernel == 0 ? "" : std::to_string(l.padding)) << ','
        << count_or_nothing(l.groups);
    for (const std::int64_t count :
         {l.taps, l.weights, l.biases, l.parameters(), std::int64_t{l.adapter.hidden},
          l.adapter.weights, l.adapter.biases, l.adapter.operations, l.adapter.pool_additions}) {
      out << ',' << count;
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

}  // namespace abacus
