#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/program.hpp"
#include "sw/workload/synthetic_network.hpp"
#include "tests/network/random_integer_network.hpp"
#include "tests/schedule/token_simulator.hpp"
#include "tests/support/sampled.hpp"
#include "tests/tlm/random_element.hpp"
#include "tlm/command.hpp"
#include "tlm/command_stream.hpp"

namespace abacus::schedule {
namespace {

using test::Interleaving;
using test::RandomNetworkOptions;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint32_t kib = 1024;

hw::HardwareConfig hardware_for(network::Arithmetic arithmetic) {
  hw::HardwareConfig hardware;
  hardware.array.kind = {arithmetic.first(), arithmetic.second()};
  return hardware;
}

// The program with other commands, of which only the tokens may differ.
Program with_commands(Program program, const std::vector<hw::Command>& commands) {
  const std::vector<std::uint32_t> words = hw::encode_commands(commands);
  EXPECT_EQ(words.size(), program.command_words);
  std::memcpy(program.dram_image.data() + (program.command_address - program.image_address),
              words.data(), words.size() * sizeof(std::uint32_t));
  return program;
}

// Every unit as far ahead of the others as the tokens let it, and some orders by chance.
std::vector<Interleaving> interleavings() {
  std::vector<Interleaving> all;
  for (const bool linger : {false, true}) {
    for (const auto& rank : {std::array<int, 3>{0, 1, 2},
                             {0, 2, 1},
                             {1, 0, 2},
                             {2, 0, 1},
                             {1, 2, 0},
                             {2, 1, 0},
                             {0, 0, 0}}) {
      all.push_back({rank, linger, all.size()});
    }
  }
  return all;
}

void expect_right(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware) {
  const Program program = schedule(network, hardware);
  test::TokenSimulator simulator(network, hardware, program);
  for (const Interleaving& interleaving : interleavings()) {
    ASSERT_NO_THROW(simulator.run(interleaving))
        << "ranks " << interleaving.rank[0] << interleaving.rank[1] << interleaving.rank[2]
        << " linger " << interleaving.linger;
  }
}

void shrink(hw::HardwareConfig& hardware, std::uint32_t activation, std::uint32_t weight,
            std::uint32_t parameter) {
  hardware.activation_sram.bytes = activation;
  hardware.weight_sram.bytes = weight;
  hardware.parameter_sram.bytes = parameter;
}

std::string error_of(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware) {
  try {
    schedule(network, hardware);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

// --- Right in every interleaving ----------------------------------------------------------------

struct ZooCase {
  const char* network;
  network::Shape image;
  int operand_bits;
  int groups;
  std::uint32_t activation, weight, parameter;
};

class Zoo : public ::testing::TestWithParam<ZooCase> {};

TEST_P(Zoo, SchedulesWithoutRaceOrDeadlock) {
  const ZooCase& c = GetParam();
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn}) {
    const network::IntegerNetwork network = workload::synthetic_network(
        {c.network, arithmetic, c.image, 10, c.operand_bits, c.operand_bits, c.groups, 1});
    hw::HardwareConfig hardware = hardware_for(arithmetic);
    shrink(hardware, c.activation, c.weight, c.parameter);
    expect_right(network, hardware);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Zoo,
    ::testing::Values(ZooCase{"resnet20", {1, 28, 28}, 4, 1, 128 * kib, 64 * kib, 8 * kib},
                      ZooCase{"resnet20", {1, 28, 28}, 8, 4, 128 * kib, 64 * kib, 8 * kib},
                      ZooCase{"resnet20", {3, 32, 32}, 4, 4, 6 * kib, 10 * kib, 512},
                      ZooCase{"resnet32", {3, 32, 32}, 5, 1, 32 * kib, 16 * kib, 1 * kib},
                      ZooCase{"resnet32", {1, 28, 28}, 8, 2, 1024 * kib, 512 * kib, 64 * kib},
                      ZooCase{"lenet", {1, 28, 28}, 4, 1, 16 * kib, 16 * kib, 1 * kib},
                      ZooCase{"vgg-small", {3, 32, 32}, 4, 1, 128 * kib, 64 * kib, 8 * kib},
                      ZooCase{"mobilenet-v2", {3, 32, 32}, 4, 2, 32 * kib, 32 * kib, 1 * kib}));

TEST(Schedule, FitsLargeLayersIntoSmallMemoriesByOneColumnTileAtATime) {
  const network::IntegerNetwork network = workload::synthetic_network(
      {"vgg-small", network::Arithmetic::adder, {3, 16, 16}, 10, 4, 4, 2, 1});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::adder);
  shrink(hardware, 7 * kib, 48 * kib, 512);  // a row of 128 channels takes 2 KiB
  expect_right(network, hardware);
  int compact = 0;
  for (const hw::Command& command : commands_of(schedule(network, hardware))) {
    compact +=
        command.opcode == hw::Opcode::convolve &&
        command.convolve.output_channels < network.layers[command.layer].output.shape.channels;
  }
  EXPECT_GT(compact, 0);
}

TEST(Schedule, NarrowsColumnTilesThatTheWeightMemoryCannotHold) {
  const network::IntegerNetwork network = workload::synthetic_network(
      {"vgg-small", network::Arithmetic::cnn, {3, 16, 16}, 10, 8, 8, 1, 1});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::cnn);
  shrink(hardware, 64 * kib, 20 * kib, 2 * kib);  // 16 columns of 512 channels, 3x3, take 72 KiB
  expect_right(network, hardware);
}

class RandomNetworks : public ::testing::TestWithParam<int> {};

TEST_P(RandomNetworks, ScheduleWithoutRaceOrDeadlock) {
  constexpr int networks_a_case = 25;
  for (int i = 0; i < test::sampled(networks_a_case); ++i) {
    const std::uint64_t seed = static_cast<std::uint64_t>(GetParam() * networks_a_case + i);
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomNetworkOptions options;
    constexpr std::array<network::Arithmetic, 4> arithmetics = {
        network::Arithmetic::adder, network::Arithmetic::cnn, network::Arithmetic::shiftaddnet,
        network::Arithmetic::apot};
    options.arithmetic = arithmetics[seed % arithmetics.size()];
    options.adapter_percent = 40;
    const network::IntegerNetwork network = test::random_integer_network(seed, options);
    hw::HardwareConfig hardware = hardware_for(*options.arithmetic);
    expect_right(network, hardware);
    hardware.array.columns = 4;
    hardware.command_queue = 2;
    shrink(hardware, 8 * kib, 5 * kib, 512);
    expect_right(network, hardware);
    // As small as can be: each error says what its layer would do with.
    shrink(hardware, 64, 8 * kib, 512);
    std::string error = error_of(network, hardware);
    while (error != "no error") {
      const std::size_t at = error.find("needs ");
      ASSERT_NE(at, std::string::npos) << error;
      const std::uint32_t needed = static_cast<std::uint32_t>(std::stoul(error.substr(at + 6)));
      ASSERT_GT(needed, hardware.activation_sram.bytes) << error;
      hardware.activation_sram.bytes = needed;
      error = error_of(network, hardware);
    }
    expect_right(network, hardware);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetworks, ::testing::Range(0, 8));

// --- The checker itself -------------------------------------------------------------------------

// Taking any one pair of tokens away must show as a race in some interleaving.
TEST(TokenSimulator, FindsEveryMissingToken) {
  const network::IntegerNetwork network = workload::synthetic_network(
      {"resnet20", network::Arithmetic::adder, {1, 12, 12}, 10, 4, 4, 1, 1});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::adder);
  shrink(hardware, 4 * kib, 16 * kib, 1 * kib);
  const Program program = schedule(network, hardware);
  const std::vector<hw::Command> commands = commands_of(program);
  int removed = 0;
  int found = 0;
  for (int counter = 0; counter < 6; ++counter) {
    std::vector<std::size_t> signals;
    std::vector<std::size_t> waits;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if ((commands[i].signal >> counter) & 1) signals.push_back(i);
      if ((commands[i].wait >> counter) & 1) waits.push_back(i);
    }
    ASSERT_EQ(signals.size(), waits.size());
    for (std::size_t pair = 0; pair < signals.size(); pair += 5) {
      std::vector<hw::Command> changed = commands;
      const std::uint16_t mask = static_cast<std::uint16_t>(~(1u << counter));
      changed[signals[pair]].signal &= mask;
      changed[waits[pair]].wait &= mask;
      const Program broken = with_commands(program, changed);
      ++removed;
      test::TokenSimulator simulator(network, hardware, broken);
      for (const Interleaving& interleaving : interleavings()) {
        try {
          simulator.run(interleaving);
        } catch (const std::runtime_error&) {
          ++found;
          break;
        }
      }
    }
  }
  EXPECT_GT(removed, 20);
  EXPECT_EQ(found, removed);
}

