// One layer of a graph after the other, each tensor kept from the layer that makes it to the last one
// that reads it. What is done at a layer, and what a tensor is, is its user's: the float network with
// or without gradients, a layer at a time over all images, integers on a quantized network's grids.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sw/network/network.hpp"

namespace abacus::network {

// By layer: the tensors that it reads, each the index of the layer that makes it. Negative: the
// graph's input.
using GraphReads = std::vector<std::vector<int>>;

GraphReads reads_of(const Network& network);

// By tensor: the last layer that reads it; no_reader if none does. Throws std::invalid_argument for a
// layer that reads itself or one after it.
inline constexpr int no_reader = -1;
std::vector<int> last_readers(const GraphReads& reads);

template <typename Tensor>
class GraphWalk {
 public:
  // Over the whole graph.
  GraphWalk(GraphReads reads, Tensor input) : GraphWalk(std::move(reads), 0, std::move(input)) {}
  // From layer `first` on; `input` is whatever its layers read from before it.
  GraphWalk(GraphReads reads, int first, Tensor input)
      : reads_(std::move(reads)),
        last_readers_(last_readers(reads_)),
        first_(first),
        at_(first),
        input_(std::move(input)),
        tensors_(reads_.size()) {}

  bool done() const { return at_ >= static_cast<int>(reads_.size()); }
  // The one at hand.
  int layer() const { return at_; }
  // What it reads.
  std::vector<Tensor> inputs() const {
    std::vector<Tensor> result;
    for (const int from : reads_[index(at_)]) result.push_back(tensor(from));
    return result;
  }
  // Empty (as by default) for a layer whose output is not there yet, or no longer.
  const Tensor& tensor(int of) const { return of < first_ ? input_ : tensors_[index(of)]; }
  // Whether the layer at hand is the last that reads it. Never of the walk's input, which is not the
  // walk's alone.
  bool is_last_reader(int of) const { return of >= first_ && last_readers_[index(of)] == at_; }

  // The output of the layer at hand, or of a later one that was computed together with it.
  void store(int layer, Tensor output) {
    if (layer < at_) throw std::logic_error("an output for a layer that is passed");
    tensors_[index(layer)] = std::move(output);
  }
  // On to the next layer. What nobody will read any more is dropped; an output that has no reader,
  // such as the last one's, stays.
  void advance() {
    for (const int from : reads_[index(at_)]) {
      if (is_last_reader(from)) tensors_[index(from)] = Tensor();
    }
    ++at_;
  }
  void advance(Tensor output) {
    store(at_, std::move(output));
    advance();
  }

 private:
  static std::size_t index(int layer) { return static_cast<std::size_t>(layer); }

  GraphReads reads_;
  std::vector<int> last_readers_;
  int first_;
  int at_;
  Tensor input_;
  std::vector<Tensor> tensors_;
};

}  // namespace abacus::network
