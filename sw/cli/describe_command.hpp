// `abacus describe --network NAME`: the layers of a network and what they cost.
#pragma once

#include <CLI/CLI.hpp>

namespace abacus {

void add_describe_command(CLI::App& app);

}  // namespace abacus
