// Weights (or scale records) on their way into their SRAM: one or more column tiles at a time,
// either all of a layer's at places of their own until the layer ends, or one behind the other in a
// ring.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/schedule/occupancy.hpp"
#include "sw/schedule/plan.hpp"

namespace abacus::schedule {

// How many of a layer's tiles, tile_bytes[i] each, a fetch brings into a memory of `capacity` bytes:
// the number of tiles of each fetch.
std::vector<int> chunk_sizes(const std::vector<std::uint64_t>& tile_bytes, std::uint64_t capacity);

class TileStream {
 public:
  TileStream(FetchKind kind, std::uint32_t capacity) : kind_(kind), ring_(capacity) {}

  // Begins a layer whose column tile i takes tile_bytes[i] (aligned) bytes.
  void begin_layer(int layer, const std::vector<std::uint64_t>& tile_bytes, bool resident);

  // Address of column tile `column` at step `step`; adds the fetch that brings it, if it is not
  // there.
  std::uint32_t use(int column, int step, std::vector<Fetch>& fetches);

  // A place for bytes that only step `step` uses, outside of any tile; `fetch` (its kind and layer given)
  // brings them.
  std::uint32_t use_once(std::uint64_t bytes, int step, Fetch fetch, std::vector<Fetch>& fetches);

 private:
  // Neighbouring tiles that one command fetches together.
  struct Chunk {
    int first_column = 0;
    int column_count = 0;
    std::uint64_t offset = 0;  // in the layer's bytes
    std::uint64_t bytes = 0;
    std::uint32_t address = 0;
    bool present = false;
  };

  FetchKind kind_;
  Ring ring_;
  Occupancy occupancy_;
  int layer_ = 0;
  bool resident_ = false;
  std::uint32_t resident_address_ = 0;
  std::vector<std::uint64_t> tile_offsets_;
  std::vector<std::size_t> chunk_of_tile_;
  std::vector<Chunk> chunks_;
};

}  // namespace abacus::schedule
