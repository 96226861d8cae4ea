// The commands that every program has: help and version.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_help_command(CLI::App& app);
void add_version_command(CLI::App& app);

}  // namespace abacus::cli
