// Executes a program's command stream without time and without arithmetic, in any interleaving of
// the three units that the tokens permit, and follows every byte's identity instead of its value,
// wherever tensors stand.
// It judges a schedule by the meaning of the commands (tlm/command.hpp) and by the network, and
// uses nothing of the scheduler's.
//
// A command that runs has its inputs checked when it starts and again when it ends, and its outputs
// count as unreadable in between, so that a missing token shows as a wrong or unreadable byte.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/program.hpp"
#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::test {

// What happens first where several things can happen.
struct Interleaving {
  // Units 0 load, 1 compute, 2 store: the lower number goes first.
  std::array<int, 3> rank{0, 0, 0};
  bool linger = false;     // commands end only when nothing else can happen
  std::uint64_t seed = 0;  // among equals
};

class TokenSimulator {
 public:
  TokenSimulator(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
                 const schedule::Program& program);

  // Throws std::runtime_error saying which command found what, for a deadlock, a read of bytes that
  // are not the ones it needs, a counter above 0 at the end, an output that was never computed, an
  // output tile that is not where the program says, or scores that are not stored.
  void run(const Interleaving& interleaving);

 private:
  using Tag = std::uint64_t;  // identity of a byte's content
  struct Unit {
    std::deque<std::size_t> queue;
    bool executing = false;
  };
  struct Event {
    enum class Kind { dispatch, start, end } kind;
    std::size_t unit;
    int rank;
  };

  void reset();
  std::vector<Event> possible_events(const Interleaving& interleaving) const;
  void perform(const Event& event);
  bool tokens_there(std::uint16_t mask) const;
  void take_tokens(std::uint16_t mask);

  // Both ends of a command's execution; `ending` as well publishes its outputs.
  void touch(std::size_t index, bool ending);
  void touch_load(const hw::TransferFields& f, bool ending);
  void touch_store(const hw::TransferFields& f, bool ending);
  void touch_convolve(const hw::Command& command, bool ending);
  void touch_adapt(const hw::Command& command) const;
  void touch_vector(const hw::Command& command, bool ending);

  void check_convolve_fields(const hw::ConvolveFields& f, const network::IntegerLayer& layer) const;
  void check_operand_rows(int tensor, int first_row, int end_row, std::uint32_t address,
                          int row_at_address) const;
  void check_residual(const hw::ConvolveFields& f, const network::IntegerLayer& layer,
                      const std::vector<std::uint64_t>& signatures) const;
  // Signatures of a convolution tile's columns from the bytes that stand in the SRAMs.
  std::vector<std::uint64_t> column_signatures(const hw::ConvolveFields& f, int layer);
  std::uint64_t signature_of(const network::IntegerLayer& layer, int channel) const;
  // The activation SRAM holds what the command's output tile (Program::tiles) says.
  void check_tile(std::size_t command);
  std::vector<Tag> content_of(int tensor) const;
  const std::vector<Tag>& content(int tensor) const {
    return contents_[static_cast<std::size_t>(tensor + 1)];
  }
  Tag expected_tag(std::uint64_t dram_address) const;
  [[noreturn]] void fail(const std::string& what) const;

  const network::IntegerNetwork& network_;
  hw::HardwareConfig hardware_;
  const schedule::Program& program_;
  std::vector<hw::Command> commands_;
  std::vector<std::vector<std::uint64_t>> channel_signatures_;  // by layer and channel
  std::map<std::pair<int, std::vector<std::uint64_t>>, std::vector<std::uint64_t>> decoded_;

  std::vector<std::vector<Tag>> contents_;  // of each tensor's bytes, the image's first

  std::array<std::vector<Tag>, 3> sram_;     // by OnChipMemory
  std::vector<Tag> dram_;                    // by address; of the program's image, the address
  std::vector<std::vector<char>> computed_;  // by layer: elements of its output
  std::array<Unit, 3> units_;
  std::array<int, hw::token_counters> counters_{};
  std::size_t next_ = 0;  // command to be dispatched
  bool finished_ = false;
  std::array<Tag, 2> last_weights_{};  // of the PE array, of the edge array
  std::size_t current_ = 0;            // command whose bytes are looked at, for messages
};

}  // namespace abacus::test
