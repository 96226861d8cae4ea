// `abacus-train evaluate`: a checkpoint's accuracy in floating point.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_evaluate_command(CLI::App& app);

}  // namespace abacus::cli
