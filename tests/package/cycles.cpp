// cycles SCENARIO.toml RESULTS.json: simulates an image of the scenario's first run, and prints its cycles and those
// that the results have.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <systemc>

#include "sw/compare/run_values.hpp"
#include "sw/experiment/one_image.hpp"
#include "sw/experiment/run_inputs.hpp"
#include "sw/experiment/scenario.hpp"

namespace {

void print_cycles(const char* file, const char* results) {
  abacus::experiment::Scenario scenario = abacus::experiment::read_scenario(file);
  abacus::experiment::RunSpec& run = scenario.runs.front();
  const abacus::experiment::Package package = abacus::experiment::package_of(run, {});
  const auto image = abacus::experiment::time_one_image(run, package.network, 0, {});
  std::cout << "simulated " << image.cycles << '\n';

  const abacus::compare::ResultsValues values = abacus::compare::read_results_values(results);
  for (const abacus::compare::Value& value : values.runs.front().outcomes) {
    if (value.full_name() == "cycles_per_image") std::cout << "read " << value.value << '\n';
  }
}

}  // namespace

// SystemC's main function calls it; one process elaborates one platform, and ends with it.
int sc_main(int argc, char** argv) {
  int status = EXIT_FAILURE;
  try {
    if (argc != 3) throw std::invalid_argument("cycles SCENARIO.toml RESULTS.json");
    print_cycles(argv[1], argv[2]);
    status = EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  }
  std::cout.flush();
  std::_Exit(status);
}
