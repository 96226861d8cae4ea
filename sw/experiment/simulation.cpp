#include "sw/experiment/simulation.hpp"

#include <cstring>
#include <exception>
#include <stdexcept>
#include <systemc>
#include <vector>

#include "models/accelerator/platform.hpp"
#include "sw/driver/driver.hpp"
#include "sw/experiment/program_view.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/network/reference_executor.hpp"
#include "tlm/address_map.hpp"
#include "tlm/command.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::experiment {
namespace {

network::AccumulatorFormat accumulator_format(const hw::PeArrayConfig& array) {
  return {array.accumulator_bits, array.rows, hw::dataflow(array.dataflow).packs_windows()};
}

// Elements of a stored tensor as they stand in memory: one byte up to 8 bits, else two, little-endian,
// two's complement.
std::vector<std::uint8_t> to_bytes(const network::StoredTensor& tensor,
                                   const std::vector<std::int16_t>& values) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(values.size() * static_cast<std::size_t>(tensor.element_bytes()));
  for (const std::int16_t value : values) {
    const auto pattern = static_cast<std::uint16_t>(value);
    bytes.push_back(static_cast<std::uint8_t>(pattern & 0xFF));
    if (tensor.element_bytes() == 2) bytes.push_back(static_cast<std::uint8_t>(pattern >> 8));
  }
  return bytes;
}

int class_of(const network::StoredTensor& scores, const std::vector<std::uint8_t>& bytes) {
  const auto score = [&](std::int64_t i) {
    return schedule::stored_element(scores, bytes.data(), static_cast<std::size_t>(i));
  };
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < scores.shape.elements(); ++i) {
    if (score(i) > score(best)) best = i;
  }
  return static_cast<int>(best);
}

// The software on the host: drives the accelerator and looks at what it did.
class HostSoftware {
 public:
  HostSoftware(models::Platform& platform, const network::IntegerNetwork& network,
               const schedule::Program& program, hw::TimingLevel level,
               const network::Dataset& dataset, const SimulationSlice& slice,
               const support::Report& report)
      : platform_(platform),
        network_(network),
        program_(program),
        level_(level),
        dataset_(dataset),
        slice_(slice),
        report_(report) {}

  void run(hw::HostBus& bus) {
    driver::Driver driver(bus);
    require(driver.load(program_view(program_)), "load the program", nullptr);
    for (std::int64_t i = 0; i < slice_.count; ++i) {
      run_image(driver, i);
      report_(i + 1);
    }
    outcome_.saturations = platform_.context().saturations_by_layer;
    outcome_.saturations.resize(network_.layers.size());
    outcome_.step_saturations = platform_.context().step_saturations_by_layer;
    outcome_.step_saturations.resize(network_.layers.size());
  }

  const RunOutcome& outcome() const { return outcome_; }

 private:
  void require(driver::DriverStatus status, const std::string& what,
               const driver::RunStatistics* statistics) {
    if (status == driver::DriverStatus::ok) return;
    std::string text = "the driver could not " + what + ": " + driver::to_string(status);
    if (status == driver::DriverStatus::command_error && statistics != nullptr) {
      text += ", at command " + std::to_string(statistics->error_command) +
              layer_of(statistics->error_command) + ": " + platform_.error_message();
    }
    throw std::runtime_error(text);
  }

  // Whose command it is, as far as there is one.
  std::string layer_of(std::uint32_t index) const {
    const std::vector<hw::Command> commands = schedule::commands_of(program_);
    if (index >= commands.size()) return "";
    const hw::Command& command = commands[index];
    return command.layer < network_.layers.size()
               ? " of layer \"" + network_.layers[command.layer].name + '"'
               : "";
  }

  void run_image(driver::Driver& driver, std::int64_t i) {
    const std::int64_t index = slice_.first + i;
    const bool timed = i < slice_.timed;
    models::Context& context = platform_.context();
    context.set_level(timed ? level_ : hw::TimingLevel::functional);
    context.timeline.clear();
    context.spent.clear();
    context.activity.clear();

    const std::vector<std::int16_t> image =
        network::quantize_image(network_, dataset_.image_data(index));
    const std::vector<std::uint8_t> input = to_bytes(network_.image, image);
    if (input.size() != program_.input.bytes) {
      throw std::logic_error("the program's input has another size than the network's image");
    }
    std::vector<std::uint8_t> scores(program_.scores.bytes);
    driver::RunStatistics statistics{};
    const bool checked = i < slice_.checked;
    if (checked) begin_check(index, image);
    require(driver.run(input.data(), scores.data(), statistics),
            "run image " + std::to_string(index), &statistics);
    if (checked) end_check(index, scores);

    ++outcome_.images;
    const network::StoredTensor& last = network_.layers.back().output;
    if (class_of(last, scores) == dataset_.labels[static_cast<std::size_t>(index)]) {
      ++outcome_.correct;
    }
    if (timed) {
      TimedImage entry;
      entry.cycles = static_cast<std::int64_t>(statistics.cycles);
      entry.layers =
          layer_times(context.timeline, network_.layers.size(), entry.cycles, context.cycle());
      entry.activity = context.activity.counts();
      entry.spent = spent_cycles(context.spent, context.cycle());
      outcome_.timed.push_back(std::move(entry));
    }
  }

