// `abacus regress SUITE.toml`: scenarios whose results are held against golden ones.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

// Exit status 0: all the same, 1: a case differs, 2: a run crashed, 3: suite, goldens or command line are wrong.
void add_regress_command(CLI::App& app);

}  // namespace abacus::cli
