// `abacus-train statistics`: how large a checkpoint's activations and weights are, layer by layer.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_statistics_command(CLI::App& app);

}  // namespace abacus::cli
