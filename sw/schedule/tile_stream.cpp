#include "sw/schedule/tile_stream.hpp"

#include <cstddef>

namespace abacus::schedule {
namespace {

// Tiles are fetched together up to this share of the memory: few commands for small layers, and
// still several fetches in flight for large ones.
constexpr std::uint64_t chunks_in_memory = 8;

}  // namespace

void TileStream::begin_layer(int layer, const std::vector<std::uint64_t>& tile_bytes,
                             bool resident) {
  layer_ = layer;
  resident_ = resident;
  tile_offsets_.clear();
  chunk_of_tile_.clear();
  chunks_.clear();
  const std::uint64_t largest_chunk = ring_.capacity() / chunks_in_memory;
  std::uint64_t offset = 0;
  for (std::size_t tile = 0; tile < tile_bytes.size(); ++tile) {
    if (chunks_.empty() || chunks_.back().bytes + tile_bytes[tile] > largest_chunk) {
      Chunk chunk;
      chunk.first_column = static_cast<int>(tile);
      chunk.offset = offset;
      chunks_.push_back(chunk);
    }
    ++chunks_.back().column_count;
    chunks_.back().bytes += tile_bytes[tile];
    chunk_of_tile_.push_back(chunks_.size() - 1);
    tile_offsets_.push_back(offset);
    offset += tile_bytes[tile];
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
