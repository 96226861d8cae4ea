// `abacus-train schemes`: the tables that docs/quantization.md and docs/qat.md have.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_schemes_command(CLI::App& app);

}  // namespace abacus::cli