TEST(TokenSimulator, FindsADeadlock) {
  const network::IntegerNetwork network =
      workload::synthetic_network({"lenet", network::Arithmetic::cnn, {1, 12, 12}, 10, 4, 4, 1, 1});
  const hw::HardwareConfig hardware = hardware_for(network::Arithmetic::cnn);
  Program program = schedule(network, hardware);
  std::vector<hw::Command> commands = commands_of(program);
  commands[0].wait = 1u << 9;
  program = with_commands(program, commands);
  test::TokenSimulator simulator(network, hardware, program);
  EXPECT_THAT([&] { simulator.run({}); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("deadlock")));
}

// --- Choices ------------------------------------------------------------------------------------

TEST(Schedule, PlacesEverythingAlignedAboveTheFirstPageAndApart) {
  const network::IntegerNetwork network = workload::synthetic_network({});
  const Program program = schedule(network, hardware_for(network::Arithmetic::adder));
  std::vector<TensorPlace> places;
  for (const std::optional<TensorPlace>& place : program.outputs) {
    if (place) places.push_back(*place);
  }
  places.push_back(program.input);
  places.push_back({program.image_address, program.dram_image.size()});
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_GE(places[i].address, 0x1000u);
    EXPECT_EQ(places[i].address % 64, 0u);
    EXPECT_LE(places[i].address + places[i].bytes, program.dram_bytes);
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_TRUE(places[i].address + places[i].bytes <= places[j].address ||
                  places[j].address + places[j].bytes <= places[i].address);
    }
  }
  EXPECT_EQ(program.scores.address, program.outputs.back()->address);
}

