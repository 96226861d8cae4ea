#include "sw/experiment/simulator.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <systemc>

namespace abacus::experiment {

std::vector<provenance::Library> simulator_libraries() {
  const std::string json = std::to_string(NLOHMANN_JSON_VERSION_MAJOR) + '.' +
                           std::to_string(NLOHMANN_JSON_VERSION_MINOR) + '.' +
                           std::to_string(NLOHMANN_JSON_VERSION_PATCH);
  return {{"SystemC", sc_core::sc_version_string}, {"JSON for Modern C++", json}};
}

}  // namespace abacus::experiment
