#include "sw/study/point_run.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "sw/experiment/hardware/hardware_json.hpp"
#include "sw/experiment/hardware/hardware_rules.hpp"
#include "sw/experiment/resources.hpp"
#include "sw/experiment/run_identity.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/support/stop_request.hpp"
#include "sw/workload/synthetic_images.hpp"

namespace abacus::study {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_kept = 8;

// What decides a run's package, of files by their names.
std::string package_key(const experiment::RunSpec& run) {
  const experiment::QuantizationRecipe& recipe = run.quantization;
  Json key = {run.network,          network::to_string(run.arithmetic),
              run.dataset,          run.checkpoint.string(),
              run.package.string(), recipe.scheme,
              recipe.weight_bits,   recipe.activation_bits,
              recipe.storage_bits,  recipe.element_sha256,
              recipe.options};
  if (run.element) key.push_back(run.element->sha256);
  if (run.synthetic) {
    const experiment::SyntheticWeights& synthetic = *run.synthetic;
    const hw::PeArrayConfig& array = run.hardware.array;
    key.push_back({synthetic.seed, synthetic.groups, synthetic.adapters, synthetic.image.channels,
                   synthetic.image.height, synthetic.image.width, synthetic.classes,
                   array.fraction_bits, array.table.fraction_bits, array.table.exponents});
  }
  return key.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What of an array shows in its results: what it computes, and, once an accumulator saturates, its width and the
// order of the sum.
Json numerics(const hw::PeArrayConfig& array) {
  return {hw::to_string(array.kind),
          array.accumulator_bits,
          array.rows,
          array.dataflow,
          array.fraction_bits,
          array.weight_bits,
          array.activation_bits,
          array.table.fraction_bits,
          array.table.exponents};
}

// Throws Infeasible in place of what the scenario is refused for.
template <typename Step>
auto feasible(const Step& step) {
  try {
    return step();
  } catch (const support::Stopped&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw Infeasible(error.what());
  }
}

// Whether package and recipe may depend on it.
bool is_of_hardware_alone(const Axis& axis) {
  return std::all_of(axis.keys.begin(), axis.keys.end(), [](const std::string& key) {
    const std::string first = key.substr(0, key.find('.'));
    return first == "hardware" || first == "energy" || first == "area" || first == "timed_images" ||
           first == "images" || first == "level";
  });
}

}  // namespace

PointRuns::PointRuns(const Study& study, experiment::PackageOptions options)
    : study_(study), points_(study), options_(std::move(options)) {}

experiment::RunSpec PointRuns::run(std::int64_t number) {
  return feasible([&] {
    experiment::Scenario scenario = read_point(study_, points_, number, files_);
    const Scalar wanted = points_.value(number, run_axis);
    const auto* name = std::get_if<std::string>(&wanted);
    const auto found = std::find_if(
        scenario.runs.begin(), scenario.runs.end(),
        [&](const experiment::RunSpec& run) { return name == nullptr || run.name == *name; });
    if (found == scenario.runs.end()) {
      throw reading::InputError("the scenario has no run \"" + *name + '"');
    }
    experiment::RunSpec run = std::move(*found);
    if (run.dataset.empty()) {
      experiment::limit_random_images(run);
    } else {
      if (datasets_.count(run.dataset) == 0) {
        datasets_[run.dataset] = network::load_dataset(
            run.dataset, network::Split::test, network::data_root(options_.data_root, run.dataset));
      }
      experiment::limit_images(run, datasets_.at(run.dataset));
    }
    return run;
  });
}

bool PointRuns::prepare(const std::vector<std::int64_t>& numbers) {
  std::vector<std::size_t> others;
  for (std::size_t a = 0; a < study_.axes.size(); ++a) {
    if (!is_of_hardware_alone(study_.axes[a])) others.push_back(a);
  }
  const bool derived_others =
      std::any_of(study_.derived.begin(), study_.derived.end(), [](const Derived& derived) {
        return !is_of_hardware_alone({"", derived.keys, {}, ""});
      });
  std::set<std::vector<std::size_t>> seen;
  const std::size_t before = recipes_.size();
  for (const std::int64_t number : numbers) {
    if (support::stop_requested()) throw support::Stopped();
    const std::vector<std::size_t> at = points_.position(number);
    std::vector<std::size_t> projected;
    for (const std::size_t a : others) projected.push_back(at[a]);
    if (!derived_others && !seen.insert(projected).second) continue;
    try {
      experiment::RunSpec run = this->run(number);
      const std::string key = package_key(run);
      if (run.checkpoint.empty() || recipes_.count(key) != 0) continue;
      Recipe recipe;
      try {
        experiment::compare_checkpoint(run, &datasets_.at(run.dataset));
        recipe.request = experiment::package_request(run, options_);
        experiment::obtain_package(recipe.request);
      } catch (const reading::InputError& error) {
        recipe.error = error.what();
      }
      recipes_[key] = std::move(recipe);
    } catch (const Infeasible&) {
      // Of this hardware, it may be: the next one may have the package made.
      seen.erase(projected);
    }
  }
  return recipes_.size() != before;
}

const PointRuns::Recipe* PointRuns::recipe(const experiment::RunSpec& run) const {
  const auto found = recipes_.find(package_key(run));
  return found == recipes_.end() ? nullptr : &found->second;
}

const experiment::Package& PointRuns::package(experiment::RunSpec& run) {
  const std::string key = package_key(run);
  std::unique_ptr<experiment::Package>& kept = packages_[key];
  if (!kept) {
    kept = std::make_unique<experiment::Package>(feasible([&] {
      if (run.synthetic) return experiment::make_synthetic(run);
      if (!run.package.empty()) return experiment::read_ready_package(run, &dataset(run));
      const Recipe* made = recipe(run);
      if (made == nullptr) throw std::logic_error("a package that was not prepared");
      if (!made->error.empty()) throw Infeasible(made->error);
      return experiment::obtain_package(made->request);
    }));
    kept_.push_back(key);
    if (kept_.size() > most_kept) {
      packages_.erase(kept_.front());
      kept_.erase(kept_.begin());
    }
  }
  const experiment::Package& package = *packages_.at(key);
  if (!run.package.empty()) {
    const network::PackageOrigin& origin = package.network.origin;
    run.quantization.scheme = origin.scheme;
    run.quantization.weight_bits = origin.weight_bits;
    run.quantization.activation_bits = origin.activation_bits;
    run.quantization.storage_bits = package.network.layers.front().output.bits;
    feasible([&] { experiment::apply_hardware_rules(package.network, run); });
  }
  return package;
}

std::string PointRuns::hash(const experiment::RunSpec& run) {
  const Recipe* made = recipe(run);
  return experiment::run_identity(run, made == nullptr ? "" : made->request.full_recipe, 0, files_);
}

std::string PointRuns::functional_hash(const experiment::RunSpec& run,
                                       const experiment::Package& package) {
  const Json all = {{"program", files_.sha256(experiment::own_executable())},
                    {"package", package.sha256.empty() ? package_key(run) : package.sha256},
                    {"dataset", run.dataset},
                    {"images", {run.timed_images, run.images}},
                    {"engine", run.engine},
                    {"array", numerics(run.hardware.array)},
                    {"edge_array", numerics(run.hardware.edge_array)}};
  return network::sha256_text(all.dump(-1, ' ', false, Json::error_handler_t::replace));
}

network::Dataset PointRuns::images(const experiment::RunSpec& run) const {
  const experiment::SyntheticWeights& synthetic = run.synthetic.value();
  return workload::synthetic_images(synthetic.image, synthetic.classes, run.images, synthetic.seed);
}

const network::Dataset& PointRuns::dataset(const experiment::RunSpec& run) const {
  return datasets_.at(run.dataset);
}

}  // namespace abacus::study
