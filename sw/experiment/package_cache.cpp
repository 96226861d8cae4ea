#include "sw/experiment/package_cache.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "sw/network/safetensors.hpp"
#include "sw/support/child_process.hpp"

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

// A new folder in the cache, removed with all that is in it: where the trainer works, undisturbed by
// another program that wants the same package.
class Workplace {
 public:
  explicit Workplace(const std::filesystem::path& cache) {
    std::string name = (cache / "making-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("cannot make a folder in the cache " + cache.string() + ": " +
                               std::strerror(errno));
    }
    folder_ = name;
  }
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  std::filesystem::path file() const { return folder_ / "package.safetensors"; }

 private:
  std::filesystem::path folder_;
};

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
  if (!request.recipe.element.empty()) {
    arguments.push_back("--element");
    arguments.push_back(request.recipe.element.string());
  }
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
  return arguments;
}

Package obtain_package(const PackageRequest& request) {
  const std::string checkpoint_sha256 = network::sha256_file(request.checkpoint);
  const std::string recipe_sha256 =
      recipe_hash(request.dataset, request.recipe, request.full_recipe);
  const std::filesystem::path file =
      package_file(request.cache_folder, checkpoint_sha256, recipe_sha256);
  if (auto cached = read_cached(file, checkpoint_sha256, recipe_sha256)) return *cached;

  const std::string subject = "the integer package of " + request.checkpoint.string() + " (" +
                              request.recipe.scheme + ", " +
                              std::to_string(request.recipe.weight_bits) + "-bit weights, " +
                              std::to_string(request.recipe.activation_bits) + "-bit activations)";
  if (request.trainer.empty()) {
    throw std::runtime_error(
        subject + " is not in the cache " + request.cache_folder.string() +
        ", and abacus-train, which makes it, is neither beside abacus nor on "
        "PATH; build it with -DABACUS_BUILD_TRAINER=ON, or name a ready package by "
        "`package` in place of checkpoint and quantization");
  }
  std::error_code error;
  std::filesystem::create_directories(request.cache_folder, error);
  if (error) {
    throw std::runtime_error("cannot make the cache folder " + request.cache_folder.string() +
                             ": " + error.message());
  }
  const Workplace workplace(request.cache_folder);
  const std::filesystem::path made = workplace.file();
  std::vector<std::string> arguments = quantize_arguments(request);
  for (const std::string& more :
       {std::string("--recipe-hash"), recipe_sha256, std::string("--out"), made.string()}) {
    arguments.push_back(more);
  }
  const int status = support::run_program(
      request.trainer, arguments,
      request.quiet ? support::ChildOutput::discard : support::ChildOutput::to_stderr);
  if (status != 0) {
    throw std::runtime_error("abacus-train quantize could not make " + subject +
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
  std::filesystem::rename(made, file);
  return package;
}

}  // namespace abacus::experiment
