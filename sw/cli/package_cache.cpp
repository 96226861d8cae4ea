#include "sw/cli/package_cache.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "sw/cli/child_process.hpp"
#include "sw/network/safetensors.hpp"

namespace abacus {
namespace {

bool belongs(const IntegerNetwork& network, const std::string& checkpoint_sha256,
             const std::string& recipe_sha256) {
  return network.origin.checkpoint_sha256 == checkpoint_sha256 &&
         network.origin.recipe_sha256 == recipe_sha256;
}

// The cached package, unless it is missing, damaged or another one's.
std::optional<Package> read_cached(const std::filesystem::path& file,
                                   const std::string& checkpoint_sha256,
                                   const std::string& recipe_sha256) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return std::nullopt;
  try {
    Package package{read_package(file), file, ""};
    if (!belongs(package.network, checkpoint_sha256, recipe_sha256)) return std::nullopt;
    package.sha256 = sha256_file(file);
    return package;
  } catch (const std::exception&) {
    return std::nullopt;  // made again
  }
}

// Removes the trainer's output, finished or partial, unless it proved to be what was asked for.
class Guard {
 public:
  explicit Guard(std::filesystem::path file) : file_(std::move(file)) {}
  ~Guard() {
    if (file_.empty()) return;
    const std::string name = file_.filename().string();
    std::error_code ignored;
    std::vector<std::filesystem::path> leftovers;
    for (const auto& entry : std::filesystem::directory_iterator(file_.parent_path(), ignored)) {
      if (entry.path().filename().string().compare(0, name.size(), name) == 0) {
        leftovers.push_back(entry.path());
      }
    }
    for (const auto& leftover : leftovers) std::filesystem::remove(leftover, ignored);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  void keep() { file_.clear(); }

 private:
  std::filesystem::path file_;
};

}  // namespace

std::string recipe_hash(const std::string& dataset, const QuantizationRecipe& recipe) {
  std::ostringstream text;
  text << "quantizer " << quantizer_version << "\ndataset " << dataset << "\nscheme "
       << recipe.scheme << "\nweight_bits " << recipe.weight_bits << "\nactivation_bits "
       << recipe.activation_bits << "\nstorage_bits " << recipe.storage_bits << '\n';
  for (const auto& [key, value] : recipe.options) text << "option " << key << ' ' << value << '\n';
  return sha256_text(text.str());
}

std::filesystem::path package_file(const std::filesystem::path& cache_folder,
                                   const std::string& checkpoint_sha256,
                                   const std::string& recipe_sha256) {
  return cache_folder / (sha256_text(checkpoint_sha256 + recipe_sha256) + ".safetensors");
}

std::vector<std::string> quantize_arguments(const PackageRequest& request,
                                            const std::string& recipe_sha256,
                                            const std::filesystem::path& out) {
  std::vector<std::string> arguments{"quantize",
                                     "--checkpoint",
                                     request.checkpoint.string(),
                                     "--scheme",
                                     request.recipe.scheme,
                                     "--weight-bits",
                                     std::to_string(request.recipe.weight_bits),
                                     "--activation-bits",
                                     std::to_string(request.recipe.activation_bits),
                                     "--storage-bits",
                                     std::to_string(request.recipe.storage_bits)};
  for (const auto& [key, value] : request.recipe.options) {
    std::string flag = "--" + key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    arguments.push_back(flag);
    arguments.push_back(value);
  }
  if (!request.data_root.empty()) {
    arguments.push_back("--data");
    arguments.push_back(request.data_root.string());
  }
  arguments.push_back("--recipe-hash");
  arguments.push_back(recipe_sha256);
  arguments.push_back("--out");
  arguments.push_back(out.string());
  return arguments;
}

Package obtain_package(const PackageRequest& request) {
  const std::string checkpoint_sha256 = sha256_file(request.checkpoint);
  const std::string recipe_sha256 = recipe_hash(request.dataset, request.recipe);
  const std::filesystem::path file =
      package_file(request.cache_folder, checkpoint_sha256, recipe_sha256);
  if (auto cached = read_cached(file, checkpoint_sha256, recipe_sha256)) return *cached;

  const std::string subject = "the integer package of " + request.checkpoint.string() + " (" +
                              request.recipe.scheme + ", " +
                              std::to_string(request.recipe.weight_bits) + "-bit weights, " +
                              std::to_string(request.recipe.activation_bits) + "-bit activations)";
  if (request.trainer.empty()) {
    throw std::runtime_error(subject + " is not in the cache " + request.cache_folder.string() +
                             ", and abacus-train, which makes it, is neither beside abacus nor on "
                             "PATH; build it with -DABACUS_BUILD_TRAINER=ON");
  }
  std::error_code error;
  std::filesystem::create_directories(request.cache_folder, error);
  if (error) {
    throw std::runtime_error("cannot make the cache folder " + request.cache_folder.string() +
                             ": " + error.message());
  }
  std::filesystem::remove(file, error);
  Guard guard(file);
  const int status = run_program(request.trainer, quantize_arguments(request, recipe_sha256, file),
                                 request.quiet ? ChildOutput::discard : ChildOutput::to_stderr);
  if (status != 0) {
    throw std::runtime_error("abacus-train quantize could not make " + subject +
                             ": it ended with status " + std::to_string(status));
  }
  if (!std::filesystem::is_regular_file(file)) {
    throw std::runtime_error("abacus-train quantize ended well but left no package at " +
                             file.string());
  }
  Package package{read_package(file), file, sha256_file(file)};
  if (!belongs(package.network, checkpoint_sha256, recipe_sha256)) {
    throw std::runtime_error(file.string() +
                             ": abacus-train wrote a package of another checkpoint or recipe; "
                             "found checkpoint " +
                             package.network.origin.checkpoint_sha256 + ", recipe " +
                             package.network.origin.recipe_sha256 + "; expected " +
                             checkpoint_sha256 + " and " + recipe_sha256);
  }
  guard.keep();
  return package;
}

}  // namespace abacus
