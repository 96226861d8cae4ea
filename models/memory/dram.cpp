#include "models/memory/dram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace abacus::models {
namespace {

// SystemC's resolution, which nobody changes.
DramTiming::Time picoseconds(const sc_core::sc_time& time) { return time.value(); }

}  // namespace

Dram::Dram(const sc_core::sc_module_name& name, const hw::DramConfig& config, Context& context)
    : sc_module(name),
      size_(config.bytes),
      // calloc, not a vector: pages that no program touches are never made.
      bytes_(static_cast<std::uint8_t*>(std::calloc(std::max<std::uint64_t>(config.bytes, 1), 1))),
      banks_(std::max(config.banks, 1)),
      banks_a_refresh_(config.refresh == "per-bank" ? 1 : banks_),
      timing_(config),
      activates_(Component::dram, Action::dram_activate, config.burst_length * config.data_bits),
      reads_(Component::dram, Action::dram_read, config.burst_length * config.data_bits),
      writes_(Component::dram, Action::dram_write, config.burst_length * config.data_bits),
      read_io_(Component::dram, Action::dram_read_io, config.burst_length * config.data_bits),
      write_io_(Component::dram, Action::dram_write_io, config.burst_length * config.data_bits) {
  if (size_ == 0) throw std::invalid_argument("dram: bytes is 0; must be at least 1");
  if (bytes_ == nullptr) throw std::bad_alloc();
  socket.register_nb_transport_fw(this, &Dram::nb_transport);
  socket.register_b_transport(this, &Dram::b_transport);
  socket.register_get_direct_mem_ptr(this, &Dram::get_direct_mem_ptr);
  socket.register_transport_dbg(this, &Dram::transport_dbg);
  if (config.controller == "fr-fcfs") {
    scheduler_.emplace(config);
    SC_HAS_PROCESS(Dram);
    SC_METHOD(serve);
    sensitive << serve_event_;
    dont_initialize();
  }
  context.on_program_start([this] {
    const DramTiming::Time now = picoseconds(sc_core::sc_time_stamp());
    timing_.restart(now);
    if (scheduler_) scheduler_->restart(now);
  });
  context.on_program_end([this, &context] {
    count_states(context);
    drain();
  });
  context.on_settle([this](Activity& activity) {
    activates_.hand_over(activity);
    reads_.hand_over(activity);
    writes_.hand_over(activity);
    read_io_.hand_over(activity);
    write_io_.hand_over(activity);
  });
}

void Dram::count_states(Context& context) const {
  const DramTiming::Time now = picoseconds(sc_core::sc_time_stamp());
  const DramTiming::Residency spent =
      scheduler_ ? scheduler_->residency(now) : timing_.residency(now);
  const auto count = [&](Action action, std::int64_t times) {
    if (times != 0) context.activity.count(-1, Component::dram, action, times, 0);
  };
  const auto nanoseconds = [](DramTiming::Time time) {
    return std::llround(static_cast<double>(time) / 1e3);
  };
  count(Action::dram_active_standby, nanoseconds(spent.active + spent.refreshing));
  count(Action::dram_precharge_standby, nanoseconds(spent.precharged));
  count(Action::dram_power_down, nanoseconds(spent.powered_down));
  // In refreshes of a whole device.
  count(Action::dram_refresh, spent.refreshes * banks_a_refresh_ / banks_);
}

bool Dram::peek(std::uint64_t address, std::uint8_t* data, std::size_t bytes) const {
  if (!holds(address, bytes)) return false;
  std::memcpy(data, bytes_.get() + address, bytes);
  return true;
}

bool Dram::poke(std::uint64_t address, const std::uint8_t* data, std::size_t bytes) {
  if (!holds(address, bytes)) return false;
  std::memcpy(bytes_.get() + address, data, bytes);
  return true;
}

bool Dram::transfer(tlm::tlm_generic_payload& transaction) {
  if (!holds(transaction.get_address(), transaction.get_data_length())) {
    transaction.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return false;
  }
  if (transaction.get_byte_enable_ptr() != nullptr ||
      transaction.get_streaming_width() < transaction.get_data_length()) {
    transaction.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return false;
  }
  std::uint8_t* stored = bytes_.get() + transaction.get_address();
  if (transaction.is_read()) {
    std::memcpy(transaction.get_data_ptr(), stored, transaction.get_data_length());
  } else if (transaction.is_write()) {
    std::memcpy(stored, transaction.get_data_ptr(), transaction.get_data_length());
  } else {
    transaction.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return false;
  }
  transaction.set_response_status(tlm::TLM_OK_RESPONSE);
  return true;
}

