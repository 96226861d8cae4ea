#include "models/sequencer/sequencer.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "models/blocks/block_activity.hpp"
#include "tlm/register_map.hpp"

namespace abacus::models {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

Sequencer::Sequencer(const sc_core::sc_module_name& name, const hw::HardwareConfig& config,
                     Context& context, TokenCounters& tokens, InterruptLine& interrupt,
                     ExecutionUnit& load, ExecutionUnit& compute, ExecutionUnit& store)
    : sc_module(name),
      config_(config),
      context_(context),
      tokens_(tokens),
      interrupt_(interrupt),
      units_{&load, &compute, &store},
      fetcher_("fetcher", config.load_dma, context) {
  registers.register_nb_transport_fw(this, &Sequencer::nb_transport);
  registers.register_b_transport(this, &Sequencer::b_transport);
  registers.register_transport_dbg(this, &Sequencer::transport_dbg);
  for (const ExecutionUnit* unit : units_) progress_ |= unit->progress();
  progress_ |= tokens.changed();
  SC_HAS_PROCESS(Sequencer);
  SC_THREAD(run);
}

// Program ----------------------------------------------------------------------------------------

void Sequencer::run() {
  for (;;) {
    wait(doorbell_);
    run_program();
  }
}

void Sequencer::run_program() {
  started_ = sc_time_stamp();
  accounted_ = started_;
  context_.start_program();
  saturations_before_ = context_.accumulator_saturations;
  error_message_.clear();
  tokens_.reset();
  for (ExecutionUnit* unit : units_) unit->reset();
  dispatch_all();
  end_program();
}

void Sequencer::dispatch_all() {
  fetcher_.begin(program_address_, program_length_);
  for (std::uint32_t index = 0;; ++index) {
    switch (fetcher_.next()) {
      case CommandFetcher::Answer::command:
        break;
      case CommandFetcher::Answer::end:
        return fail(index, "the program has no finish command");
      case CommandFetcher::Answer::cut_short:
        return fail(index, "the program ends inside the command");
      case CommandFetcher::Answer::bus_error:
        return fail(index, "the bus answered the fetch of the command with an error");
    }
    const hw::Command& command = fetcher_.command();
    if (context_.timed()) {
      const int layer = layer_of(command);
      spent(Cause::fetch, layer);
      wait(context_.cycle());
      spent(Cause::work, layer);
      context_.activity.count(layer, Component::sequencer, Action::register_write,
                              static_cast<std::int64_t>(fetcher_.command_words()), 32);
      context_.activity.count(layer, Component::sequencer, Action::register_read, 1,
                              8 * sizeof(hw::Command));
    }
    if (command.opcode == hw::Opcode::finish) {
      finish(command, index);
      return;
    }
    if (!dispatch(command, index)) return;
  }
}

bool Sequencer::dispatch(const hw::Command& command, std::uint32_t index) {
  ExecutionUnit* unit = nullptr;
  switch (command.opcode) {
    case hw::Opcode::load:
      unit = units_[0];
      break;
    case hw::Opcode::convolve:
    case hw::Opcode::add:
    case hw::Opcode::pool:
    case hw::Opcode::adapt:
      unit = units_[1];
      break;
    case hw::Opcode::store:
      unit = units_[2];
      break;
    case hw::Opcode::finish:
      break;
  }
  if (unit == nullptr) {
    fail(index, "unknown opcode " + std::to_string(static_cast<int>(command.opcode)) +
                    "; allowed are 1 to 7");
    return false;
  }
  if (!wait_until([unit] { return !unit->full(); }, index)) return false;
  spent(unit == units_[0]   ? Cause::queue_load
        : unit == units_[1] ? Cause::queue_compute
                            : Cause::queue_store,
        layer_of(command));
  unit->push(command, index);
  return true;
}

bool Sequencer::finish(const hw::Command& command, std::uint32_t index) {
  return wait_until([this, &command] { return tokens_.take(command.wait); }, index) &&
         wait_until(
             [this] {
               return std::all_of(units_.begin(), units_.end(),
                                  [](const ExecutionUnit* unit) { return unit->idle(); });
             },
             index);
}

// Waits, on behalf of command `index`, until the condition holds; false where the program has
// failed.
template <class Condition>
bool Sequencer::wait_until(Condition condition, std::uint32_t index) {
  for (;;) {
    if (collect_failures()) return false;
    if (condition()) return true;
    if (!context_.timed() && step_units()) continue;
    const bool stuck = std::all_of(units_.begin(), units_.end(), [](const ExecutionUnit* unit) {
      return unit->idle() || unit->blocked();
    });
    if (stuck) {
      for (const ExecutionUnit* unit : units_) {
        if (unit->blocked()) index = std::min(index, unit->head());
      }
      fail(index, "the command waits for tokens that no other command will raise");
      return false;
    }
    wait(progress_);
  }
}

bool Sequencer::step_units() {
  bool any = false;
  for (ExecutionUnit* unit : units_) any = unit->step() || any;
  return any;
}

void Sequencer::fail(std::uint32_t index, const std::string& message) {
  if (error_ && error_command_ <= index) return;
  error_ = true;
  error_command_ = index;
  error_message_ = "command " + std::to_string(index) + ": " + message;
}

bool Sequencer::collect_failures() {
  for (const ExecutionUnit* unit : units_) {
    if (unit->failure()) fail(unit->failure()->index, unit->failure()->message);
  }
  return error_;
}

void Sequencer::end_program() {
  fetcher_.end();
  for (ExecutionUnit* unit : units_) unit->flush();
  for (ExecutionUnit* unit : units_) {
    while (!unit->idle()) wait(unit->progress());
  }
  spent(Cause::drained, -1);
  for (ExecutionUnit* unit : units_) unit->drain();
  collect_failures();
  cycles_ =
      static_cast<std::uint64_t>(std::llround((sc_time_stamp() - started_) / context_.cycle()));
  saturations_ = static_cast<std::uint64_t>(context_.accumulator_saturations - saturations_before_);
  if (context_.timed()) {
    count_blocks();
    context_.end_program();
  }
  context_.settle();
  busy_ = false;
  done_ = true;
  interrupt_.raise();
}

void Sequencer::spent(Cause cause, int layer) {
  const sc_time now = sc_time_stamp();
  if (!context_.timed() || now <= accounted_) return;
  context_.spend(layer, Unit::sequencer, cause, accounted_, now);
  accounted_ = now;
}

void Sequencer::count_blocks() {
  std::array<std::int64_t, unit_count> busy{};
  const auto count = [&](const ExecutionUnit* unit, Unit row) {
    busy[static_cast<std::size_t>(row)] = std::llround(unit->busy(row) / context_.cycle());
  };
  count(units_[0], Unit::load);
  for (const Unit row :
       {Unit::compute_array, Unit::compute_edge, Unit::compute_vector, Unit::step_adapter}) {
    count(units_[1], row);
  }
  count(units_[2], Unit::store);
  abacus::models::count_blocks(context_.activity, config_, static_cast<std::int64_t>(cycles_),
                               busy);
}

// Registers --------------------------------------------------------------------------------------

bool Sequencer::read_register(std::uint64_t offset, std::uint32_t& value) const {
  switch (offset) {
    case hw::register_map::identification:
      value = hw::register_map::identification_value;
      return true;
    case hw::register_map::program_address_low:
      value = static_cast<std::uint32_t>(program_address_);
      return true;
    case hw::register_map::program_address_high:
      value = static_cast<std::uint32_t>(program_address_ >> 32);
      return true;
    case hw::register_map::program_length:
      value = program_length_;
      return true;
    case hw::register_map::doorbell:
    case hw::register_map::interrupt_clear:
      value = 0;
      return true;
    case hw::register_map::status:
      value = (busy_ ? hw::register_map::status_busy : 0) |
              (done_ ? hw::register_map::status_done : 0) |
              (error_ ? hw::register_map::status_error : 0);
      return true;
    case hw::register_map::error_command:
      value = error_command_;
      return true;
    case hw::register_map::saturations_low:
      value = static_cast<std::uint32_t>(saturations_);
      return true;
    case hw::register_map::saturations_high:
      value = static_cast<std::uint32_t>(saturations_ >> 32);
      return true;
    case hw::register_map::cycles_low:
      value = static_cast<std::uint32_t>(cycles_);
      return true;
    case hw::register_map::cycles_high:
      value = static_cast<std::uint32_t>(cycles_ >> 32);
      return true;
    default:
      return false;
  }
}

bool Sequencer::write_register(std::uint64_t offset, std::uint32_t value, const sc_time& delay) {
  if (offset == hw::register_map::interrupt_clear) {
    if (value & 1u) {
      done_ = false;
      interrupt_.lower();
    }
    return true;
  }
  if (busy_) return false;
  switch (offset) {
    case hw::register_map::program_address_low:
      program_address_ = (program_address_ & ~std::uint64_t{0xFFFF'FFFF}) | value;
      return true;
    case hw::register_map::program_address_high:
      program_address_ =
          (program_address_ & 0xFFFF'FFFF) | (static_cast<std::uint64_t>(value) << 32);
      return true;
    case hw::register_map::program_length:
      program_length_ = value;
      return true;
    case hw::register_map::doorbell:
      if (value & 1u) {
        busy_ = true;
        done_ = false;
        error_ = false;
        error_command_ = 0;
        if (context_.timed()) {
          doorbell_.notify(delay);
        } else {
          // Not at once: the sequencer's thread may not be waiting yet.
          doorbell_.notify(sc_core::SC_ZERO_TIME);
        }
      }
      return true;
    default:
      return false;
  }
}

void Sequencer::access(tlm::tlm_generic_payload& transaction, const sc_time& delay) {
  const std::uint64_t offset = transaction.get_address();
  std::uint32_t value = 0;
  if (transaction.get_data_length() != sizeof value || offset % sizeof value != 0) {
    transaction.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (!read_register(offset, value)) {
    transaction.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  bool ok = true;
  if (transaction.is_read()) {
    std::memcpy(transaction.get_data_ptr(), &value, sizeof value);
  } else if (transaction.is_write()) {
    std::memcpy(&value, transaction.get_data_ptr(), sizeof value);
    ok = write_register(offset, value, delay);
  } else {
    ok = false;
  }
  transaction.set_response_status(ok ? tlm::TLM_OK_RESPONSE : tlm::TLM_COMMAND_ERROR_RESPONSE);
}

tlm::tlm_sync_enum Sequencer::nb_transport(tlm::tlm_generic_payload& transaction, tlm::tlm_phase&,
                                           sc_time& delay) {
  delay += context_.cycle();
  access(transaction, delay);
  return tlm::TLM_COMPLETED;
}

void Sequencer::b_transport(tlm::tlm_generic_payload& transaction, sc_time& delay) {
  access(transaction, delay);
}

unsigned Sequencer::transport_dbg(tlm::tlm_generic_payload& transaction) {
  std::uint32_t value = 0;
  if (!transaction.is_read() || transaction.get_data_length() != sizeof value ||
      !read_register(transaction.get_address(), value)) {
    return 0;
  }
  std::memcpy(transaction.get_data_ptr(), &value, sizeof value);
  return sizeof value;
}

}  // namespace abacus::models
