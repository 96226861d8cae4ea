// What a run is simulated from, checked against what the scenario says of it: checkpoint, package, images. Errors
// are InputErrors (sw/reading/node.hpp) that name the place in the scenario.
#pragma once

#include <filesystem>

#include "sw/experiment/package_cache.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/network/dataset.hpp"

namespace abacus::experiment {

struct PackageOptions {
  std::filesystem::path data_root;
  std::filesystem::path cache;  // empty: default_cache_folder()
  bool quiet = false;
};

// A checkpoint of another network would only fail after it was quantized. `images`: that it is to see,
// or null.
void compare_checkpoint(const RunSpec& run, const network::Dataset* images);

// A ready package; what it says of its quantization becomes the run's. `images`: likewise.
Package read_ready_package(RunSpec& run, const network::Dataset* images);

// The request for a run's package. Where no package ships, the trainer judges the recipe, and
// is asked before anything runs.
PackageRequest package_request(const RunSpec& run, const PackageOptions& options);

// Random weights as the run's hardware takes them.
Package make_synthetic(const RunSpec& run);

// Of one of these three, whichever the run has; held to the run's hardware.
Package package_of(RunSpec& run, const PackageOptions& options);

// Random images are made as many as are wanted.
void limit_random_images(RunSpec& run);

// Random weights give no accuracy for which there should be all images.
void limit_images(RunSpec& run, const network::Dataset& dataset);

}  // namespace abacus::experiment
