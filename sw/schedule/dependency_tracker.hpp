// Works out the tokens. Commands are added in an order in which executing them one by one would be
// right; the tracker finds which command of another unit each one must wait for (data it reads, a
// buffer it overwrites) and sets the wait and signal bits.
//
// Each ordered pair of units has a counter of its own. Units execute in order, so waiting for a
// command means waiting for all before it in its unit: a pair's waits name ever later commands, its
// i-th wait meets its i-th signal, and every counter ends at 0. A command waits only for commands
// added before it, so no order of execution can deadlock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sw/schedule/address_space.hpp"
#include "tlm/command.hpp"

namespace abacus::schedule {

inline constexpr int load_to_compute = 0;
inline constexpr int compute_to_load = 1;
inline constexpr int compute_to_store = 2;
inline constexpr int store_to_compute = 3;
inline constexpr int store_to_load = 4;
inline constexpr int load_to_store = 5;
inline constexpr int program_done = 7;  // last store → finish

enum class CommandUnit { load = 0, compute = 1, store = 2 };

struct MemoryAccess {
  enum class Memory { dram, activation, weight, parameter };
  Memory memory = Memory::dram;
  AddressRange range;
  bool write = false;
};

class DependencyTracker {
 public:
  // Appends the command to the stream, with its tokens.
  void add(CommandUnit unit, hw::Command command, const std::vector<MemoryAccess>& accesses);

  // Ends the stream with a finish command that waits for the last store.
  void add_finish();

  const std::vector<hw::Command>& commands() const { return commands_; }

 private:
  static constexpr std::size_t units = 3;
  // Number of each unit's commands known to have ended.
  using Progress = std::array<int, units>;
  struct Record {
    MemoryAccess access;
    std::size_t unit;
    int number;  // of its command in its unit, from 1
  };

  bool implied(std::size_t other, const Progress& needed) const;
  void wait_for(std::size_t unit, std::size_t other, int number, hw::Command& command);
  void forget_settled();

  std::vector<hw::Command> commands_;
  std::array<std::vector<std::size_t>, units> positions_;  // in commands_, by unit and number − 1
  std::array<std::vector<Progress>, units> known_;  // when the unit's command starts, likewise
  std::array<std::vector<Record>, 4> records_;      // by memory
};

}  // namespace abacus::schedule
