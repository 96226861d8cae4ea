// `abacus-train quantize`: checkpoint → integer network package.
#pragma once

#include <CLI/CLI.hpp>

namespace abacus {

void add_quantize_command(CLI::App& app);

}  // namespace abacus
