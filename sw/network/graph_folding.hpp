// Which layers of a network become one layer of the integer network, be it trained or made up.
#pragma once

#include <string>
#include <vector>

#include "sw/network/graph_walk.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/network.hpp"

namespace abacus::network {

// One layer of the integer network, with the layers of the float network that it stands for.
struct FoldedLayer {
  std::string name;
  IntegerLayerKind kind = IntegerLayerKind::convolution;
  int input = image_tensor;    // index of a folded layer, or image_tensor
  int residual = no_tensor;    // convolution: optional; add: second operand
  int layer = 0;               // index into Network::layers: convolution, addition or pool
  int batch_norm = no_tensor;  // convolution only: index into Network::layers
  bool relu = false;
  int output = 0;  // index into Network::layers whose output it stores: the last one folded in
  bool nonnegative = false;  // its output is: ReLU, or pools after one
};

// For visitors of the layers that folded layers stand for, which are no BatchNorm and no ReLU.
[[noreturn]] void throw_folded_away();

// Convolution + BatchNorm (+ addition) (+ ReLU) become one convolution, in an order in which every
// layer comes after those that it reads: a block's shortcut before its last convolution, in whose
// scale unit the addition takes place. A ShiftAddNet's shift layers come directly before the adder
// layers that read them. An addition of two tensors neither of which is a convolution's own stays a
// layer of its own. Throws std::invalid_argument naming the layer for a
// graph that the hardware has no place for: a BatchNorm that does not directly follow a convolution,
// a ReLU that does not follow one of these.
std::vector<FoldedLayer> fold_graph(const Network& network);

// By folded layer: what it reads, its residual last.
GraphReads reads_of(const std::vector<FoldedLayer>& folded);

// What an integer layer has of the graph: name, kind, tensors that it reads, output's shape, window,
// arithmetic, ReLU. Formats, weights and scales are yet to come.
IntegerLayer integer_layer(const Network& network, const FoldedLayer& folded);

}  // namespace abacus::network
