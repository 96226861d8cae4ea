// `abacus-train train`.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_train_command(CLI::App& app);

}  // namespace abacus::cli
