// abacus: scenarios through the hardware models, and reports. Links no torch.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <systemc>

#include "sw/cli/shared/command_line.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/cli/simulator/simulate_command.hpp"
#include "sw/experiment/simulator.hpp"
#include "sw/provenance/provenance.hpp"

// SystemC elaborates inside sc_main, so the whole program runs there; each simulation runs in a
// process forked from it.
int sc_main(int argc, char** argv) {
  CLI::App app("Accuracy, cycles and energy of multiplier-free low-bit networks, from one run",
               "abacus");
  app.require_subcommand(1);
  app.set_version_flag("--version",
                       abacus::provenance::version_text(abacus::experiment::simulator_name,
                                                        abacus::experiment::simulator_libraries()));
  return abacus::cli::run_command_line(app, abacus::cli::commands, argc, argv);
}

int main(int argc, char** argv) {
  abacus::cli::open_standard_streams();
  ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  return sc_core::sc_elab_and_sim(argc, argv);
}
