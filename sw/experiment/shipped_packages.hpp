// Integer packages that ship with Abacus (scenarios/packages), so that the shipped scenarios need no trainer.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sw/experiment/package_cache.hpp"

namespace abacus::experiment {

struct ShippedPackage {
  std::filesystem::path file;
  std::string full_recipe;  // what the trainer said that it did for it
};

// The package of `folder` that was made from the request's checkpoint (by content) with its recipe, by
// today's quantizer_version; of several the first by name. A shipped package has in its metadata what the
// trainer said of its recipe, so no trainer is asked. Files that cannot be read are passed over.
std::optional<ShippedPackage> find_shipped_package(const std::filesystem::path& folder,
                                                   const PackageRequest& request);

}  // namespace abacus::experiment