TEST(Schedule, CountsAResNetsTaps) {
  const network::IntegerNetwork network = workload::synthetic_network(
      {"resnet20", network::Arithmetic::adder, {3, 32, 32}, 10, 4, 4, 1, 1});
  const Program program = schedule(network, hardware_for(network::Arithmetic::adder));
  std::int64_t taps = 0;
  for (const LayerPlan& layer : program.layers) taps += layer.edge ? 0 : layer.taps;
  EXPECT_EQ(taps, 40'370'176) << "18 block convolutions and two 1x1 shortcuts";
}

TEST(Schedule, GivesEachColumnOfADepthwiseConvolutionARow) {
  const network::IntegerNetwork network = workload::synthetic_network(
      {"mobilenet-v2", network::Arithmetic::cnn, {3, 32, 32}, 10, 4, 4, 1, 1});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::cnn);
  hardware.array.rows = 12;
  hardware.array.columns = 24;
  hardware.array.dataflow = "output-stationary";
  const Program program = schedule(network, hardware);
  const std::size_t layer = 1;
  ASSERT_TRUE(network.layers[layer].depthwise);
  EXPECT_EQ(program.layers[layer].taps, 32 * 16 * 16 * 9);
  int commands = 0;
  for (const hw::Command& command : commands_of(program)) {
    if (command.opcode != hw::Opcode::convolve || command.layer != layer) continue;
    ++commands;
    EXPECT_EQ(command.convolve.depthwise, 1);
    EXPECT_LE(command.convolve.columns, 12);
    EXPECT_EQ(command.convolve.first_channel % 12, 0);
  }
  EXPECT_GE(commands, 3);
}

