// How a subcommand ends the program with an exit code of its own.
#pragma once

namespace abacus::cli {

struct CommandExit {
  int code = 0;
};

}  // namespace abacus::cli
