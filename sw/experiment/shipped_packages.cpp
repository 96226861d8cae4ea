#include "sw/experiment/shipped_packages.hpp"

#include <algorithm>
#include <exception>
#include <vector>

#include "sw/network/safetensors.hpp"

namespace abacus::experiment {
namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Empty where it does not tell.
std::string recipe_of(const std::filesystem::path& package) {
  const auto metadata = network::read_safetensors(package).metadata;
  const auto recipe = metadata.find("recipe");
  return recipe == metadata.end() ? "" : recipe->second;
}

}  // namespace

std::optional<ShippedPackage> find_shipped_package(const std::filesystem::path& folder,
                                                   const PackageRequest& request) {
  const std::vector<std::filesystem::path> files = files_of(folder);
  if (files.empty()) return std::nullopt;
  const std::string checkpoint_sha256 = network::sha256_file(request.checkpoint);
  for (const std::filesystem::path& file : files) {
    try {
      const network::PackageOrigin origin = network::read_package(file).origin;
      if (origin.checkpoint_sha256 != checkpoint_sha256) continue;
      const std::string full_recipe = recipe_of(file);
      if (recipe_hash(request.dataset, request.recipe, full_recipe) == origin.recipe_sha256) {
        return ShippedPackage{file, full_recipe};
      }
    } catch (const std::exception&) {
      continue;
    }
  }
  return std::nullopt;
}

}  // namespace abacus::experiment
