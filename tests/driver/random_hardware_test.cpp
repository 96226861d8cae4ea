// Random hardware configurations, each with a small random network: every layer's output equals the
// reference executor's at both levels of timing, what commands stall lies within the bounds that their
// own accesses and those of DMA meanwhile set, and more hardware never costs more cycles.
//
//   ABACUS_CONFIGURATIONS  how many (60)
//   ABACUS_FIRST_SEED      of the first one; one after the other from there on (1)
//
// A failure names its seed. Each configuration has processes of its own (SystemC elaborates once).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sw/schedule/replay.hpp"
#include "sw/support/forked_work.hpp"
#include "tests/driver/spent_time_check.hpp"
#include "tests/driver/system.hpp"
#include "tests/network/random_integer_network.hpp"
#include "tests/support/number_from_environment.hpp"
#include "tlm/command.hpp"
#include "tlm/dataflow.hpp"
#include "tlm/dram_devices.hpp"

namespace abacus::driver {
namespace {

using nlohmann::json;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  template <typename T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + between(0, static_cast<int>(values.size()) - 1));
  }

 private:
  std::mt19937_64 random_;
};

hw::SramConfig random_sram(Draw& draw, int smallest_kib, int largest_kib) {
  return {static_cast<std::uint32_t>(draw.between(smallest_kib * 4, largest_kib * 4) * 256),
          draw.between(1, 6), draw.one_of({1, 2, 4, 8, 16, 24, 32, 64, 128}), draw.between(0, 4)};
}

void draw_array(Draw& draw, hw::PeArrayConfig& array) {
  array.rows = draw.between(1, 40);
  array.columns = draw.between(1, 40);
  array.accumulator_bits = draw.between(10, 32);
  array.weights_per_pe = draw.one_of({1, 4, 8, 16, 64, 1024});
  array.accumulators = draw.one_of({1, 1, 3, 16});
  array.read_lanes = draw.one_of({1, 1, 48});
  array.scale_lanes = draw.between(1, 12);
  array.dataflow = hw::dataflow_names()[static_cast<std::size_t>(
      draw.between(0, static_cast<int>(hw::dataflow_names().size()) - 1))];
}

hw::HardwareConfig random_hardware(Draw& draw, network::Arithmetic arithmetic) {
  hw::HardwareConfig hardware = test::hardware_for(arithmetic);
  hardware.clock_mhz = draw.one_of({100.0, 300.0, 400.0, 733.0, 1000.0});
  draw_array(draw, hardware.array);
  draw_array(draw, hardware.edge_array);
  hardware.array.fraction_bits = 12;
  hardware.activation_sram = random_sram(draw, 3, 48);
  hardware.weight_sram = random_sram(draw, 3, 48);
  hardware.parameter_sram = random_sram(draw, 1, 4);
  hardware.load_dma = {draw.one_of({4, 16, 64, 100, 256}), draw.between(1, 6)};
  hardware.store_dma = {draw.one_of({4, 16, 64, 100, 256}), draw.between(1, 6)};
  hardware.bus = {draw.one_of({1, 4, 8, 16, 32}), draw.between(0, 3), draw.between(0, 3)};
  hardware.vector_unit.lanes = draw.between(1, 24);
  hardware.command_queue = draw.between(1, 10);
  return hardware;
}

// Half of them the default device under the default controller, the others any.
hw::DramConfig random_dram(Draw draw) {
  if (draw.between(0, 1) == 0) return {};
  const auto& devices = hw::dram_devices();
  const auto any = [&](int size) { return static_cast<std::size_t>(draw.between(0, size - 1)); };
  hw::DramConfig dram = devices[any(static_cast<int>(devices.size()))].config;
  dram.bytes = hw::DramConfig().bytes;
  const auto one_of = [&](const std::vector<std::string>& names) {
    return names[any(static_cast<int>(names.size()))];
  };
  for (;;) {
    hw::DramConfig choice = dram;
    choice.controller = one_of(hw::dram_controllers());
    choice.mapping = one_of(hw::dram_mappings());
    choice.page_policy = one_of(hw::dram_page_policies());
    choice.refresh = one_of(hw::dram_refreshes());
    choice.channels = draw.one_of({1, 1, 2, 4});
    choice.channel_bytes = draw.one_of({64, 256, 1024});
    choice.controller_latency = draw.one_of({0.0, 10.0});
    choice.queue_depth = draw.one_of({4, 16, 64});
    choice.write_high = choice.queue_depth * 3 / 4;
    choice.write_low = choice.queue_depth / 4;
    choice.power_down_after = draw.one_of({0.0, 50.0, 1000.0});
    if (!hw::broken_rule(choice)) return choice;
  }
}

