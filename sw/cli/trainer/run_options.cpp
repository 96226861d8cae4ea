#include "sw/cli/trainer/run_options.hpp"

#include <CLI/CLI.hpp>

#include "sw/cli/shared/integer_option.hpp"
#include "sw/train/device.hpp"

namespace abacus::cli {

void add_run_options(CLI::App& command, std::string& data, int& threads) {
  command.add_option("--data", data, "Folder of the data set (default: ABACUS_DATA)");
  add_integer(command, "--threads", threads,
              "Threads, into which float sums are cut: another number gives other bits (0: one a "
              "processor)",
              {0, 1024});
}

void add_device_option(CLI::App& command, std::string& device) {
  command
      .add_option("--device", device,
                  "Where the training passes run; cuda: an Nvidia GPU, in float32")
      ->check(CLI::IsMember(train::device_names()))
      ->capture_default_str();
}

}  // namespace abacus::cli
