// `abacus describe --network NAME`: the layers of a network and what they cost.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_describe_command(CLI::App& app);

}  // namespace abacus::cli
