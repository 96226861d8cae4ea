// `abacus-train train`.
#pragma once

namespace CLI {
class App;
}

namespace abacus {

void add_train_command(CLI::App& app);

}  // namespace abacus
