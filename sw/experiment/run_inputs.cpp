#include "sw/experiment/run_inputs.hpp"

#include <algorithm>
#include <stdexcept>

#include "sw/experiment/hardware/hardware_rules.hpp"
#include "sw/experiment/resources.hpp"
#include "sw/experiment/run_errors.hpp"
#include "sw/experiment/shipped_packages.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/reading/node.hpp"
#include "sw/support/stop_request.hpp"
#include "sw/workload/synthetic_network.hpp"

namespace abacus::experiment {
namespace {

// What a checkpoint or package holds must be what the scenario says of the run. `place`: location and
// key in the scenario.
void compare(const RunSpec& run, const std::string& place, const std::filesystem::path& file,
             const std::string& network, network::Arithmetic arithmetic, const std::string& dataset,
             network::Arithmetic wanted_arithmetic) {
  const auto check = [&](const std::string& what, const std::string& found,
                         const std::string& wanted) {
    if (found == wanted) return;
    throw reading::InputError(place + ": " + file.string() + " holds " + what + " \"" + found +
                              "\"; run \"" + run.name + "\" wants \"" + wanted + '"');
  };
  check("network", network, run.network);
  check("arithmetic", network::to_string(arithmetic), network::to_string(wanted_arithmetic));
  check("data set", dataset, run.dataset);
}

// The images' shape and classes, too, must be those that the file's network is made for.
template <typename Network>
void compare_images(const std::string& place, const std::filesystem::path& file,
                    const Network& network, const network::Dataset* images) {
  if (images == nullptr) return;
  try {
    network::check_images(file.string(), network, *images);
  } catch (const std::invalid_argument& error) {
    throw reading::InputError(place + ": " + error.what());
  }
}

}  // namespace

void compare_checkpoint(const RunSpec& run, const network::Dataset* images) {
  const std::string place = run.checkpoint_location + ": checkpoint";
  const network::Checkpoint checkpoint = network::load_checkpoint(run.checkpoint);
  compare(run, place, run.checkpoint, checkpoint.network.name, checkpoint.network.arithmetic,
          checkpoint.dataset,
          network::checkpoint_arithmetic(run.arithmetic, run.hardware.array.element.get()));
  compare_images(place, run.checkpoint, checkpoint.network, images);
}

Package read_ready_package(RunSpec& run, const network::Dataset* images) {
  const std::string place = run.package_location + ": package";
  Package package;
  try {
    package = {network::read_package(run.package), run.package, network::sha256_file(run.package)};
  } catch (const std::exception& error) {
    throw reading::InputError(place + ": " + error.what());
  }
  const network::PackageOrigin& origin = package.network.origin;
  compare(run, place, run.package, origin.network, origin.arithmetic, origin.dataset,
          run.arithmetic);
  compare_images(place, run.package, package.network, images);
  run.quantization.scheme = origin.scheme;
  run.quantization.weight_bits = origin.weight_bits;
  run.quantization.activation_bits = origin.activation_bits;
  run.quantization.storage_bits = package.network.layers.front().output.bits;
  return package;
}

PackageRequest package_request(const RunSpec& run, const PackageOptions& options) {
  PackageRequest request{run.checkpoint,
                         run.dataset,
                         run.quantization,
                         options.data_root,
                         options.cache.empty() ? default_cache_folder() : options.cache,
                         find_program("abacus-train"),
                         options.quiet,
                         ""};
  if (auto shipped = find_shipped_package(resource_folder() / "scenarios" / "packages", request)) {
    request.shipped = shipped->file;
    request.full_recipe = shipped->full_recipe;
    return request;
  }
  try {
    request.full_recipe = ask_trainer(request);
  } catch (const support::Stopped&) {
    throw;
  } catch (const std::exception& error) {
    throw reading::InputError(run.quantization_location + ": quantization: run \"" + run.name +
                              "\": " + error.what());
  }
  return request;
}

Package make_synthetic(const RunSpec& run) {
  workload::SyntheticOptions options;
  options.network = run.network;
  options.arithmetic = run.arithmetic;
  options.image = run.synthetic->image;
  options.classes = run.synthetic->classes;
  options.weight_bits = run.quantization.weight_bits;
  options.activation_bits = run.quantization.activation_bits;
  options.storage_bits = run.quantization.storage_bits;
  options.groups = run.synthetic->groups;
  options.seed = run.synthetic->seed;
  options.adapters = run.synthetic->adapters;
  if (run.element) options.element = run.element->table;
  const hw::PeArrayConfig& array = run.hardware.array;
  const bool table = run.arithmetic == network::Arithmetic::post;
  options.fraction_bits =
      table ? std::min(array.fraction_bits, array.table.fraction_bits) : array.fraction_bits;
  // DeepShift's exponents go down to 2^-14; a lookup table has entries for every other level.
  constexpr int shift_levels = 15;
  constexpr int code_levels = 127;  // of 8 bits
  options.most_levels = table ? std::min(2 * array.table.exponents + 1, code_levels) : shift_levels;
  if (run.arithmetic == network::Arithmetic::apot) options.most_levels = code_levels;
  return at_place(run, run.quantization_location, [&] {
    return Package{workload::synthetic_network(options), {}, ""};
  });
}

Package package_of(RunSpec& run, const PackageOptions& options) {
  if (run.synthetic) return make_synthetic(run);
  if (run.package.empty()) {
    compare_checkpoint(run, nullptr);
    return obtain_package(package_request(run, options));
  }
  Package package = read_ready_package(run, nullptr);
  apply_hardware_rules(package.network, run);
  return package;
}

void limit_random_images(RunSpec& run) {
  constexpr std::int64_t most = 1000;
  constexpr std::int64_t most_bytes = std::int64_t{1} << 32;  // all are in memory at once
  const std::int64_t fit = std::min(most, most_bytes / run.synthetic->image.elements());
  if (run.images == 0) run.images = std::max(1, run.timed_images);
  if (run.images > fit) {
    throw reading::InputError(run.images_location + ": images: found " +
                              std::to_string(run.images) + "; allowed: 0 (the timed ones) to " +
                              std::to_string(fit) + ", of random images of this size");
  }
  run.timed_images = static_cast<int>(std::min<std::int64_t>(run.timed_images, run.images));
}

void limit_images(RunSpec& run, const network::Dataset& dataset) {
  if (run.images == 0) {
    run.images = run.synthetic.has_value() ? std::max(1, run.timed_images) : dataset.count();
  }
  if (run.images > dataset.count()) {
    throw reading::InputError(run.images_location + ": images: found " +
                              std::to_string(run.images) + "; allowed: 0 (all) to " +
                              std::to_string(dataset.count()) + ", the size of " + run.dataset +
                              "'s test set");
  }
  run.timed_images = static_cast<int>(std::min<std::int64_t>(run.timed_images, run.images));
}

}  // namespace abacus::experiment
