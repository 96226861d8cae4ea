#include "sw/cli/run_options.hpp"

namespace abacus {

void add_run_options(CLI::App& command, std::string& data, int& threads) {
  command.add_option("--data", data, "Folder of the data set (default: ABACUS_DATA)");
  command.add_option("--threads", threads, "Threads (0: one a processor)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

}  // namespace abacus