TEST(Schedule, FillsWeightsOnceWhereOneColumnTileServesSeveralSpatialTiles) {
  const network::IntegerNetwork network = workload::synthetic_network({});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::adder);
  hardware.activation_sram.bytes = 16 * kib;  // too few for whole tensors of the first blocks
  const Program program = schedule(network, hardware);
  std::vector<int> fills(network.layers.size(), 0);
  std::vector<int> tiles(network.layers.size(), 0);
  for (const hw::Command& command : commands_of(program)) {
    if (command.opcode != hw::Opcode::convolve) continue;
    ++tiles[command.layer];
    fills[command.layer] += command.convolve.keep_weights == 0;
  }
  EXPECT_GT(tiles[1], 1) << "the first block's layer overlaps load, compute and store";
  EXPECT_EQ(fills[1], 1);
  EXPECT_EQ(program.layers[1].output_tiles, tiles[1]);

  hardware.array.weights_per_pe = 8;  // less than kernel²: nothing to keep
  for (const hw::Command& command : commands_of(schedule(network, hardware))) {
    if (command.opcode == hw::Opcode::convolve && !command.convolve.edge_array &&
        command.convolve.kernel == 3) {
      EXPECT_EQ(command.convolve.keep_weights, 0);
    }
  }
}

TEST(Schedule, CutsColumnTilesByGroup) {
  workload::SyntheticOptions options;
  options.groups = 4;
  const network::IntegerNetwork network = workload::synthetic_network(options);
  for (const hw::Command& command :
       commands_of(schedule(network, hardware_for(network::Arithmetic::adder)))) {
    if (command.opcode != hw::Opcode::convolve || command.convolve.edge_array) continue;
    EXPECT_LT(command.convolve.columns, 16) << "16 channels in 4 groups share no tile";
    break;
  }
}

TEST(Schedule, PrefetchesTheNextLayersWeightsWhileALayerComputes) {
  const network::IntegerNetwork network = workload::synthetic_network({});
  const std::vector<hw::Command> commands =
      commands_of(schedule(network, hardware_for(network::Arithmetic::adder)));
  std::map<int, std::size_t> last_compute;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (commands[i].opcode == hw::Opcode::convolve) last_compute[commands[i].layer] = i;
  }
  std::set<int> prefetched;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const hw::Command& command = commands[i];
    const bool weights =
        command.opcode == hw::Opcode::load && command.transfer.memory == hw::OnChipMemory::weight;
    if (!weights || command.layer == 0) continue;
    // Behind the last command of the layer before, it must not wait for the compute unit.
    constexpr int compute_to_load = 1 << 1;
    if (i < last_compute[command.layer - 1] || (command.wait & compute_to_load) == 0) {
      prefetched.insert(command.layer);
    }
  }
  EXPECT_GE(prefetched.size(), 20u) << "of 21 convolutions behind the first";
}

TEST(Schedule, GivesTheSameBytesTwice) {
  const network::IntegerNetwork network = workload::synthetic_network({});
  const hw::HardwareConfig hardware = hardware_for(network::Arithmetic::adder);
  EXPECT_EQ(schedule(network, hardware).dram_image, schedule(network, hardware).dram_image);
}

// --- What does not fit --------------------------------------------------------------------------

TEST(ScheduleErrors, NameTheLayerAndTheKindOfProcessingElement) {
  const network::IntegerNetwork network = workload::synthetic_network({});
  EXPECT_THAT(error_of(network, hardware_for(network::Arithmetic::cnn)),
              AllOf(HasSubstr("layer1.0.conv1"), HasSubstr("adder"), HasSubstr("mac")));
}