// Of the parts of a configuration of which more can only help; returns what it changed.
std::string more_hardware(Draw& draw, hw::HardwareConfig& hardware) {
  const auto sram = [&](const char* name, hw::SramConfig& config) {
    switch (draw.between(0, 2)) {
      case 0:
        config.banks += draw.between(1, 4);
        return std::string(name) + ".banks";
      case 1:
        config.port_bytes *= 2;
        return std::string(name) + ".port_bytes";
      default:
        config.bytes *= 2;
        return std::string(name) + ".bytes";
    }
  };
  switch (draw.between(0, 3)) {
    case 0:
      return sram("activation_sram", hardware.activation_sram);
    case 1:
      return sram("weight_sram", hardware.weight_sram);
    case 2:
      return sram("parameter_sram", hardware.parameter_sram);
    default:
      hardware.array.rows *= 2;
      return "array.rows";
  }
}

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// What a compute command asks of an SRAM in one of its phases.
struct Phase {
  std::int64_t cycles;  // its own
  std::map<models::Component, std::int64_t> accesses;
};

std::int64_t element_bytes(hw::ElementFormat format) { return format.bits <= 8 ? 1 : 2; }

class Bounds {
 public:
  Bounds(const hw::HardwareConfig& hardware, const schedule::Program& program)
      : hardware_(hardware), commands_(schedule::commands_of(program)) {}

  // `timeline`: of one run of the program.
  void check(const std::vector<models::TimelineEntry>& timeline, const sc_core::sc_time& cycle) {
    cycle_ = cycle;
    pair_up(timeline);
    for (const Executed& executed : computed_) check(executed);
  }
  int compute_commands() const { return static_cast<int>(computed_.size()); }

 private:
  struct Executed {
    const hw::Command* command;
    const models::TimelineEntry* entry;
  };

  // A unit's commands end in the order of the program.
  void pair_up(const std::vector<models::TimelineEntry>& timeline) {
    std::map<int, std::vector<const hw::Command*>> by_unit;
    for (const hw::Command& command : commands_) {
      if (command.opcode == hw::Opcode::finish) continue;
      by_unit[unit(command.opcode)].push_back(&command);
    }
    std::map<int, std::size_t> next;
    for (const models::TimelineEntry& entry : timeline) {
      const int of = entry.unit == models::Unit::load    ? 0
                     : entry.unit == models::Unit::store ? 2
                                                         : 1;
      const Executed executed{by_unit.at(of).at(next[of]++), &entry};
      (of == 1 ? computed_ : moved_).push_back(executed);
    }
    for (const auto& [of, commands] : by_unit) ASSERT_EQ(commands.size(), next[of]);
  }

  static int unit(hw::Opcode opcode) {
    return opcode == hw::Opcode::load ? 0 : opcode == hw::Opcode::store ? 2 : 1;
  }

  const hw::SramConfig& sram(models::Component memory) const {
    return memory == models::Component::activation_sram ? hardware_.activation_sram
           : memory == models::Component::weight_sram   ? hardware_.weight_sram
                                                        : hardware_.parameter_sram;
  }
  std::int64_t accesses(models::Component memory, std::int64_t bytes) const {
    return ceil_divide(bytes, sram(memory).port_bytes);
  }

  // At most so many accesses of a memory by transfers that were under way during the command.
  std::int64_t dma_accesses(const models::TimelineEntry& during, models::Component memory) const {
    std::int64_t sum = 0;
    for (const Executed& moved : moved_) {
      if (moved.entry->end <= during.start || moved.entry->start >= during.end) continue;
      const hw::TransferFields& f = moved.command->transfer;
      const models::Component of =
          f.memory == hw::OnChipMemory::activation ? models::Component::activation_sram
          : f.memory == hw::OnChipMemory::weight   ? models::Component::weight_sram
                                                   : models::Component::parameter_sram;
      if (of != memory) continue;
      const int burst =
          (unit(moved.command->opcode) == 0 ? hardware_.load_dma : hardware_.store_dma).burst_bytes;
      // Each burst's part of each row is cut into ports of its own.
      sum += std::int64_t{f.rows} * (accesses(memory, f.row_bytes) + f.row_bytes / burst + 2);
    }
    return sum;
  }

