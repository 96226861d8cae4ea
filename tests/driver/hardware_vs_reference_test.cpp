// Scheduler, driver and hardware models together against the reference executor: every layer's
// output, bit for bit, at every level of timing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <systemc>
#include <vector>

#include "sw/driver/driver.hpp"
#include "sw/experiment/program_view.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/schedule/program.hpp"
#include "sw/workload/synthetic_network.hpp"
#include "tests/driver/system.hpp"
#include "tests/network/random_integer_network.hpp"
#include "tests/support/sampled.hpp"
#include "tests/tlm/random_element.hpp"
#include "tlm/command.hpp"

namespace abacus::driver {
namespace {

using test::hardware_for;
using test::RandomNetworkOptions;
using test::System;
using ::testing::AnyOf;
using ::testing::HasSubstr;

// The lanes of `table` are built for an element.
void give_element(const hw::ElementTable& element, hw::HardwareConfig& hardware) {
  hw::PeArrayConfig& array = hardware.array;
  array.kind = "table";
  array.element = std::make_shared<const hw::ElementTable>(element);
  array.weight_bits = element.weight_bits;
  array.activation_bits = element.activation_bits;
}

// --- The zoo's shapes ---------------------------------------------------------------------------

struct ZooCase {
  const char* network;
  network::Arithmetic arithmetic;
  int operand_bits;
  int groups;
  hw::TimingLevel level;
  bool adapters = false;
};

class Zoo : public ::testing::TestWithParam<ZooCase> {};

TEST_P(Zoo, EveryLayerEqualsTheReferenceAndTimeDoesNotDependOnTheImage) {
  const ZooCase& c = GetParam();
  const network::IntegerNetwork network = workload::synthetic_network({c.network,
                                                                       c.arithmetic,
                                                                       {1, 28, 28},
                                                                       10,
                                                                       c.operand_bits,
                                                                       c.operand_bits,
                                                                       c.groups,
                                                                       3,
                                                                       8,
                                                                       8,
                                                                       127,
                                                                       c.adapters});
  System system(hardware_for(c.arithmetic), c.level);
  system.simulate([&] {
    system.load(network);
    const RunStatistics first = system.run(1);
    system.expect_reference();
    const RunStatistics second = system.run(2);
    system.expect_reference();
    EXPECT_EQ(first.saturations, 0u);
    if (c.level == hw::TimingLevel::functional) return;
    EXPECT_GT(first.cycles, 9'000u);
    EXPECT_EQ(first.cycles, second.cycles);
  });
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Zoo,
    ::testing::Values(
        ZooCase{"resnet20", network::Arithmetic::adder, 4, 4, hw::TimingLevel::functional},
        ZooCase{"resnet20", network::Arithmetic::adder, 4, 4, hw::TimingLevel::approximate},
        ZooCase{"resnet20", network::Arithmetic::adder, 8, 1, hw::TimingLevel::functional},
        ZooCase{"resnet20", network::Arithmetic::adder, 8, 1, hw::TimingLevel::approximate},
        ZooCase{"resnet20", network::Arithmetic::cnn, 8, 1, hw::TimingLevel::functional},
        ZooCase{"resnet20", network::Arithmetic::cnn, 4, 1, hw::TimingLevel::approximate},
        ZooCase{"lenet", network::Arithmetic::adder, 5, 2, hw::TimingLevel::approximate},
        ZooCase{"resnet20", network::Arithmetic::bnn, 1, 1, hw::TimingLevel::functional},
        ZooCase{"resnet20", network::Arithmetic::bnn, 1, 1, hw::TimingLevel::approximate},
        ZooCase{"lenet", network::Arithmetic::bnn, 1, 1, hw::TimingLevel::approximate},
        ZooCase{"resnet20", network::Arithmetic::shift, 5, 1, hw::TimingLevel::functional},
        ZooCase{"lenet", network::Arithmetic::shift, 8, 1, hw::TimingLevel::approximate},
        ZooCase{"resnet20", network::Arithmetic::shiftaddnet, 5, 4, hw::TimingLevel::functional},
        ZooCase{"resnet20", network::Arithmetic::shiftaddnet, 8, 1, hw::TimingLevel::approximate},
        ZooCase{"resnet20", network::Arithmetic::post, 4, 1, hw::TimingLevel::functional},
        ZooCase{"resnet20", network::Arithmetic::post, 3, 1, hw::TimingLevel::approximate},
        ZooCase{"lenet", network::Arithmetic::post, 8, 1, hw::TimingLevel::approximate},
        ZooCase{"resnet20", network::Arithmetic::cnn, 4, 1, hw::TimingLevel::functional, true},
        ZooCase{"resnet20", network::Arithmetic::post, 4, 1, hw::TimingLevel::approximate, true},
        ZooCase{"resnet20", network::Arithmetic::apot, 4, 1, hw::TimingLevel::functional},
        ZooCase{"lenet", network::Arithmetic::apot, 5, 1, hw::TimingLevel::approximate},
        ZooCase{"lenet", network::Arithmetic::shiftaddnet, 4, 2, hw::TimingLevel::approximate},
        ZooCase{"mobilenet-v2", network::Arithmetic::adder, 4, 4, hw::TimingLevel::approximate},
        ZooCase{"mobilenet-v2", network::Arithmetic::post, 4, 1, hw::TimingLevel::approximate}));

// Tiles of some channels each (columns outer) find their channels' sums.
TEST(PartialPixels, StepAdaptersHaveTheReferencesFactors) {
  const network::IntegerNetwork network = workload::synthetic_network(
      {"vgg-small", network::Arithmetic::cnn, {3, 16, 16}, 10, 4, 4, 1, 3, 8, 8, 127, true});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::cnn);
  hardware.activation_sram.bytes = 16 * 1024;
  hardware.weight_sram.bytes = 80 * 1024;
  const schedule::Program program = schedule::schedule(network, hardware);
  int partial = 0;
  for (const hw::Command& command : schedule::commands_of(program)) {
    partial += command.opcode == hw::Opcode::convolve && command.convolve.first_sum_channel > 0;
  }
  EXPECT_GT(partial, 10);
  System system(hardware, hw::TimingLevel::functional);
  system.simulate([&] {
    system.load(network);
    system.run(1);
    system.expect_reference();
  });
}

// --- Random networks ----------------------------------------------------------------------------

struct RandomCase {
  int first_seed;
  network::Arithmetic arithmetic;
  bool small_hardware;
  int adapter_percent = 0;
  int depthwise_percent = 0;
  int element_seed = 0;  // of arithmetic table
};

class RandomNetworks : public ::testing::TestWithParam<RandomCase> {};

// Small memories, arrays and accumulators cut networks into more tiles, and saturate.
hw::HardwareConfig small_hardware(network::Arithmetic arithmetic) {
  hw::HardwareConfig hardware = hardware_for(arithmetic);
  hardware.array.rows = 4;
  hardware.array.columns = 8;
  // A binary sum needs more than 127 taps of one sign to saturate.
  hardware.array.accumulator_bits = arithmetic == network::Arithmetic::bnn ? 8 : 12;
  hardware.edge_array.accumulator_bits = 14;
  hardware.edge_array.rows = 3;
  hardware.edge_array.columns = 5;
  hardware.activation_sram.bytes = 6 * 1024;
  hardware.weight_sram.bytes = 6 * 1024;
  hardware.parameter_sram.bytes = 512;
  hardware.command_queue = 3;
  hardware.step_adapter.registers = 2;
  return hardware;
}

TEST_P(RandomNetworks, EveryLayerEqualsTheReferenceAtBothLevels) {
  const RandomCase& c = GetParam();
  hw::HardwareConfig hardware =
      c.small_hardware ? small_hardware(c.arithmetic) : hardware_for(c.arithmetic);
  hardware.array.fraction_bits = 12;
  std::optional<hw::ElementTable> element;
  if (c.arithmetic == network::Arithmetic::table) {
    element = test::random_element(static_cast<std::uint64_t>(c.element_seed));
    give_element(*element, hardware);
  }
  System system(hardware, hw::TimingLevel::functional);
  constexpr int all_networks = 40;
  const int networks_a_process = test::sampled(all_networks);
  int compared = 0;
  std::int64_t saturations = 0;
  std::int64_t adapted = 0;
  std::int64_t depthwise = 0;
  std::int64_t adapted_edges = 0;
  std::int64_t step_saturations = 0;
  system.simulate([&] {
    for (int seed = c.first_seed; seed < c.first_seed + networks_a_process; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      RandomNetworkOptions options;
      options.arithmetic = c.arithmetic;
      options.adapter_percent = c.adapter_percent;
      options.depthwise_percent = c.depthwise_percent;
      options.fraction_bits = c.arithmetic == network::Arithmetic::post ? 8 : 12;
      options.element = element;
      const network::IntegerNetwork network =
          test::random_integer_network(static_cast<std::uint64_t>(seed), options);
      try {
        schedule::schedule(network, hardware);
      } catch (const std::runtime_error& error) {
        // Some do not fit the small memories, or the two registers of adapted steps.
        EXPECT_TRUE(c.small_hardware);
        EXPECT_THAT(error.what(), AnyOf(HasSubstr("does not fit"), HasSubstr("step register")));
        continue;
      }
      for (const hw::TimingLevel level :
           {hw::TimingLevel::functional, hw::TimingLevel::approximate}) {
        SCOPED_TRACE(level == hw::TimingLevel::functional ? "functional" : "approximate");
        system.platform().context().set_level(level);
        system.load(network);
        system.platform().context().saturations_by_layer.clear();
        system.platform().context().step_saturations_by_layer.clear();
        const RunStatistics statistics = system.run(static_cast<std::uint64_t>(seed));
        const network::ReferenceResult expected = system.reference();
        system.expect_reference(expected);
        std::int64_t expected_saturations = 0;
        for (const std::int64_t count : expected.saturations) expected_saturations += count;
        std::vector<std::int64_t> by_layer = system.platform().context().saturations_by_layer;
        by_layer.resize(expected.saturations.size());
        EXPECT_EQ(by_layer, expected.saturations);
        EXPECT_EQ(statistics.saturations, static_cast<std::uint64_t>(expected_saturations));
        saturations += expected_saturations;
        std::vector<models::StepSaturations> steps =
            system.platform().context().step_saturations_by_layer;
        steps.resize(expected.steps.size());
        for (std::size_t layer = 0; layer < steps.size(); ++layer) {
          const network::StepResult& step = expected.steps[layer];
          EXPECT_EQ(steps[layer].underflows, step.underflows) << layer;
          EXPECT_EQ(steps[layer].overflows, step.overflows) << layer;
          EXPECT_EQ(steps[layer].read, step.read_saturations) << layer;
          EXPECT_EQ(steps[layer].multipliers, step.multiplier_saturations) << layer;
          adapted += network.layers[layer].adapter.has_value();
          depthwise += network.layers[layer].depthwise;
          adapted_edges += network.layers[layer].adapter.has_value() && network.layers[layer].edge;
          step_saturations += step.underflows + step.overflows + step.read_saturations +
                              step.multiplier_saturations;
        }
        if (::testing::Test::HasFailure()) return;
      }
      ++compared;
    }
  });
  if (networks_a_process < all_networks) return;  // too few to meet everything
  EXPECT_GT(compared, networks_a_process / 2);
  if (c.small_hardware && c.arithmetic != network::Arithmetic::table) {
    EXPECT_GT(saturations, 0) << "the case tests no saturation";
  }
  if (c.depthwise_percent != 0) {
    EXPECT_GT(depthwise, networks_a_process);
  }
  if (c.adapter_percent != 0) {
    EXPECT_GT(adapted, networks_a_process / 2);
    EXPECT_GT(adapted_edges, 0);
    EXPECT_GT(step_saturations, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Seeds, RandomNetworks,
    ::testing::Values(RandomCase{0, network::Arithmetic::adder, false},
                      RandomCase{100, network::Arithmetic::cnn, false},
                      RandomCase{200, network::Arithmetic::adder, true},
                      RandomCase{300, network::Arithmetic::cnn, true},
                      RandomCase{400, network::Arithmetic::bnn, false},
                      RandomCase{500, network::Arithmetic::bnn, true},
                      RandomCase{600, network::Arithmetic::shift, false},
                      RandomCase{700, network::Arithmetic::shift, true},
                      RandomCase{800, network::Arithmetic::shiftaddnet, false},
                      RandomCase{900, network::Arithmetic::shiftaddnet, true},
                      RandomCase{1000, network::Arithmetic::post, false},
                      RandomCase{1100, network::Arithmetic::post, true},
                      RandomCase{1200, network::Arithmetic::apot, false},
                      RandomCase{1300, network::Arithmetic::apot, true},
                      RandomCase{1400, network::Arithmetic::cnn, false, 70},
                      RandomCase{1500, network::Arithmetic::cnn, true, 70},
                      RandomCase{1600, network::Arithmetic::post, false, 70},
                      RandomCase{1700, network::Arithmetic::shiftaddnet, true, 70},
                      RandomCase{1800, network::Arithmetic::adder, false, 0, 70},
                      RandomCase{1900, network::Arithmetic::adder, true, 0, 70},
                      RandomCase{2000, network::Arithmetic::cnn, false, 30, 70},
                      RandomCase{2100, network::Arithmetic::cnn, true, 0, 70},
                      RandomCase{2200, network::Arithmetic::bnn, false, 0, 70},
                      RandomCase{2300, network::Arithmetic::shiftaddnet, false, 0, 70},
                      RandomCase{2400, network::Arithmetic::shift, true, 0, 70},
                      RandomCase{2500, network::Arithmetic::post, false, 30, 70},
                      RandomCase{2600, network::Arithmetic::post, true, 0, 70},
                      RandomCase{2700, network::Arithmetic::apot, false, 0, 70}));

std::vector<RandomCase> element_cases() {
  std::vector<RandomCase> cases;
  for (int seed = 0; seed < 24; ++seed) {
    cases.push_back({3000 + 100 * seed, network::Arithmetic::table, seed % 2 == 1, 0,
                     seed % 3 == 0 ? 50 : 0, seed});
  }
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Elements, RandomNetworks, ::testing::ValuesIn(element_cases()));

// --- Elements that are others by another name ---------------------------------------------------

struct TwinCase {
  network::Arithmetic arithmetic;  // cnn, adder
  test::ElementOperands operands;
  int first_seed;
  bool small_hardware;
  int depthwise_percent;
};

class ElementTwins : public ::testing::TestWithParam<TwinCase> {};

// A table of products is a multiplier, one of distances an adder: hardware with the table must give what
// networks of these have, bit for bit, and saturate where they do.
TEST_P(ElementTwins, ComputeWhatTheyAreTheTableOf) {
  const TwinCase& c = GetParam();
  const hw::ElementTable element = c.arithmetic == network::Arithmetic::cnn
                                       ? test::product_element(c.operands)
                                       : test::difference_element(c.operands);
  hw::HardwareConfig hardware =
      c.small_hardware ? small_hardware(c.arithmetic) : hardware_for(c.arithmetic);
  give_element(element, hardware);
  System system(hardware, hw::TimingLevel::functional);
  std::int64_t saturations = 0;
  int compared = 0;
  constexpr int all_networks = 12;
  const int networks = test::sampled(all_networks);
  system.simulate([&] {
    for (int seed = c.first_seed; seed < c.first_seed + networks; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      RandomNetworkOptions options;
      options.arithmetic = network::Arithmetic::table;
      options.element = element;
      options.depthwise_percent = c.depthwise_percent;
      const network::IntegerNetwork network =
          test::random_integer_network(static_cast<std::uint64_t>(seed), options);
      network::IntegerNetwork twin = network;
      twin.element.reset();
      twin.origin.arithmetic = c.arithmetic;
      for (network::IntegerLayer& layer : twin.layers) {
        if (layer.arithmetic == network::Arithmetic::table) layer.arithmetic = c.arithmetic.first();
      }
      network::validate(twin, "twin");
      try {
        schedule::schedule(network, hardware);
      } catch (const std::runtime_error&) {
        continue;
      }
      ++compared;
      system.load(network);
      for (const hw::TimingLevel level :
           {hw::TimingLevel::functional, hw::TimingLevel::approximate}) {
        system.platform().context().set_level(level);
        const RunStatistics statistics = system.run(static_cast<std::uint64_t>(seed));
        const network::ReferenceResult expected = system.reference_of(twin);
        system.expect_reference(expected);
        std::int64_t expected_saturations = 0;
        for (const std::int64_t count : expected.saturations) expected_saturations += count;
        EXPECT_EQ(statistics.saturations, static_cast<std::uint64_t>(expected_saturations));
        saturations += expected_saturations;
        if (::testing::Test::HasFailure()) return;
      }
    }
  });
  if (networks < all_networks) return;  // too few to meet everything
  EXPECT_GT(compared, 4);
  if (c.small_hardware) {
    EXPECT_GT(saturations, 0);
  }
}

std::vector<TwinCase> twin_cases() {
  std::vector<TwinCase> cases;
  int seed = 10'000;
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::cnn, network::Arithmetic::adder}) {
    for (const bool weight_signed : {true, false}) {
      for (const bool activation_signed : {true, false}) {
        for (const int bits : {2, 3, 5, 8}) {
          seed += 100;
          const int other = 2 + (bits + seed / 100) % 7;
          cases.push_back({arithmetic,
                           {bits, weight_signed, other, activation_signed},
                           seed,
                           bits == 8,
                           bits == 5 ? 60 : 0});
        }
      }
    }
  }
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Tables, ElementTwins, ::testing::ValuesIn(twin_cases()));

// --- No second path to the result ---------------------------------------------------------------

enum class Memory { activation, weight, parameter };

// Where the program's first load into a memory goes.
std::uint32_t first_load(const schedule::Program& program, Memory memory) {
  for (const hw::Command& command : schedule::commands_of(program)) {
    if (command.opcode == hw::Opcode::load &&
        static_cast<int>(command.transfer.memory) == static_cast<int>(memory)) {
      return command.transfer.onchip_address;
    }
  }
  throw std::logic_error("no load into this memory");
}

class BitFlip : public ::testing::TestWithParam<std::tuple<Memory, hw::TimingLevel>> {};

TEST_P(BitFlip, InAnSramChangesTheResult) {
  const Memory memory = std::get<0>(GetParam());
  const hw::TimingLevel level = std::get<1>(GetParam());
  const network::IntegerNetwork network = workload::synthetic_network(
      {"lenet", network::Arithmetic::adder, {1, 28, 28}, 10, 8, 8, 1, 5});
  System system(hardware_for(network::Arithmetic::adder), level);
  system.simulate([&] {
    system.load(network);
    system.run(1);
    const network::ReferenceResult expected = system.reference();
    system.expect_reference(expected);
    models::Platform& platform = system.platform();
    models::Sram& sram = memory == Memory::activation ? platform.activation_sram()
                         : memory == Memory::weight   ? platform.weight_sram()
                                                      : platform.parameter_sram();
    // An image's pixel; the first weight; the lowest byte of the first bias plus 2^24: all of the
    // first layer.
    const std::uint32_t offset = memory == Memory::activation ? 100u
                                 : memory == Memory::weight   ? 0u
                                                              : 3u;
    sram.flip_bit_after_write(first_load(system.program(), memory) + offset, 6, 0);
    system.run(1);
    EXPECT_NE(system.output(0), expected.outputs[0]);
    // The fault was one of a moment: the next run is right again.
    system.run(1);
    system.expect_reference(expected);
  });
}

INSTANTIATE_TEST_SUITE_P(Memories, BitFlip,
                         ::testing::Combine(::testing::Values(Memory::activation, Memory::weight,
                                                              Memory::parameter),
                                            ::testing::Values(hw::TimingLevel::functional,
                                                              hw::TimingLevel::approximate)));

TEST(HardwareVsReference, TwoRunsOfTheSameImageAreTheSame) {
  const network::IntegerNetwork network =
      workload::synthetic_network({"lenet", network::Arithmetic::cnn, {1, 28, 28}, 10, 4, 4, 1, 5});
  System system(hardware_for(network::Arithmetic::cnn), hw::TimingLevel::approximate);
  system.simulate([&] {
    system.load(network);
    const std::uint64_t cycles = system.run(7).cycles;
    const std::vector<std::int32_t> scores = system.scores();
    EXPECT_EQ(system.run(7).cycles, cycles);
    EXPECT_EQ(system.scores(), scores);
    // Images at the functional level in between leave no trace.
    system.platform().context().set_level(hw::TimingLevel::functional);
    system.run(8);
    system.platform().context().set_level(hw::TimingLevel::approximate);
    EXPECT_EQ(system.run(7).cycles, cycles);
    EXPECT_EQ(system.scores(), scores);
  });
}

// ResNet-20 on 32×32 images, 16×16 multipliers, output stationary, memory stalls aside: SCALE-Sim
// counts 184,142 cycles, STONNE 184,237. An adder tree fills and drains faster than a systolic
// array.
TEST(HardwareVsReference, ResNet20TakesAboutTheCyclesThatOtherSimulatorsCount) {
  const network::IntegerNetwork network = workload::synthetic_network(
      {"resnet20", network::Arithmetic::cnn, {3, 32, 32}, 10, 8, 8, 1, 1});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::cnn);
  hardware.array.dataflow = "output-stationary";
  hardware.edge_array.dataflow = "output-stationary";
  System system(hardware, hw::TimingLevel::approximate);
  system.simulate([&] {
    system.load(network);
    models::Context& context = system.platform().context();
    context.timeline.clear();
    const std::uint64_t cycles = system.run(1).cycles;
    sc_core::sc_time computing;
    for (const models::TimelineEntry& entry : context.timeline) {
      const bool computes = entry.unit != models::Unit::load && entry.unit != models::Unit::store;
      if (computes) computing += entry.end - entry.start - entry.stalled;
    }
    const double busy = computing / context.cycle();
    EXPECT_LT(busy, 184'142);
    EXPECT_GT(busy, 0.9 * 184'142);
    EXPECT_GT(static_cast<double>(cycles), busy);
    EXPECT_LT(static_cast<double>(cycles), 1.2 * busy) << "load and store overlap with compute";
  });
}

// Of the preset: one image from reset, which stands in DRAM. The main array alone issues for 157,696 cycles,
// the edge array for 7,168 and 16.
struct Latency {
  int operand_bits;
  std::uint64_t at_most;
};

class ResNet20 : public ::testing::TestWithParam<Latency> {};

TEST_P(ResNet20, TakesHardlyMoreCyclesThanItsArraysIssue) {
  const int bits = GetParam().operand_bits;
  const network::IntegerNetwork network = workload::synthetic_network(
      {"resnet20", network::Arithmetic::adder, {3, 32, 32}, 10, bits, bits, 1, 1});
  System system(hardware_for(network::Arithmetic::adder), hw::TimingLevel::approximate);
  system.simulate([&] {
    system.load(network);
    const std::uint64_t cycles = system.run(1).cycles;
    EXPECT_GT(cycles, 157'696u + 7'168u + 16u);
    EXPECT_LE(cycles, GetParam().at_most);
  });
}

INSTANTIATE_TEST_SUITE_P(OperandBits, ResNet20,
                         ::testing::Values(Latency{8, 170'000}, Latency{4, 169'000}),
                         [](const auto& given) {
                           return std::to_string(given.param.operand_bits);
                         });

// With a lane a column, a depthwise layer takes kernel² cycles a position of 16 channels.
TEST(HardwareVsReference, DepthwiseLayersUseLanesForTheirWindows) {
  const network::IntegerNetwork network = workload::synthetic_network(
      {"mobilenet-v2", network::Arithmetic::adder, {3, 112, 112}, 10, 4, 4, 1, 1});
  System system(hardware_for(network::Arithmetic::adder), hw::TimingLevel::approximate);
  system.simulate([&] {
    system.load(network);
    models::Context& context = system.platform().context();
    context.timeline.clear();
    system.run(1);
    double with_a_lane = 0;
    for (const network::IntegerLayer& layer : network.layers) {
      const network::Shape& shape = layer.output.shape;
      if (layer.depthwise) {
        with_a_lane += 9.0 * shape.height * shape.width * ((shape.channels + 15) / 16);
      }
    }
    sc_core::sc_time busy;
    for (const models::TimelineEntry& entry : context.timeline) {
      const bool computes = entry.unit == models::Unit::compute_array;
      if (computes && network.layers[static_cast<std::size_t>(entry.layer)].depthwise) {
        busy += entry.end - entry.start - entry.stalled;
      }
    }
    EXPECT_LT(busy / context.cycle(), 0.6 * with_a_lane);
  });
}

// Same dataflow, same tiles: the kind of element and the width of its weights change the traffic and
// the energy, not the array's issue cycles.
TEST(HardwareVsReference, BinaryResNet20IssuesForAsLongAsAnyOther) {
  const auto busy_cycles = [](System& system, const network::IntegerNetwork& network) {
    system.load(network);
    models::Context& context = system.platform().context();
    context.timeline.clear();
    system.run(1);
    sc_core::sc_time computing;
    for (const models::TimelineEntry& entry : context.timeline) {
      if (entry.unit == models::Unit::compute_array)
        computing += entry.end - entry.start - entry.stalled;
    }
    return computing / context.cycle();
  };
  const network::IntegerNetwork network = workload::synthetic_network(
      {"resnet20", network::Arithmetic::bnn, {3, 32, 32}, 10, 1, 1, 1, 1});
  System system(hardware_for(network::Arithmetic::bnn), hw::TimingLevel::approximate);
  system.simulate([&] {
    const double busy = busy_cycles(system, network);
    // What 256 lanes issue of the layers between the edges.
    EXPECT_GT(busy, 157'696);
    EXPECT_LT(busy, 1.05 * 157'696);
  });
}

// The scheduler refuses such a program; a hand-made one is refused by the hardware.
TEST(HardwareVsReference, TheHardwareRefusesAdderLayersOnAMacArray) {
  const network::IntegerNetwork network = workload::synthetic_network({});
  System system(hardware_for(network::Arithmetic::cnn), hw::TimingLevel::functional);
  EXPECT_THROW(schedule::schedule(network, hardware_for(network::Arithmetic::cnn)),
               std::runtime_error);
  const schedule::Program program =
      schedule::schedule(network, hardware_for(network::Arithmetic::adder));
  bool ran = false;
  system.platform().set_software([&](hw::HostBus& bus) {
    Driver driver(bus);
    ASSERT_EQ(driver.load(experiment::program_view(program)), DriverStatus::ok);
    const std::vector<std::uint8_t> input(program.input.bytes, 0);
    std::vector<std::uint8_t> scores(program.scores.bytes);
    RunStatistics statistics{};
    EXPECT_EQ(driver.run(input.data(), scores.data(), statistics), DriverStatus::command_error);
    EXPECT_GT(statistics.error_command, 0u);
    ran = true;
  });
  sc_core::sc_start();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace abacus::driver