TEST(ScheduleErrors, RefuseCnnLayersOnAnAdderArray) {
  workload::SyntheticOptions options;
  options.arithmetic = network::Arithmetic::cnn;
  EXPECT_THAT(
      error_of(workload::synthetic_network(options), hardware_for(network::Arithmetic::adder)),
      AllOf(HasSubstr("layer1.0.conv1"), HasSubstr("kind mac"), HasSubstr("kind adder")));
}

TEST(ScheduleErrors, NameOperandWidths) {
  workload::SyntheticOptions options;
  options.weight_bits = options.activation_bits = 6;
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::adder);
  hardware.array.weight_bits = 5;
  EXPECT_THAT(
      error_of(workload::synthetic_network(options), hardware),
      AllOf(HasSubstr("layer1.0.conv1"), HasSubstr("weights of 6 bits"), HasSubstr("at most 5")));
  hardware.array.weight_bits = 6;
  hardware.array.activation_bits = 4;
  EXPECT_THAT(error_of(workload::synthetic_network(options), hardware),
              AllOf(HasSubstr("activations of 6 bits"), HasSubstr("at most 4")));
}

TEST(ScheduleErrors, NameShiftLayersThatTheLanesCannotCompute) {
  workload::SyntheticOptions options;
  options.arithmetic = network::Arithmetic::shiftaddnet;
  const network::IntegerNetwork network = workload::synthetic_network(options);
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::shiftaddnet);
  hardware.array.fraction_bits = 5;
  EXPECT_THAT(error_of(network, hardware),
              AllOf(HasSubstr("layer1.0.conv1.shift"), HasSubstr("8 fraction bits"),
                    HasSubstr("at most 5")));
  hardware.array.fraction_bits = 8;
  hardware.array.kind = "shift";
  EXPECT_THAT(error_of(network, hardware), AllOf(HasSubstr("layer1.0.conv1.adder"),
                                                 HasSubstr("needs processing elements of kind "
                                                           "adder"),
                                                 HasSubstr("kind shift")));
  hardware.array.kind = "adder";
  EXPECT_THAT(error_of(network, hardware),
              AllOf(HasSubstr("layer1.0.conv1.shift"), HasSubstr("of kind shift")));
}

TEST(ScheduleErrors, NameTheDifferenceBetweenTheNetworksElementAndTheArrays) {
  workload::SyntheticOptions options;
  options.arithmetic = network::Arithmetic::table;
  options.element = test::product_element({4, true, 4, false});
  const network::IntegerNetwork network = workload::synthetic_network(options);
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::table);
  EXPECT_THAT(error_of(network, hardware),
              AllOf(HasSubstr("layer1.0.conv1"), HasSubstr("the PE array has none")));
  const auto error_with = [&](const hw::ElementTable& element) {
    hardware.array.element = std::make_shared<const hw::ElementTable>(element);
    return error_of(network, hardware);
  };
  EXPECT_EQ(error_with(*options.element), "no error");
  hw::ElementTable other = *options.element;
  other.name = "by another name";
  EXPECT_EQ(error_with(other), "no error");
  other.taps[static_cast<std::size_t>(5 * 16 + 7)] += 1;  // weight −3, activation 7
  EXPECT_THAT(error_with(other), AllOf(HasSubstr("a tap of -21 for weight -3 and activation 7"),
                                       HasSubstr("the PE array's, by another name, has -20")));
  EXPECT_THAT(error_with(test::product_element({4, true, 4, true})),
              AllOf(HasSubstr("activations of 4 unsigned bits"),
                    HasSubstr("activations of 4 signed bits")));
  other = *options.element;
  other.accumulate = -1;
  EXPECT_THAT(error_with(other), AllOf(HasSubstr("accumulate 1;"), HasSubstr("accumulate -1")));
}

