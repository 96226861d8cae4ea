// Tokens, queues and the sequencer, with execution units that only wait.
#include "models/sequencer/sequencer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/memory/dram.hpp"
#include "tlm/bus.hpp"
#include "tlm/command_stream.hpp"
#include "tlm/register_map.hpp"

namespace abacus::models {
namespace {

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_ZERO_TIME;

TEST(TokenCounters, TakeAllOrNothing) {
  TokenCounters tokens;
  tokens.raise(0b0001, Unit::load);
  EXPECT_FALSE(tokens.take(0b0011));
  EXPECT_EQ(tokens.count(0), 1);
  tokens.raise(0x8002, Unit::store);
  EXPECT_TRUE(tokens.take(0b0011));
  EXPECT_EQ(tokens.count(0), 0);
  EXPECT_EQ(tokens.count(1), 0);
  EXPECT_EQ(tokens.count(15), 1);
  EXPECT_TRUE(tokens.take(0));
  tokens.reset();
  EXPECT_FALSE(tokens.available(0x8000));
}

// Executes every command in `shift` cycles (a field of VectorFields); refuses those with relu set.
struct WaitingUnit : ExecutionUnit {
  WaitingUnit(const sc_core::sc_module_name& name, Context& shared, TokenCounters& tokens,
              int depth, Unit row)
      : ExecutionUnit(name, shared, tokens, depth, row), row_(row) {}
  struct Execution {
    int id;
    sc_time start;
  };
  std::vector<Execution> executions;
  std::vector<int>* order = nullptr;

 private:
  void execute(const hw::Command& command) override {
    if (command.vector.relu != 0) throw CommandError("relu is not for waiting");
    executions.push_back({command.vector.height, sc_time_stamp()});
    if (order != nullptr) order->push_back(command.vector.height);
    if (context().timed()) wait(context().cycles(command.vector.shift));
  }
  Unit unit_of(const hw::Command&) const override { return row_; }
  Unit row_;
};

hw::Command make(hw::Opcode opcode, int id = 0, int cycles = 0, std::uint16_t wait = 0,
                 std::uint16_t signal = 0) {
  hw::Command command{};
  command.opcode = opcode;
  command.layer = 2;
  command.wait = wait;
  command.signal = signal;
  command.vector.height = static_cast<std::uint16_t>(id);
  command.vector.shift = static_cast<std::uint8_t>(cycles);
  return command;
}

// Sequencer with three waiting units; the commands stand at address 0 of a memory that answers at
// once. The test's thread is the host.
struct Machine : sc_core::sc_module {
  Machine(const sc_core::sc_module_name& name, hw::TimingLevel level, int depth)
      : sc_module(name),
        context(hardware(depth), level),
        dram("dram", hw::DramConfig{}, context),
        load("load", context, tokens, depth, Unit::load),
        compute("compute", context, tokens, depth, Unit::compute_vector),
        store("store", context, tokens, depth, Unit::store),
        sequencer("sequencer", hardware(depth), context, tokens, interrupt, load, compute, store),
        bus("bus", hw::BusConfig{}, context.cycle(), {"fetch"},
            {{"dram", 0, hw::DramConfig{}.bytes}}) {
    sequencer.fetcher().engine().socket.bind(bus.from(0));
    bus.to(0).bind(dram.socket);
    registers.bind(sequencer.registers);
    load.order = compute.order = store.order = &order;
    SC_HAS_PROCESS(Machine);
    SC_THREAD(host);
  }
  static hw::HardwareConfig hardware(int depth) {
    hw::HardwareConfig config;
    config.command_queue = depth;
    return config;
  }

  Context context;
  TokenCounters tokens;
  InterruptLine interrupt;
  Dram dram;
  WaitingUnit load, compute, store;
  Sequencer sequencer;
  hw::Bus bus;
  tlm_utils::simple_initiator_socket<Machine> registers{"registers_port"};
  std::vector<int> order;  // of the starts of all units
  std::vector<hw::Command> program;
  std::vector<std::uint32_t> stream;  // where it is not the program's
  std::uint64_t program_address = 0;  // where the sequencer is told to look
  int rounds = 1;
  std::function<void()> script;  // instead of running the program
  bool ended = false;
  std::uint32_t status = 0;
  std::uint64_t cycles = 0;

