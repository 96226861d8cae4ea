// abacus: scenarios through the hardware models, and reports. Links no torch.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <systemc>

#include "sw/cli/command_line.hpp"
#include "sw/cli/compare/diff_command.hpp"
#include "sw/cli/describe_command.hpp"
#include "sw/cli/energy_command.hpp"
#include "sw/cli/explain_command.hpp"
#include "sw/cli/keys_command.hpp"
#include "sw/cli/regress/regress_command.hpp"
#include "sw/cli/report_command.hpp"
#include "sw/cli/simulate_command.hpp"
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
  abacus::cli::add_simulate_command(app);
  abacus::cli::add_report_command(app);
  abacus::cli::add_diff_command(app);
  abacus::cli::add_regress_command(app);
  abacus::cli::add_describe_command(app);
  abacus::cli::add_explain_command(app);
  abacus::cli::add_keys_command(app);
  abacus::cli::add_energy_command(app);
  return abacus::cli::run_command_line(app, argc, argv, {{"diff", 2}, {"regress", 3}});
}

int main(int argc, char** argv) {
  abacus::cli::open_standard_streams();
  ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  return sc_core::sc_elab_and_sim(argc, argv);
}
