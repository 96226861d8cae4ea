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
#include "tlm/command.hpp"

namespace abacus::experiment {
namespace {

// Elements of a stored tensor from and to memory: one byte up to 8 bits, else two, little-endian,
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

std::int32_t element(const network::StoredTensor& tensor, const std::uint8_t* bytes,
                     std::int64_t index) {
  if (tensor.element_bytes() == 1) {
    return tensor.is_signed ? static_cast<std::int8_t>(bytes[index]) : bytes[index];
  }
  const auto pattern = static_cast<std::uint16_t>(bytes[2 * index] | (bytes[2 * index + 1] << 8));
  return tensor.is_signed ? static_cast<std::int16_t>(pattern) : pattern;
}

int class_of(const network::StoredTensor& scores, const std::vector<std::uint8_t>& bytes) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < scores.shape.elements(); ++i) {
    if (element(scores, bytes.data(), i) > element(scores, bytes.data(), best)) best = i;
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
    if (index >= program_.command_count) return "";
    hw::Command command;
    const std::uint64_t place =
        program_.command_address - program_.image_address + std::uint64_t{index} * sizeof command;
    std::memcpy(&command, program_.dram_image.data() + place, sizeof command);
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
    context.activity.clear();

    const std::vector<std::int16_t> image =
        network::quantize_image(network_, dataset_.image_data(index));
    const std::vector<std::uint8_t> input = to_bytes(network_.image, image);
    if (input.size() != program_.input.bytes) {
      throw std::logic_error("the program's input has another size than the network's image");
    }
    std::vector<std::uint8_t> scores(program_.scores.bytes);
    driver::RunStatistics statistics{};
    require(driver.run(input.data(), scores.data(), statistics),
            "run image " + std::to_string(index), &statistics);

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
      outcome_.timed.push_back(std::move(entry));
    }
    if (i < slice_.checked) check(index, image);
  }

  // Holds every layer's output, as it stands in DRAM, against the reference executor's.
  void check(std::int64_t index, const std::vector<std::int16_t>& image) {
    const hw::HardwareConfig& hardware = platform_.config();
    const network::ReferenceResult reference = network::execute_reference(
        network_, image, {hardware.array.accumulator_bits, hardware.array.rows},
        {hardware.edge_array.accumulator_bits, hardware.edge_array.rows});
    ++outcome_.checked;
    for (std::size_t l = 0; l < network_.layers.size() && !outcome_.mismatch; ++l) {
      const network::StoredTensor& tensor = network_.layers[l].output;
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(tensor.bytes()));
      if (!platform_.peek(program_.outputs[l].address, bytes.data(), bytes.size())) {
        throw std::runtime_error("layer " + network_.layers[l].name +
                                 ": its output lies past the end of the DRAM");
      }
      for (std::int64_t e = 0; e < tensor.shape.elements(); ++e) {
        const std::int32_t simulated = element(tensor, bytes.data(), e);
        const std::int32_t expected = reference.outputs[l][static_cast<std::size_t>(e)];
        if (simulated == expected) continue;
        const std::int64_t pixel = e / tensor.shape.channels;
        outcome_.mismatch = Mismatch{index,
                                     network_.layers[l].name,
                                     static_cast<int>(pixel / tensor.shape.width),
                                     static_cast<int>(pixel % tensor.shape.width),
                                     static_cast<int>(e % tensor.shape.channels),
                                     simulated,
                                     expected};
        break;
      }
    }
  }

  models::Platform& platform_;
  const network::IntegerNetwork& network_;
  const schedule::Program& program_;
  hw::TimingLevel level_;
  const network::Dataset& dataset_;
  const SimulationSlice& slice_;
  const support::Report& report_;
  RunOutcome outcome_;
};

}  // namespace

RunOutcome simulate_slice(const network::IntegerNetwork& network, const schedule::Program& program,
                          const hw::HardwareConfig& hardware, hw::TimingLevel level,
                          const std::string& engine, const network::Dataset& dataset,
                          const SimulationSlice& slice, const support::Report& report) {
  network::check_images("package", network, dataset);
  // SystemC would say so on stdout for every process.
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                          sc_core::SC_DO_NOTHING);
  models::Platform platform("platform", hardware, level, engine);
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
