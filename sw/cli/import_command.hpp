// `abacus-train import`: checkpoints that others made.
#pragma once

#include <CLI/CLI.hpp>

namespace abacus {

void add_import_command(CLI::App& app);

}  // namespace abacus
