// abacus-train: everything that needs torch.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "sw/cli/activations_command.hpp"
#include "sw/cli/command_exit.hpp"
#include "sw/cli/evaluate_command.hpp"
#include "sw/cli/import_command.hpp"
#include "sw/cli/levels_command.hpp"
#include "sw/cli/qat_command.hpp"
#include "sw/cli/quantize_command.hpp"
#include "sw/cli/recipe_command.hpp"
#include "sw/cli/schemes_command.hpp"
#include "sw/cli/statistics_command.hpp"
#include "sw/cli/train_command.hpp"

int main(int argc, char** argv) {
  CLI::App app("Trains, imports and evaluates networks for Abacus", "abacus-train");
  app.require_subcommand(1);
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
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const abacus::cli::CommandExit& exit) {
    return exit.code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "abacus-train: %s\n", error.what());
    return 1;
  }
  return 0;
}
