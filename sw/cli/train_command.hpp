// `abacus-train train`.
#pragma once

#include <CLI/CLI.hpp>

namespace abacus {

void add_train_command(CLI::App& app);

}  // namespace abacus
