// The integer network of a scenario's run: made, read, or quantized from a checkpoint.
#pragma once

#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>

#include "sw/experiment/package_cache.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/network/dataset.hpp"
#include "sw/reading/node.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::cli {

struct PackageOptions {
  std::filesystem::path data_root;
  std::filesystem::path cache;  // empty: default_cache_folder()
  bool quiet = false;
};

// A checkpoint of another network would only fail after it was quantized. `images`: that it is to see,
// or null. Throws InputError naming the scenario's place.
void compare_checkpoint(const experiment::RunSpec& run, const network::Dataset* images);

// A ready package; what it says of its quantization becomes the run's. Likewise.
experiment::Package read_ready_package(experiment::RunSpec& run, const network::Dataset* images);

// The request for a run's package. The trainer judges the recipe, and is asked before anything runs.
experiment::PackageRequest package_request(const experiment::RunSpec& run,
                                           const PackageOptions& options);

// Random weights as the run's hardware takes them.
experiment::Package make_synthetic(const experiment::RunSpec& run);

// Throws with `start` and the run's name in front, unless the message already says where in which file.
template <typename Error, typename Step>
auto with_start(const std::string& start, const experiment::RunSpec& run, const Step& step) {
  const std::string named = start + "run \"" + run.name + "\": ";
  try {
    return step();
  } catch (const reading::InputError&) {
    throw;
  } catch (const support::Stopped&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw std::runtime_error(named + "not enough memory");
  } catch (const std::exception& error) {
    throw Error(named + error.what());
  }
}

template <typename Step>
auto for_run(const experiment::RunSpec& run, const Step& step) {
  return with_start<std::runtime_error>("", run, step);
}

// Likewise, where the scenario asks for what cannot be.
template <typename Step>
auto at_place(const experiment::RunSpec& run, const std::string& place, const Step& step) {
  return with_start<reading::InputError>(place + ": ", run, step);
}

}  // namespace abacus::cli
