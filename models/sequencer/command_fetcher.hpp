// Reads a program's command stream (tlm/command_stream.hpp) from DRAM ahead of its use, two buffers
// of 512 bytes, one in use, the other being filled, and puts its commands together.
//
// Ports: engine().socket, to the bus.
// Time: bus reads, as many at once as its burst engine allows; next() waits where the words are
// not there yet.
#pragma once

#include <array>
#include <cstdint>
#include <systemc>

#include "models/dma/burst_engine.hpp"
#include "tlm/command_stream.hpp"

namespace abacus::models {

class CommandFetcher : public sc_core::sc_module {
 public:
  CommandFetcher(const sc_core::sc_module_name& name, const hw::DmaConfig& config,
                 Context& context);

  BurstEngine& engine() { return engine_; }

  // Begins to fetch the stream of `words` words that stands at `address`.
  void begin(std::uint64_t address, std::uint32_t words);

  enum class Answer {
    command,
    end,        // of the stream
    cut_short,  // it ends inside a command
    bus_error
  };
  // Goes on to the next command. Called from an SC_THREAD.
  Answer next();
  // Valid until next() is called again.
  const hw::Command& command() const { return *command_; }
  // Words of the stream that it took.
  std::size_t command_words() const { return command_words_; }
  // Waits until nothing is under way any more.
  void end();

 private:
  static constexpr std::uint32_t words_per_buffer = 128;
  using Buffer = std::array<std::uint32_t, words_per_buffer>;
  void fetch();
  bool take(std::uint32_t& word);

  BurstEngine engine_;
  std::array<Buffer, 2> buffers_{};
  hw::CommandHistory history_;
  const hw::Command* command_ = nullptr;
  std::size_t command_words_ = 0;
  std::uint64_t address_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t requested_ = 0;
  std::uint32_t used_ = 0;
};

}  // namespace abacus::models
