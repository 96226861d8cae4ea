#include "sw/experiment/package_cache.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "sw/network/safetensors.hpp"
#include "sw/support/child_process.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/work_folder.hpp"

namespace abacus::experiment {
namespace {

bool belongs(const network::IntegerNetwork& network, const std::string& checkpoint_sha256,
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
    Package package{network::read_package(file), file, ""};
    if (!belongs(package.network, checkpoint_sha256, recipe_sha256)) return std::nullopt;
    package.sha256 = network::sha256_file(file);
    return package;
  } catch (const std::exception&) {
    return std::nullopt;  // made again
  }
}

// What decides a package, by its hashes, and where it is kept.
struct CacheEntry {
  explicit CacheEntry(const PackageRequest& request)
      : checkpoint_sha256(network::sha256_file(request.checkpoint)),
        recipe_sha256(recipe_hash(request.dataset, request.recipe, request.full_recipe)),
        file(package_file(request.cache_folder, checkpoint_sha256, recipe_sha256)) {}

  std::string checkpoint_sha256;
  std::string recipe_sha256;
  std::filesystem::path file;
};

// For errors.
std::string subject_of(const PackageRequest& request) {
  return "the integer package of " + request.checkpoint.string() + " (" + request.recipe.scheme +
         ", " + std::to_string(request.recipe.weight_bits) + "-bit weights, " +
         std::to_string(request.recipe.activation_bits) + "-bit activations)";
}

// Before a package is made.
void require_trainer_and_folder(const PackageRequest& request, const CacheEntry& entry) {
  if (request.trainer.empty()) {
    throw std::runtime_error(
        subject_of(request) + " is not in the cache " + request.cache_folder.string() +
        ", and abacus-train, which makes it, is neither beside abacus nor on "
        "PATH; build it with -DABACUS_BUILD_TRAINER=ON, or name a ready package by "
        "`package` in place of checkpoint and quantization");
  }
  support::make_output_folder(request.cache_folder);
  support::check_output(entry.file);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// The trainer's error, which libraries' warnings may come before.
std::string error_line(const std::string& text) {
  const std::size_t own = text.find("abacus-train: ");
  return first_line(own == std::string::npos ? text : text.substr(own));
}

}  // namespace

std::string ask_trainer(const PackageRequest& request) {
  if (request.trainer.empty()) return "";
  std::vector<std::string> arguments = quantize_arguments(request);
  arguments.push_back("--print-recipe");
  const support::ProgramOutput answer = support::capture_program(request.trainer, arguments);
  if (answer.status != 0) {
    const std::string why = error_line(answer.err);
    throw std::runtime_error(why.empty()
                                 ? "abacus-train quantize --print-recipe ended with status " +
                                       std::to_string(answer.status)
                                 : why);
  }
  return first_line(answer.out);
}

std::string recipe_hash(const std::string& dataset, const QuantizationRecipe& recipe,
                        const std::string& full_recipe) {
  std::ostringstream text;
  text << "quantizer " << quantizer_version << "\ndataset " << dataset << "\nscheme "
       << recipe.scheme << "\nweight_bits " << recipe.weight_bits << "\nactivation_bits "
       << recipe.activation_bits << "\nstorage_bits " << recipe.storage_bits << '\n';
  if (!recipe.element.empty()) text << "element " << recipe.element_sha256 << '\n';
  for (const auto& [key, value] : recipe.options) text << "option " << key << ' ' << value << '\n';
  text << "trainer " << full_recipe << '\n';
  return network::sha256_text(text.str());
}

std::filesystem::path package_file(const std::filesystem::path& cache_folder,
                                   const std::string& checkpoint_sha256,
                                   const std::string& recipe_sha256) {
  return cache_folder / (network::sha256_text(checkpoint_sha256 + recipe_sha256) + ".safetensors");
}

std::vector<std::string> quantize_arguments(const PackageRequest& request) {
  std::vector<std::string> arguments{"quantize"};
  // In one word: a value may begin with a dash.
  const auto add = [&](const std::string& name, const std::string& value) {
    arguments.push_back("--" + name + '=' + value);
  };
  add("checkpoint", request.checkpoint.string());
  add("scheme", request.recipe.scheme);
  add("weight-bits", std::to_string(request.recipe.weight_bits));
  add("activation-bits", std::to_string(request.recipe.activation_bits));
  add("storage-bits", std::to_string(request.recipe.storage_bits));
  if (!request.recipe.element.empty()) add("element", request.recipe.element.string());
  for (const auto& [key, value] : request.recipe.options) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', '-');
    add(name, value);
  }
  if (!request.data_root.empty()) add("data", request.data_root.string());
  return arguments;
}

void check_obtainable(const PackageRequest& request) {
  if (!request.shipped.empty()) return;
  const CacheEntry entry(request);
  if (read_cached(entry.file, entry.checkpoint_sha256, entry.recipe_sha256)) return;
  require_trainer_and_folder(request, entry);
}

Package obtain_package(const PackageRequest& request) {
  if (!request.shipped.empty()) {
    return {network::read_package(request.shipped), request.shipped,
            network::sha256_file(request.shipped)};
  }
  const CacheEntry entry(request);
  const auto& [checkpoint_sha256, recipe_sha256, file] = entry;
  if (auto cached = read_cached(file, checkpoint_sha256, recipe_sha256)) return *cached;
  require_trainer_and_folder(request, entry);
  // Where the trainer works undisturbed by another program that wants the same package.
  const support::WorkFolder workplace(request.cache_folder, "making");
  const std::filesystem::path made =
      std::filesystem::absolute(workplace.path() / "package.safetensors");
  std::vector<std::string> arguments = quantize_arguments(request);
  for (const std::string& more :
       {std::string("--recipe-hash"), recipe_sha256, std::string("--out"), made.string()}) {
    arguments.push_back(more);
  }
  const int status = support::run_program(
      request.trainer, arguments,
      request.quiet ? support::ChildOutput::discard : support::ChildOutput::to_stderr);
  if (status != 0) {
    throw std::runtime_error("abacus-train quantize could not make " + subject_of(request) +
                             ": it ended with status " + std::to_string(status));
  }
  if (!std::filesystem::is_regular_file(made)) {
    throw std::runtime_error("abacus-train quantize ended well but left no package at " +
                             made.string());
  }
  Package package{network::read_package(made), file, network::sha256_file(made)};
  if (!belongs(package.network, checkpoint_sha256, recipe_sha256)) {
    throw std::runtime_error(file.string() +
                             ": abacus-train wrote a package of another checkpoint or recipe; "
                             "found checkpoint " +
                             package.network.origin.checkpoint_sha256 + ", recipe " +
                             package.network.origin.recipe_sha256 + "; expected " +
                             checkpoint_sha256 + " and " + recipe_sha256);
  }
  support::write_output(file, [&](std::ostream& out) {
    std::ifstream in(made, std::ios::binary);
    out << in.rdbuf();
    if (!in) throw std::runtime_error(made.string() + ": cannot read the file");
  });
  return package;
}

}  // namespace abacus::experiment
