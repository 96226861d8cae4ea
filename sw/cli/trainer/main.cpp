// abacus-train: everything that needs torch.
#include <torch/version.h>

#include <CLI/CLI.hpp>

#include "sw/cli/shared/command_line.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/provenance/provenance.hpp"

int main(int argc, char** argv) {
  abacus::cli::open_standard_streams();
  CLI::App app("Trains, imports and evaluates networks for Abacus", "abacus-train");
  app.require_subcommand(1);
  app.set_version_flag(
      "--version", abacus::provenance::version_text("abacus-train", {{"libtorch", TORCH_VERSION}}));
  return abacus::cli::run_command_line(app, abacus::cli::commands, argc, argv);
}
