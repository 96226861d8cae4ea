// Sequencer: the accelerator's control. Holds the registers (tlm/register_map.hpp), fetches the
// commands of a program, hands them to the units' queues in program order, and interrupts the host.
//
// Ports: registers, a target socket (address 0 is the first register; aligned accesses of 4 bytes
// only); fetcher().engine().socket, an initiator socket for the commands. Parameters: the fetch has
// the load DMA's burst_bytes and outstanding. Time: one clock cycle for each command handed over;
// waits where a unit's queue is full or commands have not arrived; one cycle for each register
// access. The cycle counter runs from the doorbell to the interrupt. Program end: at `finish`, when
// its tokens are there and all units are idle. At a command that cannot be carried out (unknown
// opcode, refused by its unit, not readable, missing finish, or tokens that nobody can raise any
// more) the remaining commands are dropped, the units' current ones end, and status_error is set
// with the command's index (of the first where there are several).
// Writing while busy to anything but interrupt_clear, or to a register that only reads, is a
// TLM_COMMAND_ERROR_RESPONSE.
// Counts: a register write of 32 bits for each word of the command stream, a register read of a
// command's 1024 bits for each; leakage and the clocks of all blocks between doorbell and end
// (models/blocks/block_activity.hpp).
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <systemc>

#include "models/context.hpp"
#include "models/execution/execution_unit.hpp"
#include "models/execution/token_counters.hpp"
#include "models/sequencer/command_fetcher.hpp"
#include "models/sequencer/interrupt_line.hpp"

namespace abacus::models {

class Sequencer : public sc_core::sc_module {
 public:
  Sequencer(const sc_core::sc_module_name& name, const hw::HardwareConfig& config, Context& context,
            TokenCounters& tokens, InterruptLine& interrupt, ExecutionUnit& load,
            ExecutionUnit& compute, ExecutionUnit& store);

  tlm_utils::simple_target_socket<Sequencer> registers{"registers"};
  CommandFetcher& fetcher() { return fetcher_; }

  // Between doorbell and interrupt.
  const bool& busy() const { return busy_; }

  // Why the last program ended with status_error; empty where it did not.
  const std::string& error_message() const { return error_message_; }

 private:
  void run();
  void run_program();
  void dispatch_all();
  bool dispatch(const hw::Command& command, std::uint32_t index);
  bool finish(const hw::Command& command, std::uint32_t index);
  template <class Condition>
  bool wait_until(Condition condition, std::uint32_t index);
  bool step_units();
  void fail(std::uint32_t index, const std::string& message);
  bool collect_failures();
  void end_program();
  void count_blocks();
  // Ascribes the time since the last one, up to now.
  void spent(Cause cause, int layer);

  void access(tlm::tlm_generic_payload& transaction, const sc_core::sc_time& delay);
  bool read_register(std::uint64_t offset, std::uint32_t& value) const;
  bool write_register(std::uint64_t offset, std::uint32_t value, const sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport(tlm::tlm_generic_payload& transaction, tlm::tlm_phase& phase,
                                  sc_core::sc_time& delay);
  void b_transport(tlm::tlm_generic_payload& transaction, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& transaction);

  const hw::HardwareConfig config_;
  Context& context_;
  TokenCounters& tokens_;
  InterruptLine& interrupt_;
  std::array<ExecutionUnit*, 3> units_;  // load, compute, store
  CommandFetcher fetcher_;

  std::uint64_t program_address_ = 0;
  std::uint32_t program_length_ = 0;
  bool busy_ = false;
  bool done_ = false;
  bool error_ = false;
  std::uint32_t error_command_ = 0;
  std::string error_message_;
  std::uint64_t cycles_ = 0;
  std::uint64_t saturations_ = 0;

  sc_core::sc_time started_;
  sc_core::sc_time accounted_;  // until then
  std::int64_t saturations_before_ = 0;
  sc_core::sc_event doorbell_{"doorbell"};
  sc_core::sc_event_or_list progress_;  // of any unit, and of the tokens
};

}  // namespace abacus::models
