// How commands stand in DRAM: a stream of little-endian 32-bit words. Neighbouring commands of one
// opcode differ in little, so the sequencer keeps the last command of each opcode, and a command in the
// stream says what changes:
//
//   word 0   opcode (bits 0 … 7), reserved, layer (bits 16 … 31)
//   word 1   wait (bits 0 … 15), signal (bits 16 … 31)
//   word 2   bit i: word i of the command's 30 words of fields follows; else it is that of the last
//            command of this opcode (0 where the program had none yet)
//   then     the fields that change, from the lowest on
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tlm/command.hpp"

namespace abacus::hw {

inline constexpr std::size_t command_header_words = 3;
inline constexpr std::size_t command_field_words = sizeof(Command::bytes) / sizeof(std::uint32_t);
inline constexpr std::size_t most_command_words = command_header_words + command_field_words;

// The last command of each opcode, as sequencer and encoder keep it.
class CommandHistory {
 public:
  // Words that a command of this header takes.
  static std::size_t words_of(const std::uint32_t* header);

  // The command that stands at `words`, all words_of() of them.
  const Command& decode(const std::uint32_t* words);
  // Appends the command.
  void encode(const Command& command, std::vector<std::uint32_t>& stream);

  // As at a program's start.
  void forget() { last_ = {}; }

 private:
  static constexpr std::size_t opcodes = 8;
  // Opcodes that there are none of share place 0.
  Command& last(Opcode opcode) {
    const std::size_t number = static_cast<std::size_t>(opcode);
    return last_[number < opcodes ? number : 0];
  }
  std::array<Command, opcodes> last_{};
};

std::vector<std::uint32_t> encode_commands(const std::vector<Command>& commands);
// Of whole commands; what stands behind the last whole one is left out.
std::vector<Command> decode_commands(const std::vector<std::uint32_t>& stream);

}  // namespace abacus::hw
