// Integer network packages, made on demand by `abacus-train quantize` and kept by what they were
// made from.
#pragma once

#include <filesystem>
#include <string>

#include "sw/experiment/scenario.hpp"
#include "sw/network/integer_network.hpp"

namespace abacus::experiment {

// To be raised whenever a quantizer gives another package for the same checkpoint and recipe, so
// that packages in users' caches become stale.
inline constexpr int quantizer_version = 6;

struct PackageRequest {
  std::filesystem::path checkpoint;
  std::string dataset;
  QuantizationRecipe recipe;
  std::filesystem::path data_root;  // passed on; empty: the trainer's own default
  std::filesystem::path cache_folder;
  std::filesystem::path trainer;  // the program abacus-train; empty where there is none
  bool quiet = false;             // do not pass on what the trainer writes to its stdout
  // What the trainer says that it does for the recipe, its defaults included (ask_trainer), so that
  // a package made with other defaults is another package.
  std::string full_recipe;
  // Where there is one: the package that ships with Abacus (shipped_packages.hpp), taken as it is.
  std::filesystem::path shipped = {};
};

struct Package {
  network::IntegerNetwork network;
  std::filesystem::path file;
  std::string sha256;  // of the file
};

// The trainer's line of text for the request's recipe; empty where there is no trainer. Throws
// std::runtime_error with the trainer's own words if it refuses the recipe or the checkpoint.
std::string ask_trainer(const PackageRequest& request);

// SHA-256 of everything but the checkpoint that decides the package.
std::string recipe_hash(const std::string& dataset, const QuantizationRecipe& recipe,
                        const std::string& full_recipe);
// Where the cache keeps the package of a checkpoint (by its SHA-256) and a recipe (by its hash).
std::filesystem::path package_file(const std::filesystem::path& cache_folder,
                                   const std::string& checkpoint_sha256,
                                   const std::string& recipe_sha256);
// The trainer's command line for a request, without the program and without what to do: --out …, or
// --print-recipe.
std::vector<std::string> quantize_arguments(const PackageRequest& request);

// Throws std::runtime_error where obtain_package() would find that it can neither read nor make the package:
// there is no trainer, or the cache folder, which is made, cannot be written.
void check_obtainable(const PackageRequest& request);

// Returns the shipped package, else the cached one if it is valid and its origin names this checkpoint's content and this
// recipe; else has the trainer make it, under a name of its own, so that several programs may want
// the same package at once. Throws std::runtime_error where the trainer is missing,
// fails or leaves something else than the package asked for; such a file is removed.
Package obtain_package(const PackageRequest& request);

}  // namespace abacus::experiment
