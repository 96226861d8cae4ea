// What the layers of a network cost by their shapes alone: taps, parameters, and those of the step
// adapters that ASQ puts before them.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sw/network/network.hpp"

namespace abacus::workload {

// ASQ's step adapter ("Precision Neural Network Quantization via Learnable Adaptive Modules", section
// 3.2; its authors' module): global average pool, Linear(C, C/4), ReLU, Linear(C/4, 1), ReLU; a single
// Linear(C, 1) where C < 8.
struct AdapterCosts {
  int hidden = 0;                   // C/4; 0: one layer
  std::int64_t weights = 0;         // eq. 11: inputs × outputs of each linear layer
  std::int64_t biases = 0;          // one an output
  std::int64_t operations = 0;      // eq. 13: inputs × outputs of each linear layer, an image
  std::int64_t pool_additions = 0;  // C × height × width, an image; the paper does not count them
};

struct LayerCosts {
  std::string name;
  std::string kind;
  std::string arithmetic;  // of convolutions; empty
  bool edge = false;
  network::Shape input;
  network::Shape output;
  int kernel = 0;  // of convolutions and pools; 0
  int stride = 0;
  int padding = 0;
  int groups = 0;            // of convolutions; 0
  std::int64_t taps = 0;     // eq. 12, an image
  std::int64_t weights = 0;  // eq. 10: of convolutions; of BatchNorms, one a channel
  std::int64_t biases = 0;   // likewise
  AdapterCosts adapter;      // all 0 where there is none
  std::int64_t parameters() const { return weights + biases; }
};

AdapterCosts adapter_costs(const network::Shape& input);

// One entry a layer, in the network's order. Adapters stand before each convolution that can have one
// here: whose taps are products (cnn, shift, post, apot) and which is not on the edge array, since
// first and last layers keep 8 bits.
std::vector<LayerCosts> layer_costs(const network::Network& network);
// Sums of everything that can be added up, under the name "total".
LayerCosts total_costs(const std::vector<LayerCosts>& layers);

// A layer's fields by name, in this order; nothing where one does not apply: layer, kind,
// arithmetic, array, input_channels, input_height, input_width, output_channels, output_height,
// output_width, kernel, stride, padding, groups, taps, weights, biases, parameters, adapter_hidden,
// adapter_weights, adapter_biases, adapter_operations, adapter_pool_additions. `array`: `edge` or
// `main`, of layers with taps.
using CostValue = std::variant<std::monostate, std::string, std::int64_t>;
std::vector<std::pair<std::string, CostValue>> cost_fields(const LayerCosts& layer);

// These fields comma-separated, with a head line, a line a layer and one of the total.
void write_costs_csv(std::ostream& out, const std::vector<LayerCosts>& layers);
// The same for people: shapes as channels×height×width, parts of it.
void write_costs_table(std::ostream& out, const std::vector<LayerCosts>& layers);

}  // namespace abacus::workload
