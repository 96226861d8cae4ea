// `abacus` as what made a result (sw/provenance).
#pragma once

#include <vector>

#include "sw/provenance/provenance.hpp"

namespace abacus::experiment {

inline constexpr const char* simulator_name = "abacus";

// Those that decide a number of results.json, besides the C library.
std::vector<provenance::Library> simulator_libraries();

}  // namespace abacus::experiment