  void check(const Executed& executed) {
    const models::TimelineEntry& entry = *executed.entry;
    std::int64_t least = 0;
    std::int64_t most = 0;
    for (const Phase& phase : phases(*executed.command)) {
      std::int64_t least_here = 0;
      std::int64_t most_here = 0;
      for (const auto& [memory, own] : phase.accesses) {
        if (own == 0) continue;
        const int ports = sram(memory).banks;
        least_here = std::max(least_here, ceil_divide(own, ports) - phase.cycles);
        most_here = std::max(most_here,
                             ceil_divide(own + dma_accesses(entry, memory), ports) - phase.cycles);
      }
      least += least_here;
      most += most_here;
    }
    const auto stalled = static_cast<std::int64_t>(entry.stalled.value() / cycle_.value());
    EXPECT_EQ(entry.stalled.value() % cycle_.value(), 0u);
    EXPECT_GE(stalled, least) << what(executed);
    EXPECT_LE(stalled, most) << what(executed);
  }

  static std::string what(const Executed& executed) {
    return "opcode " + std::to_string(static_cast<int>(executed.command->opcode)) + ", layer " +
           std::to_string(executed.entry->layer);
  }

  std::vector<Phase> phases(const hw::Command& command) const {
    using models::Component;
    switch (command.opcode) {
      case hw::Opcode::convolve:
        return phases(command.convolve);
      case hw::Opcode::adapt: {
        const hw::AdaptFields& f = command.adapt;
        const int lanes = hardware_.step_adapter.lanes;
        const std::int64_t layers = f.hidden == 0 ? ceil_divide(f.channels, lanes)
                                                  : ceil_divide(f.channels * f.hidden, lanes) +
                                                        ceil_divide(f.hidden, lanes);
        return {{ceil_divide(4 * f.channels, lanes) + layers + 28 + 4,
                 {{Component::weight_sram, accesses(Component::weight_sram, f.bytes())}}}};
      }
      default: {
        const hw::VectorFields& f = command.vector;
        const std::int64_t outputs = std::int64_t{f.height} * f.width * f.channels;
        const bool adds = command.opcode == hw::Opcode::add;
        const std::int64_t elements = adds ? outputs : outputs * f.kernel * f.kernel;
        const std::int64_t read = elements * (element_bytes(f.input_format) +
                                              (adds ? element_bytes(f.second_format) : 0));
        return {{ceil_divide(elements, hardware_.vector_unit.lanes),
                 {{Component::activation_sram,
                   accesses(Component::activation_sram, read) +
                       accesses(Component::activation_sram,
                                outputs * element_bytes(f.output_format))}}}};
      }
    }
  }

