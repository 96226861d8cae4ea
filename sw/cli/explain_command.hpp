// `abacus explain SCENARIO.toml`
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_explain_command(CLI::App& app);

}  // namespace abacus::cli
