// How both programs read their command line, and how they end.
#pragma once

#include <map>
#include <string>

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
//   1    an error, a wrong command line, or a failed check; `error_status` has other numbers for errors of
//        commands whose 1 means something else
//   130  stopped by SIGINT or SIGTERM
int run_command_line(CLI::App& app, int argc, char** argv,
                     const std::map<std::string, int>& error_status = {});

}  // namespace abacus::cli
