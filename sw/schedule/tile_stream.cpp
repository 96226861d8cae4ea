#include "sw/schedule/tile_stream.hpp"

#include <algorithm>
#include <cstddef>

namespace abacus::schedule {
namespace {

// Tiles are fetched together, so that small layers take few commands; but for the first one, for which the
// array waits. A larger memory leaves room for more fetches in flight, not for longer ones.
constexpr int most_tiles = 4;
constexpr std::uint64_t most_bytes = 1024;
constexpr std::uint64_t chunks_in_memory = 8;

}  // namespace

std::vector<int> chunk_sizes(const std::vector<std::uint64_t>& tile_bytes, std::uint64_t capacity) {
  const std::uint64_t largest_chunk = std::min(capacity / chunks_in_memory, most_bytes);
  std::vector<int> sizes;
  std::uint64_t bytes = 0;
  for (const std::uint64_t tile : tile_bytes) {
    if (sizes.empty() || sizes.back() == most_tiles || bytes + tile > largest_chunk) {
      sizes.push_back(0);
      bytes = 0;
    }
    ++sizes.back();
    bytes += tile;
  }
  return sizes;
}

void TileStream::begin_layer(int layer, const std::vector<std::uint64_t>& tile_bytes,
                             bool resident) {
  layer_ = layer;
  resident_ = resident;
  tile_offsets_.clear();
  chunk_of_tile_.clear();
  chunks_.clear();
  std::uint64_t offset = 0;
  std::size_t tile = 0;
  for (const int size : chunk_sizes(tile_bytes, ring_.capacity())) {
    Chunk chunk;
    chunk.first_column = static_cast<int>(tile);
    chunk.column_count = size;
    chunk.offset = offset;
    for (int i = 0; i < size; ++i, ++tile) {
      chunk_of_tile_.push_back(chunks_.size());
      tile_offsets_.push_back(offset);
      offset += tile_bytes[tile];
    }
    chunk.bytes = offset - chunk.offset;
    chunks_.push_back(chunk);
  }
  if (resident_ && offset != 0) resident_address_ = ring_.take(offset);
}

std::uint32_t TileStream::use(int column, int step, std::vector<Fetch>& fetches) {
  const std::size_t tile = static_cast<std::size_t>(column);
  const std::size_t index = chunk_of_tile_[tile];
  Chunk& chunk = chunks_[index];
  const auto range = [&] { return AddressRange{chunk.address, chunk.address + chunk.bytes}; };
  if (!chunk.present) {
    if (!resident_) {
      // The chunk before may be overwritten now.
      for (Chunk& other : chunks_) other.present = false;
    }
    chunk.present = true;
    chunk.address = resident_ ? resident_address_ + static_cast<std::uint32_t>(chunk.offset)
                              : ring_.take(chunk.bytes);
    Fetch fetch;
    fetch.kind = kind_;
    fetch.layer = layer_;
    fetch.first_column = chunk.first_column;
    fetch.column_count = chunk.column_count;
    fetch.address = chunk.address;
    fetch.needed = step;
    fetch.earliest = occupancy_.last_use(range());
    fetches.push_back(fetch);
  }
  occupancy_.touch(range(), step);
  return chunk.address + static_cast<std::uint32_t>(tile_offsets_[tile] - chunk.offset);
}

std::uint32_t TileStream::use_once(std::uint64_t bytes, int step, Fetch fetch,
                                   std::vector<Fetch>& fetches) {
  const std::uint32_t address = ring_.take(bytes);
  const AddressRange range{address, address + bytes};
  fetch.address = address;
  fetch.needed = step;
  fetch.earliest = occupancy_.last_use(range);
  fetches.push_back(fetch);
  occupancy_.touch(range, step);
  return address;
}

}  // namespace abacus::schedule