  tlm::tlm_response_status access(tlm::tlm_command command, std::uint32_t offset,
                                  std::uint32_t& value, unsigned bytes = 4) {
    tlm::tlm_generic_payload t;
    t.set_command(command);
    t.set_address(offset);
    t.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    t.set_data_length(bytes);
    t.set_streaming_width(bytes);
    sc_time delay = context.cycle();
    if (context.timed()) {
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      EXPECT_EQ(registers->nb_transport_fw(t, phase, delay), tlm::TLM_COMPLETED);
    } else {
      registers->b_transport(t, delay);
    }
    return t.get_response_status();
  }
  void write(std::uint32_t offset, std::uint32_t value) {
    EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, offset, value), tlm::TLM_OK_RESPONSE);
  }
  std::uint32_t read(std::uint32_t offset) {
    std::uint32_t value = 0;
    EXPECT_EQ(access(tlm::TLM_READ_COMMAND, offset, value), tlm::TLM_OK_RESPONSE);
    return value;
  }
  void host() {
    if (script) {
      script();
      ended = true;
      return;
    }
    if (stream.empty()) stream = hw::encode_commands(program);
    dram.poke(0, reinterpret_cast<const std::uint8_t*>(stream.data()),
              stream.size() * sizeof(std::uint32_t));
    for (int round = 0; round < rounds; ++round) {
      write(hw::register_map::program_address_low, static_cast<std::uint32_t>(program_address));
      write(hw::register_map::program_address_high,
            static_cast<std::uint32_t>(program_address >> 32));
      write(hw::register_map::program_length, static_cast<std::uint32_t>(stream.size()));
      write(hw::register_map::doorbell, 1);
      while (!interrupt.level()) wait(interrupt.raised());
      status = read(hw::register_map::status);
      cycles = read(hw::register_map::cycles_low);
      write(hw::register_map::interrupt_clear, 1);
    }
    ended = true;
  }
  void run() {
    sc_core::sc_start();
    ASSERT_TRUE(ended) << "the interrupt never came";
  }
  sc_time start(const WaitingUnit& unit, std::size_t i) { return unit.executions.at(i).start; }
};

constexpr std::uint32_t done = hw::register_map::status_done;
constexpr std::uint32_t error = hw::register_map::status_error;

class SequencerAtBothLevels : public ::testing::TestWithParam<hw::TimingLevel> {};
INSTANTIATE_TEST_SUITE_P(Levels, SequencerAtBothLevels,
                         ::testing::Values(hw::TimingLevel::functional,
                                           hw::TimingLevel::approximate));

