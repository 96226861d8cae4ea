// How both programs read their command line, and how they end.
#pragma once

#include <cstddef>

namespace CLI {
class App;
}

namespace abacus::cli {

// Opens /dev/null in place of standard streams that the caller has closed: else a result's file or a pipe would
// take their number, and messages would end in it. What is then written to standard output fails. First of
// all in main().
void open_standard_streams();

struct Command {
  void (*add)(CLI::App& app);      // adds one subcommand
  int error_status = 1;            // where its 1 means something else
  const char* group = "Commands";  // under which the program's help has it
  const char* examples = "";       // command lines, one a line, for its help
};

// Adds the commands, and after them help and version; runs the one that the arguments name, and tells every error on standard error.
// Returns the exit status:
//   0    done, and all that was said has arrived
//   1    an error, a wrong command line, or a failed check; of some commands another number for errors
//   130  stopped by SIGINT or SIGTERM
int run_command_line(CLI::App& app, const Command* begin, const Command* end, int argc,
                     char** argv);
template <std::size_t count>
int run_command_line(CLI::App& app, const Command (&commands)[count], int argc, char** argv) {
  return run_command_line(app, commands, commands + count, argc, argv);
}

}  // namespace abacus::cli
