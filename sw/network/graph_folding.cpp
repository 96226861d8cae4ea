#include "sw/network/graph_folding.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "sw/support/overloaded.hpp"

namespace abacus::network {
namespace {

// The integer layer that begins with it; none for what others take in.
std::optional<IntegerLayerKind> starting_kind(const Layer& layer) {
  using Kind = std::optional<IntegerLayerKind>;
  return std::visit(
      support::Overloaded{[](const Convolution&) -> Kind { return IntegerLayerKind::convolution; },
                          [](const BatchNorm&) -> Kind { return std::nullopt; },
                          [](const Relu&) -> Kind { return std::nullopt; },
                          // A layer of its own only where no convolution takes it in.
                          [](const Add&) -> Kind { return std::nullopt; },
                          [](const AveragePool&) -> Kind { return IntegerLayerKind::average_pool; },
                          [](const MaxPool&) -> Kind { return IntegerLayerKind::max_pool; }},
      layer.kind);
}

class Folder {
 public:
  explicit Folder(const Network& network)
      : network_(network), readers_(network.layers.size()), folded_(network.layers.size(), false) {
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      for (const int from : network.layers[i].inputs) {
        if (from >= 0) readers_[static_cast<std::size_t>(from)].push_back(static_cast<int>(i));
      }
    }
  }

  std::vector<FoldedLayer> fold() {
    start_layers();
    fold_batch_norms();
    fold_additions();
    fold_relus();
    for (std::size_t i = 0; i < folded_.size(); ++i) {
      if (!folded_[i]) {
        throw std::invalid_argument(network_.name + ": layer \"" + network_.layers[i].name +
                                    "\" cannot be folded; a BatchNorm must directly follow a "
                                    "convolution, a ReLU a convolution, BatchNorm or addition, "
                                    "and nothing else may read what lies between");
      }
    }
    return connect();
  }

 private:
  const Layer& layer(int index) const { return network_.layers[static_cast<std::size_t>(index)]; }

  // The only layer that reads layer `index`, or no_tensor.
  int only_reader(int index) const {
    const std::vector<int>& readers = readers_[static_cast<std::size_t>(index)];
    return readers.size() == 1 ? readers[0] : no_tensor;
  }
  template <typename Kind>
  int only_reader_of_kind(int index) const {
    const int reader = only_reader(index);
    return reader != no_tensor && layer(reader).is<Kind>() ? reader : no_tensor;
  }

  void take(FoldedLayer& into, int index) {
    into.output = index;
    folded_[static_cast<std::size_t>(index)] = true;
  }

