#include "tlm/command_stream.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace abacus::hw {
namespace {

Command load(std::uint64_t dram, std::uint32_t onchip, std::uint32_t bytes) {
  Command command{};
  command.opcode = Opcode::load;
  command.layer = 3;
  command.transfer.dram_address = dram;
  command.transfer.onchip_address = onchip;
  command.transfer.row_bytes = bytes;
  command.transfer.rows = 1;
  return command;
}

TEST(CommandStream, HoldsWhatChangesOfTheLastCommandOfTheOpcode) {
  const Command first = load(0x1000, 64, 256);
  const Command second = load(0x2000, 64, 256);
  Command between{};
  between.opcode = Opcode::pool;
  between.vector.height = 7;
  Command finish{};
  finish.opcode = Opcode::finish;
  finish.layer = no_layer;
  finish.wait = 0x80;
  const std::vector<std::uint32_t> stream = encode_commands({first, between, second, finish});
  ASSERT_EQ(stream.size(), 7u + 4u + 4u + 3u);
  EXPECT_EQ(stream[0], 0x0003'0001u) << "layer, opcode";
  EXPECT_EQ(stream[2], 0b11101u) << "the DRAM address's upper half is 0";
  EXPECT_EQ(stream[3], 0x1000u);
  EXPECT_EQ(stream[7 + 4 + 2], 0b1u);
  EXPECT_EQ(stream[7 + 4 + 3], 0x2000u);
  EXPECT_EQ(stream[7 + 4 + 4 + 1], 0x80u) << "signal, wait";
}

TEST(CommandStream, GivesEveryCommandBack) {
  std::mt19937 random(7);
  std::vector<Command> commands;
  for (int i = 0; i < 2000; ++i) {
    Command command{};
    if (!commands.empty() && random() % 4 != 0) command = commands[random() % commands.size()];
    // Some bytes anew, the header's too: any opcode, even none.
    std::uint8_t bytes[sizeof command];
    std::memcpy(bytes, &command, sizeof command);
    for (auto k = random() % 6; k > 0; --k) {
      bytes[random() % sizeof command] = static_cast<std::uint8_t>(random());
    }
    std::memcpy(&command, bytes, sizeof command);
    commands.push_back(command);
  }
  const std::vector<std::uint32_t> stream = encode_commands(commands);
  const std::vector<Command> decoded = decode_commands(stream);
  ASSERT_EQ(decoded.size(), commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    EXPECT_EQ(std::memcmp(&decoded[i], &commands[i], sizeof(Command)), 0) << i;
  }
  EXPECT_LT(stream.size() * sizeof(std::uint32_t), commands.size() * sizeof(Command));
}

TEST(CommandStream, LeavesOutACommandThatIsCutShort) {
  std::vector<std::uint32_t> stream = encode_commands({load(1, 2, 3), load(4, 5, 6)});
  for (int words = 0; words < 4; ++words) {
    stream.pop_back();
    EXPECT_EQ(decode_commands(stream).size(), 1u);
  }
}

}  // namespace
}  // namespace abacus::hw
