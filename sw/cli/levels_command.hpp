// `abacus-train levels`: the levels that weight quantizers round to.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_levels_command(CLI::App& app);

}  // namespace abacus::cli
