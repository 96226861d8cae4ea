// Where a command of abacus-train finds its images, and with how many threads it runs.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace abacus::cli {

// --data and --threads (train/processor.hpp). Both must outlive the parsing.
void add_run_options(CLI::App& command, std::string& data, int& threads);

// --device, of the commands that train. Must outlive the parsing.
void add_device_option(CLI::App& command, std::string& device);

}  // namespace abacus::cli