  void start_layers() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& from = network_.layers[i];
      const std::optional<IntegerLayerKind> kind = starting_kind(from);
      if (!kind.has_value()) continue;
      FoldedLayer start;
      start.kind = *kind;
      start.name = from.name;
      start.layer = static_cast<int>(i);
      take(start, start.layer);
      result_.push_back(start);
    }
  }

  void fold_batch_norms() {
    for (FoldedLayer& folded : result_) {
      if (folded.kind != IntegerLayerKind::convolution) continue;
      const int reader = only_reader_of_kind<BatchNorm>(folded.output);
      if (reader == no_tensor) continue;
      folded.batch_norm = reader;
      take(folded, reader);
    }
  }

  // The first operand's convolution takes the addition in; failing that the second's.
  void fold_additions() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& addition = network_.layers[i];
      if (!addition.is<Add>()) continue;
      const int index = static_cast<int>(i);
      FoldedLayer* host = nullptr;
      int other = 0;
      for (const int operand : {0, 1}) {
        const int from = addition.inputs[static_cast<std::size_t>(operand)];
        if (host != nullptr || from < 0 || only_reader(from) != index) continue;
        for (FoldedLayer& folded : result_) {
          if (folded.kind == IntegerLayerKind::convolution && folded.output == from &&
              folded.residual == no_tensor) {
            host = &folded;
            other = addition.inputs[static_cast<std::size_t>(1 - operand)];
          }
        }
      }
      if (host == nullptr) {
        FoldedLayer own;
        own.kind = IntegerLayerKind::add;
        own.name = addition.name;
        own.layer = index;
        result_.push_back(own);
        host = &result_.back();
        other = addition.inputs[1];
      }
      take(*host, index);
      residual_of_[host->layer] = other;
      host->residual = 0;  // connect() puts the folded layer's index here
    }
  }

  void fold_relus() {
    for (FoldedLayer& folded : result_) {
      if (folded.kind != IntegerLayerKind::convolution && folded.kind != IntegerLayerKind::add) {
        continue;
      }
      const int reader = only_reader_of_kind<Relu>(folded.output);
      if (reader == no_tensor) continue;
      folded.relu = true;
      take(folded, reader);
    }
  }

  std::vector<FoldedLayer> connect() {
    // The network's layers are in topological order, so the order of the last ones folded in is
    // one too.
    std::sort(result_.begin(), result_.end(),
              [](const FoldedLayer& a, const FoldedLayer& b) { return a.output < b.output; });
    if (network_.arithmetic == Arithmetic::shiftaddnet) put_shifts_before_adders();
    std::map<int, int> tensor_of = {{-1, image_tensor}};
    for (std::size_t i = 0; i < result_.size(); ++i) {
      FoldedLayer& folded = result_[i];
      folded.input = tensor_of.at(layer(folded.layer).inputs[0]);
      if (folded.residual != no_tensor) {
        folded.residual = tensor_of.at(residual_of_.at(folded.layer));
      }
      const bool pool = folded.kind == IntegerLayerKind::average_pool ||
                        folded.kind == IntegerLayerKind::max_pool;
      folded.nonnegative =
          folded.relu || (pool && folded.input != image_tensor &&
                          result_[static_cast<std::size_t>(folded.input)].nonnegative);
      tensor_of[folded.output] = static_cast<int>(i);
    }
    return result_;
  }

  // Nothing may stand between a ShiftAddNet's shift layer and the adder layer that reads it, which a
  // block's shortcut does otherwise.
  void put_shifts_before_adders() {
    std::vector<FoldedLayer> ordered;
    std::map<int, FoldedLayer> waiting;  // by the layer that reads the shift layer
    for (const FoldedLayer& folded : result_) {
      const Layer& from = layer(folded.layer);
      const int reader = only_reader_of_kind<Convolution>(folded.output);
      if (from.computes(Arithmetic::shift) && reader != no_tensor &&
          layer(reader).computes(Arithmetic::adder)) {
        waiting[reader] = folded;
        continue;
      }
      const auto shift = waiting.find(folded.layer);
      if (shift != waiting.end()) ordered.push_back(shift->second);
      ordered.push_back(folded);
    }
    result_ = std::move(ordered);
  }

  const Network& network_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> folded_;
  std::vector<FoldedLayer> result_;
  std::map<int, int> residual_of_;  // by FoldedLayer::layer: the network's layer that is added
};

}  // namespace

void throw_folded_away() {
  throw std::logic_error("a BatchNorm or ReLU that no convolution or addition has taken in");
}

std::vector<FoldedLayer> fold_graph(const Network& network) { return Folder(network).fold(); }

GraphReads reads_of(const std::vector<FoldedLayer>& folded) {
  GraphReads reads;
  for (const FoldedLayer& layer : folded) {
    reads.push_back({layer.input});
    if (layer.residual != no_tensor) reads.back().push_back(layer.residual);
  }
  return reads;
}

IntegerLayer integer_layer(const Network& network, const FoldedLayer& folded) {
  const Layer& from = network.layers[static_cast<std::size_t>(folded.layer)];
  IntegerLayer layer;
  layer.name = folded.name;
  layer.kind = folded.kind;
  layer.input = folded.input;
  layer.residual = folded.residual;
  layer.relu = folded.relu;
  layer.output.shape = network.layers[static_cast<std::size_t>(folded.output)].output;
  if (const std::optional<Window> window = window_of(from.kind)) {
    layer.kernel = window->kernel;
    layer.stride = window->stride;
    layer.padding = window->padding;
  }
  if (const Convolution* const convolution = from.if_convolution()) {
    layer.arithmetic = convolution->arithmetic;
    layer.edge = convolution->edge;
    layer.depthwise = convolution->groups != 1;
  }
  return layer;
}

}  // namespace abacus::network