  // Has every tile of every layer's output held against the reference executor's as soon as its
  // command has ended, in the activation SRAM, where nothing has overwritten it yet.
  void begin_check(std::int64_t index, const std::vector<std::int16_t>& image) {
    const hw::HardwareConfig& hardware = platform_.config();
    reference_ = network::execute_reference(network_, image, accumulator_format(hardware.array),
                                            accumulator_format(hardware.edge_array));
    next_tile_ = program_.tiles.begin();
    unreadable_ = false;
    platform_.observe_compute([this, index](std::uint32_t command) {
      if (next_tile_ == program_.tiles.end() || next_tile_->command != command) return;
      check(index, *next_tile_++);
    });
  }

  void check(std::int64_t index, const schedule::OutputTile& tile) {
    if (outcome_.mismatch) return;
    const std::size_t layer = static_cast<std::size_t>(tile.layer);
    const network::StoredTensor& tensor = network_.layers[layer].output;
    std::vector<std::uint8_t> bytes(tile.bytes(tensor));
    if (!platform_.peek(hw::address_map::activation_sram_base + tile.address, bytes.data(),
                        bytes.size())) {
      unreadable_ = true;
      return;
    }
    schedule::for_each_value(tile, tensor, bytes,
                             [&](int y, int x, int channel, std::int32_t simulated) {
                               compare(index, layer, y, x, channel, simulated);
                             });
  }

  void compare(std::int64_t index, std::size_t layer, int y, int x, int channel,
               std::int32_t simulated) {
    const network::Shape& shape = network_.layers[layer].output.shape;
    const std::size_t element =
        (static_cast<std::size_t>(y) * shape.width + x) * shape.channels + channel;
    const std::int32_t expected = reference_.outputs[layer][element];
    if (simulated == expected || outcome_.mismatch) return;
    outcome_.mismatch =
        Mismatch{index, network_.layers[layer].name, y, x, channel, simulated, expected};
  }

  // All tiles were seen, and the scores reached the host as they were computed.
  void end_check(std::int64_t index, const std::vector<std::uint8_t>& scores) {
    platform_.observe_compute({});
    if (next_tile_ != program_.tiles.end() || unreadable_) {
      throw std::logic_error("not every output tile could be read when its command had ended");
    }
    const std::size_t last = network_.layers.size() - 1;
    const network::StoredTensor& tensor = network_.layers[last].output;
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
      const std::int64_t pixel = i / tensor.shape.channels;
      compare(index, last, static_cast<int>(pixel / tensor.shape.width),
              static_cast<int>(pixel % tensor.shape.width),
              static_cast<int>(i % tensor.shape.channels),
              schedule::stored_element(tensor, scores.data(), static_cast<std::size_t>(i)));
    }
    ++outcome_.checked;
  }

  models::Platform& platform_;
  const network::IntegerNetwork& network_;
  const schedule::Program& program_;
  hw::TimingLevel level_;
  const network::Dataset& dataset_;
  const SimulationSlice& slice_;
  const support::Report& report_;
  RunOutcome outcome_;
  network::ReferenceResult reference_;  // of the image that is being checked
  std::vector<schedule::OutputTile>::const_iterator next_tile_;
  bool unreadable_ = false;  // a tile was; an exception must not cross the simulation kernel
};

// SystemC elaborates once a context, and makes a new one where there is none (sc_get_curr_simcontext()). So a process can
// simulate one accelerator after the other; without forking for each, a small one takes a third of the time.
void renew_context() {
  if (!sc_core::sc_start_of_simulation_invoked()) return;
  delete sc_core::sc_curr_simcontext;
  sc_core::sc_curr_simcontext = nullptr;
  sc_core::sc_default_global_context = nullptr;
}

}  // namespace

RunOutcome simulate_slice(const network::IntegerNetwork& network, const schedule::Program& program,
                          const hw::HardwareConfig& hardware, hw::TimingLevel level,
                          const std::string& engine, const network::Dataset& dataset,
                          const SimulationSlice& slice, const support::Report& report,
                          const Prepare& prepare) {
  network::check_images("package", network, dataset);
  // SystemC would say so on stdout for every process.
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                          sc_core::SC_DO_NOTHING);
  renew_context();
  models::Platform platform("platform", hardware, level, engine);
  if (prepare) prepare(platform);
  HostSoftware software(platform, network, program, level, dataset, slice, report);
  // An exception must not cross the simulation kernel.
  std::exception_ptr failure;
  bool ran = false;
  platform.set_software([&](hw::HostBus& bus) {
    try {
      software.run(bus);
    } catch (...) {
      failure = std::current_exception();
    }
    ran = true;
  });
  sc_core::sc_start();
  if (failure) std::rethrow_exception(failure);
  if (!ran) {
    throw std::runtime_error(
        "the simulation came to a halt before the host's software ended: the accelerator waits "
        "for a token or an answer that never comes");
  }
  return software.outcome();
}

}  // namespace abacus::experiment