tlm::tlm_sync_enum Dram::nb_transport(tlm::tlm_generic_payload& transaction, tlm::tlm_phase&,
                                      sc_core::sc_time& delay) {
  if (!transfer(transaction)) return tlm::TLM_COMPLETED;
  const DramTiming::Time arrival = picoseconds(sc_core::sc_time_stamp() + delay);
  const std::uint64_t address = transaction.get_address();
  const std::uint64_t bytes = transaction.get_data_length();
  const bool write = transaction.is_write();
  if (scheduler_) {
    auto place = std::find(waiting_.begin(), waiting_.end(), nullptr);
    if (place == waiting_.end()) place = waiting_.insert(place, nullptr);
    *place = &transaction;
    const DramScheduler::Request request{static_cast<std::uint64_t>(place - waiting_.begin()),
                                         hw::layer_of(transaction), address, bytes, write};
    const int bursts = scheduler_->bursts_of(request);
    (write ? writes_ : reads_).add(request.layer, bursts);
    (write ? write_io_ : read_io_).add(request.layer, bursts);
    scheduler_->push(arrival, request);
    serve_event_.notify(sc_core::sc_time::from_value(scheduler_->next()) -
                        sc_core::sc_time_stamp());
    return tlm::TLM_ACCEPTED;
  }
  const DramTiming::Service service = timing_.access(arrival, address, bytes, write);
  const int layer = hw::layer_of(transaction);
  if (service.activates != 0) activates_.add(layer, service.activates);
  (write ? writes_ : reads_).add(layer, service.bursts);
  (write ? write_io_ : read_io_).add(layer, service.bursts);
  tell(transaction, service);
  delay = sc_core::sc_time::from_value(service.completed) - sc_core::sc_time_stamp();
  return tlm::TLM_COMPLETED;
}

// The phases of a transaction, from the end of its data on the bus on.
void Dram::tell(tlm::tlm_generic_payload& transaction, const DramTiming::Service& service) {
  auto* tag = transaction.get_extension<hw::TransactionTag>();
  if (tag == nullptr) return;
  tag->row_hit = service.activates == 0;
  const DramTiming::Time spent = service.queue + service.refresh + service.row +
                                 service.turnaround + service.latency + service.transfer;
  sc_core::sc_time until = sc_core::sc_time::from_value(service.completed - spent);
  const auto mark = [&](hw::Phase phase, DramTiming::Time time) {
    tag->mark(phase, until += sc_core::sc_time::from_value(time));
  };
  mark(hw::Phase::queue, service.queue);
  mark(hw::Phase::refresh, service.refresh);
  mark(hw::Phase::row, service.row);
  mark(hw::Phase::turnaround, service.turnaround);
  mark(hw::Phase::latency, service.latency);
  mark(hw::Phase::transfer, service.transfer);
}

void Dram::serve() {
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  answers_.clear();
  opened_.clear();
  scheduler_->advance(picoseconds(now), answers_, opened_);
  for (const int layer : opened_) activates_.add(layer, 1);
  const DramScheduler::Time next = scheduler_->next();
  if (next != DramScheduler::never) {
    serve_event_.notify(sc_core::sc_time::from_value(next) - now);
  }
  for (const DramScheduler::Answer& answer : answers_) {
    tlm::tlm_generic_payload& transaction =
        *std::exchange(waiting_[static_cast<std::size_t>(answer.id)], nullptr);
    tell(transaction, answer.service);
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_core::sc_time delay = sc_core::sc_time::from_value(answer.service.completed) - now;
    if (socket->nb_transport_bw(transaction, phase, delay) != tlm::TLM_COMPLETED) {
      SC_REPORT_FATAL("abacus/dram", "an initiator must answer BEGIN_RESP with TLM_COMPLETED");
    }
  }
}

void Dram::drain() {
  if (!scheduler_) return;
  answers_.clear();
  opened_.clear();
  scheduler_->advance(DramScheduler::never, answers_, opened_);
  for (const int layer : opened_) activates_.add(layer, 1);
  sc_assert(answers_.empty());
}

void Dram::b_transport(tlm::tlm_generic_payload& transaction, sc_core::sc_time&) {
  transfer(transaction);
}

bool Dram::get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
  dmi.init();
  dmi.set_dmi_ptr(bytes_.get());
  dmi.set_start_address(0);
  dmi.set_end_address(size_ - 1);
  dmi.allow_read_write();
  return true;
}

unsigned Dram::transport_dbg(tlm::tlm_generic_payload& transaction) {
  if (transaction.get_address() >= size_) return 0;
  const auto bytes = static_cast<unsigned>(
      std::min<std::uint64_t>(transaction.get_data_length(), size_ - transaction.get_address()));
  std::uint8_t* stored = bytes_.get() + transaction.get_address();
  if (transaction.is_read()) {
    std::memcpy(transaction.get_data_ptr(), stored, bytes);
  } else if (transaction.is_write()) {
    std::memcpy(stored, transaction.get_data_ptr(), bytes);
  }
  return bytes;
}

}  // namespace abacus::models
