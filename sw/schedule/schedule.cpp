#include <cstring>
#include <vector>

#include "sw/schedule/hardware_check.hpp"
#include "sw/schedule/program.hpp"
#include "sw/schedule/search.hpp"
#include "tlm/command_stream.hpp"

namespace abacus::schedule {

std::vector<hw::Command> commands_of(const Program& program) {
  std::vector<std::uint32_t> words(program.command_words);
  std::memcpy(words.data(),
              program.dram_image.data() + (program.command_address - program.image_address),
              words.size() * sizeof(std::uint32_t));
  return hw::decode_commands(words);
}

Program schedule(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware) {
  network::validate(network, "integer network");
  check_hardware(network, hardware);
  return search_program(network, hardware);
}

}  // namespace abacus::schedule