  std::vector<Phase> phases(const hw::ConvolveFields& f) const {
    using models::Component;
    const hw::PeArrayConfig& array = f.edge_array ? hardware_.edge_array : hardware_.array;
    const int channels = f.depthwise ? f.columns : f.input_channels;
    const std::int64_t packed = std::int64_t{f.kernel} * f.kernel * ((channels + 7) / 8) *
                                (f.depthwise ? 1 : f.columns) * f.weight_bits;
    const int positions = f.kernel * f.kernel;
    const int summed = f.depthwise ? 1 : channels;
    const bool packs = array.dataflow == "packed-windows" && (f.depthwise || summed < array.rows);
    const std::int64_t steps = packs ? ceil_divide(positions * summed, array.rows)
                                     : positions * ceil_divide(summed, array.rows);
    const bool stay = steps <= array.weights_per_pe;
    const std::int64_t pixels = std::int64_t{f.output_height} * f.output_width;
    // Depthwise, what a window has more than the one before it passes the read quantizer.
    const bool held = packs && f.depthwise && positions <= array.rows;
    const int read = std::max(array.rows, array.read_lanes);
    std::int64_t issue = pixels * steps;
    if (packs && f.depthwise) {
      const int moved = held ? std::min(f.kernel, f.stride) : f.kernel;
      issue = pixels * std::max(steps, ceil_divide(f.kernel * moved * f.columns, read)) +
              f.output_height * ceil_divide(f.kernel * (f.kernel - moved) * f.columns, read);
    }

    Phase fill{0,
               {{Component::parameter_sram, accesses(Component::parameter_sram, 16 * f.columns)}}};
    if (stay && !f.keep_weights) {
      fill.accesses[Component::weight_sram] = accesses(Component::weight_sram, packed);
    }
    for (const auto& [memory, own] : fill.accesses) {
      fill.cycles = std::max(fill.cycles, ceil_divide(own, sram(memory).banks));
    }

    std::int64_t inside = 0;
    for (int y = 0; y < f.output_height; ++y) {
      std::set<std::pair<int, int>> seen;
      for (int x = 0; x < f.output_width; ++x) {
        for (int tap = 0; tap < f.kernel * f.kernel; ++tap) {
          const int row = (f.first_output_row + y) * f.stride - f.padding + tap / f.kernel;
          const int column = x * f.stride - f.padding + tap % f.kernel;
          if (row < 0 || row >= f.input_height || column < 0 || column >= f.input_width) continue;
          if (!held || seen.insert({row, column}).second) ++inside;
        }
      }
    }
    // Steps of a window of few channels that many outputs share read again what two of them touch.
    if (packs && !f.depthwise && !stay && array.accumulators > 1) {
      std::int64_t touched = 0;
      for (int first = 0; first < positions * channels; first += array.rows) {
        const int last = std::min(first + array.rows, positions * channels) - 1;
        touched += last / channels - first / channels + 1;
      }
      inside = ceil_divide(inside * touched, positions);
    }
    const auto of = [&](std::int64_t bytes) { return accesses(Component::activation_sram, bytes); };
    std::int64_t activations = 0;
    const int together = packs ? channels : array.rows;
    for (int first = 0; first < channels; first += together) {
      activations +=
          inside * of(std::min(together, channels - first) * element_bytes(f.input_format));
    }
    activations += pixels * of(f.columns * element_bytes(f.output_format));
    if (f.has_residual) activations += pixels * of(f.columns * element_bytes(f.residual_format));
    Phase run{std::max(issue, ceil_divide(pixels * f.columns, array.scale_lanes)),
              {{Component::activation_sram, activations}}};
    if (!stay) {
      run.accesses[Component::weight_sram] =
          accesses(Component::weight_sram, ceil_divide(pixels, array.accumulators) * packed);
    }
    return {fill, run};
  }

  hw::HardwareConfig hardware_;
  std::vector<hw::Command> commands_;
  sc_core::sc_time cycle_;
  std::vector<Executed> computed_;
  std::vector<Executed> moved_;
};

// Failures of the running test so far: a forked process has its parent's.
int failures() {
  const ::testing::TestResult& result =
      *::testing::UnitTest::GetInstance()->current_test_info()->result();
  int failed = 0;
  for (int i = 0; i < result.total_part_count(); ++i)
    failed += result.GetTestPartResult(i).failed();
  return failed;
}

// In a process of its own.
json measure(const hw::HardwareConfig& hardware, const network::IntegerNetwork& network,
             std::uint64_t seed) {
  const int before = failures();
  std::uint64_t cycles = 0;
  int commands = 0;
  bool exactly = false;
  test::System system(hardware, hw::TimingLevel::functional);
  models::Context& context = system.platform().context();
  system.simulate([&] {
    for (const hw::TimingLevel level :
         {hw::TimingLevel::functional, hw::TimingLevel::approximate}) {
      context.set_level(level);
      system.load(network);
      context.timeline.clear();
      context.spent.clear();
      cycles = system.run(seed).cycles;
      system.expect_reference();
    }
    Bounds bounds(hardware, system.program());
    bounds.check(context.timeline, context.cycle());
    commands = bounds.compute_commands();
    const schedule::Program& program = system.program();
    test::check_spent_time(context, hardware, schedule::commands_of(program), cycles);
    const auto replayed = schedule::replay(schedule::commands_of(program), program.command_address,
                                           system.platform().config());
    const double difference = std::abs(static_cast<double>(replayed) - static_cast<double>(cycles));
    exactly = replayed == static_cast<std::int64_t>(cycles);
    EXPECT_LE(difference, 4 + 0.005 * static_cast<double>(cycles))
        << "replayed " << replayed << ", measured " << cycles;
  });
  return {{"failed", failures() > before},
          {"cycles", cycles},
          {"commands", commands},
          {"replayed_exactly", exactly}};
}

