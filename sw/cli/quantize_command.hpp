// `abacus-train quantize`: checkpoint → integer network package.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_quantize_command(CLI::App& app);

}  // namespace abacus::cli
