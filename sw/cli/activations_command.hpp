// `abacus-train activations`: a float network and a package of it side by side, layer by layer.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_activations_command(CLI::App& app);

}  // namespace abacus::cli
