// abacus: scenarios through the hardware models, and reports. Links no torch.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <systemc>

#include "sw/cli/command_exit.hpp"
#include "sw/cli/describe_command.hpp"
#include "sw/cli/energy_command.hpp"
#include "sw/cli/keys_command.hpp"
#include "sw/cli/report_command.hpp"
#include "sw/cli/simulate_command.hpp"
#include "sw/support/stop_request.hpp"

// SystemC elaborates inside sc_main, so the whole program runs there; each simulation runs in a
// process forked from it.
int sc_main(int argc, char** argv) {
  CLI::App app("Accuracy, cycles and energy of multiplier-free low-bit networks, from one run",
               "abacus");
  app.require_subcommand(1);
  app.set_version_flag("--version", ABACUS_VERSION);
  abacus::cli::add_simulate_command(app);
  abacus::cli::add_report_command(app);
  abacus::cli::add_describe_command(app);
  abacus::cli::add_keys_command(app);
  abacus::cli::add_energy_command(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const abacus::cli::CommandExit& exit) {
    return exit.code;
  } catch (const abacus::support::Stopped&) {
    std::fprintf(stderr, "abacus: stopped, no results were written\n");
    return abacus::support::kStoppedExitCode;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "abacus: %s\n", error.what());
    return 1;
  }
  return 0;
}

int main(int argc, char** argv) {
  ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  return sc_core::sc_elab_and_sim(argc, argv);
}
