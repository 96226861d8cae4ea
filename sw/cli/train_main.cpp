// abacus-train: everything that needs torch.
#include <torch/version.h>

#include <CLI/CLI.hpp>

#include "sw/cli/activations_command.hpp"
#include "sw/cli/command_line.hpp"
#include "sw/cli/evaluate_command.hpp"
#include "sw/cli/import_command.hpp"
#include "sw/cli/levels_command.hpp"
#include "sw/cli/qat_command.hpp"
#include "sw/cli/quantize_command.hpp"
#include "sw/cli/recipe_command.hpp"
#include "sw/cli/schemes_command.hpp"
#include "sw/cli/statistics_command.hpp"
#include "sw/cli/train_command.hpp"
#include "sw/provenance/provenance.hpp"

int main(int argc, char** argv) {
  abacus::cli::open_standard_streams();
  CLI::App app("Trains, imports and evaluates networks for Abacus", "abacus-train");
  app.require_subcommand(1);
  app.set_version_flag(
      "--version", abacus::provenance::version_text("abacus-train", {{"libtorch", TORCH_VERSION}}));
  abacus::cli::add_train_command(app);
  abacus::cli::add_import_command(app);
  abacus::cli::add_quantize_command(app);
  abacus::cli::add_qat_command(app);
  abacus::cli::add_schemes_command(app);
  abacus::cli::add_evaluate_command(app);
  abacus::cli::add_statistics_command(app);
  abacus::cli::add_activations_command(app);
  abacus::cli::add_levels_command(app);
  abacus::cli::add_recipe_command(app);
  return abacus::cli::run_command_line(app, argc, argv);
}
