// Scheduler, driver and hardware models together, beside the reference executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "models/accelerator/platform.hpp"
#include "sw/driver/driver.hpp"
#include "sw/network/arithmetic.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/reference_executor.hpp"
#include "sw/schedule/program.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::test {

// The defaults, with lanes for all layers of such a network.
hw::HardwareConfig hardware_for(network::Arithmetic arithmetic);

// One platform, one simulation; as many programs and images as the body runs. What goes wrong is a
// failure of the test.
class System {
 public:
  System(const hw::HardwareConfig& hardware, hw::TimingLevel level);

  void simulate(const std::function<void()>& body);

  // Inside simulate()'s body --------------------------------------------------------------------

  // `network` must outlive the runs.
  void load(const network::IntegerNetwork& network);
  driver::RunStatistics run(std::uint64_t image_seed);
  network::ReferenceResult reference() const { return reference_of(*network_); }
  // Of another network, on the same image.
  network::ReferenceResult reference_of(const network::IntegerNetwork& other) const;
  // Of the last run, tile by tile as the compute commands ended.
  const std::vector<std::int32_t>& output(std::size_t layer) const { return outputs_.at(layer); }
  // Every layer's output and the scores; stops at the first layer that differs.
  void expect_reference(const network::ReferenceResult& expected);
  void expect_reference() { expect_reference(reference()); }

  models::Platform& platform() { return platform_; }
  const std::vector<std::int32_t>& scores() const { return scores_; }
  const schedule::Program& program() const { return program_; }

 private:
  void read_tile(const schedule::OutputTile& tile);

  hw::HardwareConfig hardware_;
  models::Platform platform_;
  hw::HostBus* bus_ = nullptr;
  bool finished_ = false;
  const network::IntegerNetwork* network_ = nullptr;
  schedule::Program program_;
  std::optional<driver::Driver> driver_;
  std::vector<std::int16_t> image_;
  std::vector<std::int32_t> scores_;
  std::vector<std::vector<std::int32_t>> outputs_;  // by layer
};

}  // namespace abacus::test
