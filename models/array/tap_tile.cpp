#include "models/array/tap_tile.hpp"

#include "models/array/lookups/lookup_tile.hpp"
#include "models/array/parts/parts_tile.hpp"

namespace abacus::models {

bool is_any_function(hw::TapKind kind) {
  switch (kind) {
    case hw::TapKind::absolute_difference:
    case hw::TapKind::product:
    case hw::TapKind::sign_product:
      return false;
    default:
      return true;
  }
}

std::unique_ptr<TapTile> make_tap_tile(const TapFormat& format, CpuTarget target) {
  if (auto parts = PartsTile::make(format, target)) return parts;
  return std::make_unique<LookupTile>(format, target);
}

}  // namespace abacus::models
