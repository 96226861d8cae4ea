// One image of a run with full timing, for those who ask where its time goes.
#pragma once

#include <cstdint>
#include <filesystem>

#include "sw/experiment/run_outcome.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/experiment/simulation.hpp"
#include "sw/network/integer_network.hpp"

namespace abacus::experiment {

// image: index in the run's test images (random ones: of those of its seed). Throws std::runtime_error where
// there is no such image, and as simulate_slice() and load_dataset().
TimedImage time_one_image(const RunSpec& run, const network::IntegerNetwork& network,
                          std::int64_t image, const std::filesystem::path& data_root,
                          const Prepare& prepare = {});

}  // namespace abacus::experiment