TEST_P(SequencerAtBothLevels, UnitsWaitForTokens) {
  Machine machine("machine", GetParam(), 8);
  // store 3 waits for compute 2, which waits for load 1.
  machine.program = {make(hw::Opcode::store, 3, 5, 0b10, 0),
                     make(hw::Opcode::add, 2, 5, 0b01, 0b10),
                     make(hw::Opcode::load, 1, 50, 0, 0b01), make(hw::Opcode::finish)};
  machine.run();
  EXPECT_EQ(machine.order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(machine.status, done);
}

TEST_P(SequencerAtBothLevels, MoreCommandsThanTheQueueHolds) {
  Machine machine("machine", GetParam(), 2);
  std::vector<int> expected;
  for (int i = 0; i < 50; ++i) {
    machine.program.push_back(make(hw::Opcode::load, i, 3));
    expected.push_back(i);
  }
  machine.program.push_back(make(hw::Opcode::finish));
  machine.rounds = 2;
  machine.run();
  expected.insert(expected.end(), expected.begin(), expected.end());
  EXPECT_EQ(machine.order, expected);
}

TEST_P(SequencerAtBothLevels, FinishWaitsForItsTokens) {
  Machine machine("machine", GetParam(), 8);
  machine.program = {make(hw::Opcode::pool, 1, 5, 0, 0b100), make(hw::Opcode::finish, 0, 0, 0b100)};
  machine.run();
  EXPECT_EQ(machine.status, done);
  EXPECT_EQ(machine.tokens.count(2), 0);
}

TEST_P(SequencerAtBothLevels, TokensDoNotSurviveTheDoorbell) {
  Machine machine("machine", GetParam(), 8);
  machine.program = {make(hw::Opcode::load, 1, 5, 0, 0b1), make(hw::Opcode::finish)};
  machine.rounds = 2;
  machine.run();
  EXPECT_EQ(machine.tokens.count(0), 1);
}

TEST_P(SequencerAtBothLevels, UnknownOpcodeEndsTheProgram) {
  Machine machine("machine", GetParam(), 8);
  machine.program = {make(hw::Opcode::load, 1), make(static_cast<hw::Opcode>(77)),
                     make(hw::Opcode::load, 2), make(hw::Opcode::finish)};
  machine.run();
  EXPECT_EQ(machine.status, done | error);
  EXPECT_EQ(machine.read(hw::register_map::error_command), 1u);
  EXPECT_THAT(machine.sequencer.error_message(), ::testing::HasSubstr("77"));
  for (const auto& execution : machine.load.executions) EXPECT_NE(execution.id, 2);
}

TEST_P(SequencerAtBothLevels, RefusedCommandEndsTheProgram) {
  Machine machine("machine", GetParam(), 8);
  machine.program.push_back(make(hw::Opcode::load, 1, 50, 0, 0b1));
  machine.program.push_back(make(hw::Opcode::add, 2, 5, 0b1, 0b1));
  machine.program.back().vector.relu = 1;
  machine.program.push_back(make(hw::Opcode::add, 3, 5, 0b1));  // never gets its token
  machine.program.push_back(make(hw::Opcode::finish));
  machine.rounds = 2;  // and the machine works again after it
  machine.run();
  EXPECT_EQ(machine.status, done | error);
  EXPECT_EQ(machine.read(hw::register_map::error_command), 1u);
  EXPECT_EQ(machine.sequencer.error_message(), "command 1: relu is not for waiting");
  EXPECT_EQ(machine.order, (std::vector<int>{1, 1}));
}

TEST_P(SequencerAtBothLevels, TokensThatNobodyRaisesAreAnError) {
  Machine machine("machine", GetParam(), 2);
  machine.program = {make(hw::Opcode::load, 1, 5),          make(hw::Opcode::store, 2, 5, 0b1),
                     make(hw::Opcode::store, 3, 5),         make(hw::Opcode::store, 4, 5),
                     make(hw::Opcode::store, 5, 5, 0, 0b1), make(hw::Opcode::finish)};
  machine.run();
  EXPECT_EQ(machine.status, done | error);
  EXPECT_EQ(machine.read(hw::register_map::error_command), 1u);
}

TEST_P(SequencerAtBothLevels, FinishWithoutItsTokenIsAnError) {
  Machine machine("machine", GetParam(), 2);
  machine.program = {make(hw::Opcode::load, 1, 5), make(hw::Opcode::finish, 0, 0, 0b1)};
  machine.run();
  EXPECT_EQ(machine.status, done | error);
  EXPECT_EQ(machine.read(hw::register_map::error_command), 1u);
}

TEST_P(SequencerAtBothLevels, MissingFinishIsAnError) {
  Machine machine("machine", GetParam(), 2);
  machine.program = {make(hw::Opcode::load, 1, 5)};
  machine.run();
  EXPECT_EQ(machine.status, done | error);
  EXPECT_EQ(machine.read(hw::register_map::error_command), 1u);
  EXPECT_THAT(machine.sequencer.error_message(), ::testing::HasSubstr("finish"));
}

TEST_P(SequencerAtBothLevels, AProgramThatEndsInsideACommandIsAnError) {
  Machine machine("machine", GetParam(), 2);
  machine.stream =
      hw::encode_commands({make(hw::Opcode::load, 1, 5), make(hw::Opcode::load, 2, 6)});
  machine.stream.pop_back();
  machine.run();
  EXPECT_EQ(machine.status, done | error);
  EXPECT_EQ(machine.read(hw::register_map::error_command), 1u);
  EXPECT_THAT(machine.sequencer.error_message(), ::testing::HasSubstr("inside"));
}

TEST_P(SequencerAtBothLevels, UnreadableProgramIsAnError) {
  Machine machine("machine", GetParam(), 2);
  machine.program = {make(hw::Opcode::finish)};
  machine.program_address = 0x1'FFFF'FF00;
  machine.run();
  EXPECT_EQ(machine.read(hw::register_map::program_address_low), 0xFFFF'FF00u);
  EXPECT_EQ(machine.read(hw::register_map::program_address_high), 0x1u);
  EXPECT_EQ(machine.status, done | error);
  EXPECT_EQ(machine.read(hw::register_map::error_command), 0u);
}

TEST(Sequencer, UnitsRunSideBySide) {
  Machine machine("machine", hw::TimingLevel::approximate, 8);
  machine.program = {make(hw::Opcode::load, 1, 200), make(hw::Opcode::add, 2, 200),
                     make(hw::Opcode::store, 3, 200), make(hw::Opcode::finish)};
  machine.run();
  EXPECT_LT(machine.cycles, 300u);
  EXPECT_GE(machine.cycles, 200u);
  ASSERT_EQ(machine.context.timeline.size(), 3u);
  const TimelineEntry& entry = machine.context.timeline[1];
  EXPECT_EQ(entry.unit, Unit::compute_vector);
  EXPECT_EQ(entry.layer, 2);
  EXPECT_EQ(entry.end - entry.start, machine.context.cycles(200));
  // Clocks run in those 200 cycles, and are gated in all others of the program.
  const auto& counts = machine.context.activity.counts();
  const auto cycles = static_cast<std::int64_t>(machine.cycles);
  const auto of = [&](Component component, Action action) {
    std::map<int, std::int64_t> by_bits;
    for (const auto& [key, count] : counts) {
      if (key.component == component && key.action == action) by_bits[key.bits_a] += count;
    }
    return by_bits;
  };
  const int vector_bits = 16 * 48;
  EXPECT_EQ(of(Component::vector_unit, Action::clock_cycle),
            (std::map<int, std::int64_t>{{vector_bits, 200}}));
  EXPECT_EQ(of(Component::vector_unit, Action::idle_cycle),
            (std::map<int, std::int64_t>{{vector_bits, cycles - 200}}));
  EXPECT_TRUE(of(Component::pe_array, Action::clock_cycle).empty());
  EXPECT_EQ(of(Component::pe_array, Action::idle_cycle).begin()->second, cycles);
  // Both DMA units, each with a register as wide as the bus.
  EXPECT_EQ(of(Component::dma, Action::idle_cycle),
            (std::map<int, std::int64_t>{{64, 2 * (cycles - 200)}}));
  // The sequencer works all the time, and everything leaks: 2.5 ns a cycle.
  EXPECT_EQ(of(Component::sequencer, Action::clock_cycle).begin()->second, cycles);
  for (const Component component :
       {Component::activation_sram, Component::pe_array, Component::scale_unit, Component::bus}) {
    EXPECT_EQ(of(component, Action::leakage).at(0), (5 * cycles + 1) / 2) << to_string(component);
  }
}

TEST(Sequencer, ACommandStartsWhenItsTokensAreThere) {
  Machine machine("machine", hw::TimingLevel::approximate, 8);
  machine.program = {make(hw::Opcode::load, 1, 100, 0, 0b1), make(hw::Opcode::add, 2, 10, 0b1),
                     make(hw::Opcode::finish)};
  machine.run();
  EXPECT_EQ(machine.start(machine.compute, 0),
            machine.start(machine.load, 0) + machine.context.cycles(100));
}

TEST(Sequencer, RegistersRefuseWhatTheyCannot) {
  Machine machine("machine", hw::TimingLevel::functional, 2);
  machine.script = [&machine] {
    std::uint32_t value = 1;
    EXPECT_EQ(machine.read(hw::register_map::identification),
              hw::register_map::identification_value);
    EXPECT_EQ(machine.access(tlm::TLM_WRITE_COMMAND, hw::register_map::identification, value),
              tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(machine.access(tlm::TLM_READ_COMMAND, 0x24, value), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(machine.access(tlm::TLM_READ_COMMAND, hw::register_map::status, value, 2),
              tlm::TLM_BURST_ERROR_RESPONSE);
    EXPECT_EQ(machine.access(tlm::TLM_READ_COMMAND, hw::register_map::status + 2, value),
              tlm::TLM_BURST_ERROR_RESPONSE);
    machine.write(hw::register_map::doorbell, 1);
    EXPECT_EQ(machine.read(hw::register_map::status), hw::register_map::status_busy);
    EXPECT_EQ(machine.access(tlm::TLM_WRITE_COMMAND, hw::register_map::program_length, value),
              tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(machine.access(tlm::TLM_WRITE_COMMAND, hw::register_map::doorbell, value),
              tlm::TLM_COMMAND_ERROR_RESPONSE);
  };
  machine.run();
}

}  // namespace
}  // namespace abacus::models
