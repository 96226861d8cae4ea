// `abacus energy`: what the actions of an energy table cost at given widths.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_energy_command(CLI::App& app);

}  // namespace abacus::cli
