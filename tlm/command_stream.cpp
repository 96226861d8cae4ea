#include "tlm/command_stream.hpp"

#include <cstring>

namespace abacus::hw {
namespace {

constexpr std::size_t header_bytes = sizeof(Command) - sizeof(Command::bytes);
static_assert(header_bytes == 2 * sizeof(std::uint32_t));
static_assert(command_field_words <= 32, "a bit of the mask each");

using Fields = std::array<std::uint32_t, command_field_words>;

Fields fields_of(const Command& command) {
  Fields fields;
  std::memcpy(fields.data(), command.bytes, sizeof command.bytes);
  return fields;
}

}  // namespace

std::size_t CommandHistory::words_of(const std::uint32_t* header) {
  std::size_t words = command_header_words;
  for (std::size_t i = 0; i < command_field_words; ++i) words += header[2] >> i & 1u;
  return words;
}

const Command& CommandHistory::decode(const std::uint32_t* words) {
  Command header;
  std::memcpy(&header, words, header_bytes);
  Command& command = last(header.opcode);
  std::memcpy(&command, words, header_bytes);
  std::size_t next = command_header_words;
  for (std::size_t i = 0; i < command_field_words; ++i) {
    if ((words[2] >> i & 1u) == 0) continue;
    std::memcpy(command.bytes + i * sizeof(std::uint32_t), &words[next++], sizeof(std::uint32_t));
  }
  return command;
}

void CommandHistory::encode(const Command& command, std::vector<std::uint32_t>& stream) {
  Command& before = last(command.opcode);
  const Fields old_fields = fields_of(before);
  const Fields new_fields = fields_of(command);
  std::array<std::uint32_t, 2> header;
  std::memcpy(header.data(), &command, header_bytes);
  stream.insert(stream.end(), header.begin(), header.end());
  const std::size_t mask = stream.size();
  stream.push_back(0);
  for (std::size_t i = 0; i < command_field_words; ++i) {
    if (new_fields[i] == old_fields[i]) continue;
    stream[mask] |= std::uint32_t{1} << i;
    stream.push_back(new_fields[i]);
  }
  before = command;
}

std::vector<std::uint32_t> encode_commands(const std::vector<Command>& commands) {
  CommandHistory history;
  std::vector<std::uint32_t> stream;
  for (const Command& command : commands) history.encode(command, stream);
  return stream;
}

std::vector<Command> decode_commands(const std::vector<std::uint32_t>& stream) {
  CommandHistory history;
  std::vector<Command> commands;
  std::size_t at = 0;
  while (at + command_header_words <= stream.size()) {
    const std::size_t words = CommandHistory::words_of(stream.data() + at);
    if (at + words > stream.size()) break;
    commands.push_back(history.decode(stream.data() + at));
    at += words;
  }
  return commands;
}

}  // namespace abacus::hw