TEST(ScheduleErrors, NameLayersWhoseExponentsTheLookupTableDoesNotHold) {
  workload::SyntheticOptions options;
  options.arithmetic = network::Arithmetic::post;
  options.weight_bits = options.activation_bits = 5;
  const network::IntegerNetwork network = workload::synthetic_network(options);
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::post);
  EXPECT_THAT(error_of(network, hardware),
              AllOf(HasSubstr("layer1.0.conv1"), HasSubstr("15 levels, of which 7 need"),
                    HasSubstr("entries for 4 odd exponents")));
  hardware.array.table.exponents = 7;
  hardware.array.table.fraction_bits = 6;
  EXPECT_THAT(error_of(network, hardware),
              AllOf(HasSubstr("7 fraction bits"), HasSubstr("entries have at most 6")));
  hardware.array.table.fraction_bits = 8;
  EXPECT_EQ(error_of(network, hardware), "no error");
}

TEST(ScheduleErrors, NameWhatTheStepAdapterCannotHold) {
  workload::SyntheticOptions options;
  options.arithmetic = network::Arithmetic::cnn;
  options.adapters = true;
  const network::IntegerNetwork network = workload::synthetic_network(options);
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::cnn);
  EXPECT_EQ(error_of(network, hardware), "no error");
  hardware.step_adapter.channels = 32;
  EXPECT_THAT(
      error_of(network, hardware),
      AllOf(HasSubstr("layer3.0.conv2"), HasSubstr("to 64 channels"), HasSubstr("at most 32")));
  hardware.step_adapter.channels = 512;
  hardware.step_adapter.hidden = 3;
  EXPECT_THAT(
      error_of(network, hardware),
      AllOf(HasSubstr("layer1.0.conv1"), HasSubstr("4 hidden values"), HasSubstr("at most 3")));
  hardware.step_adapter.hidden = 128;
  hardware.step_adapter.registers = 1;  // a block's shortcut reads what its first convolution reads
  EXPECT_THAT(
      error_of(network, hardware),
      AllOf(HasSubstr("layer2.0"), HasSubstr("needs a step register"), HasSubstr("all 1 of")));
}

TEST(ScheduleErrors, NameNeedAndCapacityOfEachMemory) {
  const network::IntegerNetwork network = workload::synthetic_network({});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::adder);
  hardware.activation_sram.bytes = 1000;
  EXPECT_THAT(error_of(network, hardware),
              AllOf(HasSubstr("conv1"), HasSubstr("activation SRAM"), HasSubstr("1000")));
  hardware = hardware_for(network::Arithmetic::adder);
  hardware.weight_sram.bytes = 70;
  EXPECT_THAT(error_of(network, hardware), AllOf(HasSubstr("conv1"), HasSubstr("80 bytes"),
                                                 HasSubstr("weight SRAM"), HasSubstr("70")));
  hardware = hardware_for(network::Arithmetic::adder);
  hardware.parameter_sram.bytes = 8;
  EXPECT_THAT(error_of(network, hardware), AllOf(HasSubstr("conv1"), HasSubstr("16 bytes"),
                                                 HasSubstr("parameter SRAM"), HasSubstr("has 8")));
  hardware = hardware_for(network::Arithmetic::adder);
  hardware.dram.bytes = 100'000;
  EXPECT_THAT(error_of(network, hardware), AllOf(HasSubstr("DRAM"), HasSubstr("100000")));
}

TEST(ScheduleErrors, RefuseAnInvalidNetworkAndAnArrayWithoutLanes) {
  network::IntegerNetwork network = workload::synthetic_network({});
  hw::HardwareConfig hardware = hardware_for(network::Arithmetic::adder);
  hardware.array.columns = 0;
  EXPECT_THAT(error_of(network, hardware), HasSubstr("0 columns"));
  network.layers[3].shift = 99;
  EXPECT_THAT(error_of(network, hardware_for(network::Arithmetic::adder)),
              AllOf(HasSubstr("shift"), HasSubstr("99")));
}

}  // namespace
}  // namespace abacus::schedule