json measured(const hw::HardwareConfig& hardware, const network::IntegerNetwork& network,
              std::uint64_t seed) {
  return support::run_forked(
      1, [&](int, const support::Report&) { return measure(hardware, network, seed); },
      [](std::int64_t) {})[0];
}

network::Arithmetic some_arithmetic(Draw& draw) {
  using network::Arithmetic;
  return draw.one_of({Arithmetic(Arithmetic::adder), Arithmetic(Arithmetic::cnn),
                      Arithmetic(Arithmetic::bnn), Arithmetic(Arithmetic::shift),
                      Arithmetic::shiftaddnet, Arithmetic(Arithmetic::post),
                      Arithmetic(Arithmetic::apot)});
}

enum class Outcome { infeasible, measured, compared };

// Of the configurations, those whose replay takes as many cycles as the models.
Outcome try_configuration(std::uint64_t seed, int& replayed_exactly) {
  Draw draw(seed);
  const network::Arithmetic arithmetic = some_arithmetic(draw);
  hw::HardwareConfig hardware = random_hardware(draw, arithmetic);
  // Drawn apart, so that what is drawn besides stays a seed's own.
  constexpr std::uint64_t apart = 1'000'000'007;
  hardware.dram = random_dram(Draw(seed + apart));
  test::RandomNetworkOptions options;
  options.arithmetic = arithmetic;
  options.layers = 5;
  options.side = 10;
  options.fraction_bits = arithmetic == network::Arithmetic::post ? 8 : 12;
  options.depthwise_percent = draw.between(0, 3) == 0 ? 30 : 0;
  options.adapter_percent = draw.between(0, 3) == 0 ? 30 : 0;
  const network::IntegerNetwork network = test::random_integer_network(seed, options);
  const auto fits = [&] {
    try {
      schedule::schedule(network, hardware);
      return true;
    } catch (const std::runtime_error&) {
      return false;  // says what does not fit; hardware_vs_reference_test holds it to that
    }
  };
  if (!fits()) return Outcome::infeasible;
  const json before = measured(hardware, network, seed);
  replayed_exactly += before["replayed_exactly"].get<bool>() ? 1 : 0;
  EXPECT_FALSE(before["failed"].get<bool>());
  if (before["failed"].get<bool>()) return Outcome::measured;
  const std::string changed = more_hardware(draw, hardware);
  if (!fits()) {
    ADD_FAILURE() << "more " << changed << " does not fit";
    return Outcome::measured;
  }
  const json after = measured(hardware, network, seed);
  EXPECT_FALSE(after["failed"].get<bool>()) << "with more " << changed;
  // Twice the rows are one more stage of the adder tree for each command.
  const double deeper = changed == "array.rows" ? after["commands"].get<double>() : 0;
  // A program's own fill and end: programs of a few hundred cycles show them.
  constexpr double fill = 16;
  EXPECT_LE(after["cycles"].get<double>(), 1.01 * before["cycles"].get<double>() + deeper + fill)
      << "more " << changed << " costs more: " << before["cycles"] << " cycles before";
  return Outcome::compared;
}

TEST(RandomHardware, IsExactWithinBoundsAndMonotone) {
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
  const int configurations = test::number_from_environment("ABACUS_CONFIGURATIONS", 60);
  const int first = test::number_from_environment("ABACUS_FIRST_SEED", 1);
  std::map<Outcome, int> outcomes;
  int replayed_exactly = 0;
  for (int seed = first; seed < first + configurations; ++seed) {
    SCOPED_TRACE("ABACUS_FIRST_SEED=" + std::to_string(seed) + " ABACUS_CONFIGURATIONS=1");
    ++outcomes[try_configuration(static_cast<std::uint64_t>(seed), replayed_exactly)];
  }
  std::cout << configurations << " configurations: " << outcomes[Outcome::compared]
            << " exact, within bounds and compared with more hardware, "
            << outcomes[Outcome::infeasible] << " do not fit; " << replayed_exactly
            << " replayed to the cycle\n";
  EXPECT_GE(2 * outcomes[Outcome::compared], configurations) << "too many do not fit";
}

}  // namespace
}  // namespace abacus::driver
