// `abacus-train qat`: quantization-aware training, from a checkpoint to an integer network package.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_qat_command(CLI::App& app);

}  // namespace abacus::cli
