// `abacus-train import`: checkpoints that others made.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_import_command(CLI::App& app);

}  // namespace abacus::cli
