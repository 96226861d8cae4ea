// `abacus diff A B`: where two results differ.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

// Exit status 0: the same, 1: different, 2: an error.
void add_diff_command(CLI::App& app);

}  // namespace abacus::cli
