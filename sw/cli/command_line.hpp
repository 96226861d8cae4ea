// How both programs read their command line, and how they end.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

// Opens /dev/null in place of standard streams that the caller has closed: else a result's file or a pipe would
// take their number, and messages would end in it. What is then written to standard output fails. First of
// all in main().
void open_standard_streams();

// Runs the command that the arguments name, and tells every error on standard error. Returns the exit status:
//   0    done, and all that was said has arrived
//   1    an error, a wrong command line, or a failed check
//   130  stopped by SIGINT or SIGTERM
int run_command_line(CLI::App& app, int argc, char** argv);

}  // namespace abacus::cli
