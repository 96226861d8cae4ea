#include "tlm/bus.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace abacus::hw {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

Bus::Bus(const sc_core::sc_module_name& name, const BusConfig& config, const sc_time& cycle,
         const std::vector<std::string>& initiators, const std::vector<BusWindow>& windows)
    : sc_module(name), config_(config), cycle_(cycle) {
  if (config.bytes_per_cycle < 1 || config.arbitration_cycles < 0 || config.response_cycles < 0 ||
      cycle == sc_core::SC_ZERO_TIME) {
    throw std::invalid_argument(
        "bus: bytes_per_cycle and the clock period must be positive, arbitration_cycles and "
        "response_cycles 0 or more");
  }
  for (const std::string& initiator : initiators) add_initiator(initiator);
  for (const BusWindow& window : windows) add_target(window);
  SC_HAS_PROCESS(Bus);
  SC_METHOD(arbitrate);
  sensitive << arbitrate_event_;
  dont_initialize();
  SC_METHOD(deliver);
  sensitive << deliver_event_;
  dont_initialize();
}

void Bus::add_initiator(const std::string& initiator) {
  const int id = static_cast<int>(initiators_.size());
  auto socket = std::make_unique<FromInitiator>(("from_" + initiator).c_str());
  socket->register_nb_transport_fw(this, &Bus::request, id);
  socket->register_b_transport(this, &Bus::b_transport, id);
  socket->register_get_direct_mem_ptr(this, &Bus::get_direct_mem_ptr, id);
  socket->register_transport_dbg(this, &Bus::transport_dbg, id);
  initiators_.push_back({initiator, std::move(socket), {}});
}

void Bus::add_target(const BusWindow& window) {
  for (const Target& target : targets_) {
    const BusWindow& other = target.window;
    if (window.base < other.base + other.bytes && other.base < window.base + window.bytes) {
      throw std::invalid_argument("bus: the windows of " + window.target + " and " + other.target +
                                  " overlap");
    }
  }
  const int id = static_cast<int>(targets_.size());
  auto socket = std::make_unique<ToTarget>(("to_" + window.target).c_str());
  socket->register_nb_transport_bw(this, &Bus::respond, id);
  socket->register_invalidate_direct_mem_ptr(this, &Bus::invalidate_direct_mem_ptr, id);
  targets_.push_back({window, std::move(socket)});
}

const std::string& Bus::initiator_name(int initiator) const {
  return initiators_.at(static_cast<std::size_t>(initiator)).name;
}

// Requests ---------------------------------------------------------------------------------------

tlm::tlm_sync_enum Bus::request(int initiator, tlm::tlm_generic_payload& transaction,
                                tlm::tlm_phase& phase, sc_time& delay) {
  auto* tag = transaction.get_extension<TransactionTag>();
  if (phase != tlm::BEGIN_REQ || tag == nullptr) {
    SC_REPORT_FATAL("abacus/bus", "expected BEGIN_REQ of a transaction with a TransactionTag");
    return tlm::TLM_COMPLETED;
  }
  const sc_time arrival = sc_time_stamp() + delay;
  tag->initiator = initiator;
  tag->requested = arrival;
  tag->granted = false;
  initiators_[static_cast<std::size_t>(initiator)].requests.push_back({&transaction, arrival});
  arbitrate();
  phase = tlm::END_REQ;
  delay = sc_core::SC_ZERO_TIME;
  return tlm::TLM_UPDATED;
}

// Decides only once the channel is free: whoever has asked by then takes part.
void Bus::arbitrate() {
  const sc_time now = sc_time_stamp();
  const int count = static_cast<int>(initiators_.size());
  bool any = false;
  sc_time soonest = sc_core::sc_max_time();
  for (const Initiator& initiator : initiators_) {
    if (initiator.requests.empty()) continue;
    any = true;
    soonest = std::min(soonest, initiator.requests.front().arrival);
  }
  if (!any) return;
  const sc_time decision = std::max(soonest, request_free_);
  if (decision > now) {
    arbitrate_event_.notify(decision - now);  // an earlier notification, where there is one, stands
    return;
  }
  for (int i = 1; i <= count; ++i) {
    const int id = (last_granted_ + i) % count;
    auto& requests = initiators_[static_cast<std::size_t>(id)].requests;
    if (requests.empty() || requests.front().arrival > now) continue;
    const Request granted = requests.front();
    requests.pop_front();
    last_granted_ = id;
    const int beats = 1 + (granted.transaction->is_write() ? data_beats(*granted.transaction) : 0);
    const sc_time begin =
        next_edge(std::max(granted.arrival + cycle_ * config_.arbitration_cycles, request_free_));
    request_free_ = begin + cycle_ * beats;
    auto& tag = *granted.transaction->get_extension<TransactionTag>();
    tag.granted = true;
    tag.mark(Phase::arbitration, begin + cycle_);
    // Where the target says nothing of its own, all of its time is one phase.
    for (std::size_t p = static_cast<std::size_t>(Phase::write_data); p < phase_count; ++p) {
      tag.until[p] = request_free_;
    }
    for (const Initiator& initiator : initiators_) {
      if (!initiator.requests.empty()) {
        arbitrate_event_.notify(request_free_ - now);
        break;
      }
    }
    forward(*granted.transaction, request_free_);
    return;
  }
}

void Bus::forward(tlm::tlm_generic_payload& transaction, const sc_time& granted) {
  Target* target = decode(transaction.get_address(), transaction.get_data_length(), Access::full);
  if (target == nullptr) {
    transaction.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    queue_response(transaction, granted);
    return;
  }
  const std::uint64_t address = transaction.get_address();
  transaction.set_address(address - target->window.base);
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_time delay = granted - sc_time_stamp();
  const tlm::tlm_sync_enum answer = (*target->socket)->nb_transport_fw(transaction, phase, delay);
  transaction.set_address(address);
  if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP)) {
    queue_response(transaction, sc_time_stamp() + delay);
  }
}

// Responses --------------------------------------------------------------------------------------

tlm::tlm_sync_enum Bus::respond(int, tlm::tlm_generic_payload& transaction, tlm::tlm_phase& phase,
                                sc_time& delay) {
  if (phase == tlm::END_REQ) return tlm::TLM_ACCEPTED;
  if (phase != tlm::BEGIN_RESP) {
    SC_REPORT_FATAL("abacus/bus", "expected END_REQ or BEGIN_RESP of a target");
    return tlm::TLM_COMPLETED;
  }
  queue_response(transaction, sc_time_stamp() + delay);
  return tlm::TLM_COMPLETED;
}

void Bus::queue_response(tlm::tlm_generic_payload& transaction, const sc_time& ready) {
  responses_.push_back({&transaction, ready, response_order_++});
  std::push_heap(responses_.begin(), responses_.end(), later);
  if (current_) {
    // The one that waits for its target to be ready lets a sooner one pass.
    if (current_->begin <= sc_time_stamp() || !later(*current_, responses_.front())) return;
    responses_.push_back(*current_);
    std::push_heap(responses_.begin(), responses_.end(), later);
    current_.reset();
    deliver_event_.cancel();
  }
  select_response();
}

void Bus::select_response() {
  if (responses_.empty()) return;
  std::pop_heap(responses_.begin(), responses_.end(), later);
  current_ = responses_.back();
  responses_.pop_back();
  current_->begin =
      next_edge(std::max(current_->ready + cycle_ * config_.response_cycles, response_free_));
  const bool write = current_->transaction->is_write();
  const int beats = write ? 1 : data_beats(*current_->transaction);
  const sc_time end = current_->begin + cycle_ * beats;
  auto& tag = *current_->transaction->get_extension<TransactionTag>();
  tag.mark(Phase::transfer, current_->ready);
  tag.mark(Phase::response, write ? end : current_->begin);
  tag.mark(Phase::read_data, end);
  deliver_event_.notify(end - sc_time_stamp());
}

void Bus::deliver() {
  tlm::tlm_generic_payload& transaction = *current_->transaction;
  response_free_ = sc_time_stamp();
  current_.reset();
  select_response();

  const TransactionTag& tag = *transaction.get_extension<TransactionTag>();
  if (!observers_.empty()) {
    const BusTransfer transfer{tag.initiator,
                               tag,
                               transaction.get_address(),
                               transaction.get_data_length(),
                               transaction.is_write(),
                               transaction.is_response_ok(),
                               2 + data_beats(transaction) - (transaction.is_write() ? 0 : 1),
                               tag.requested,
                               sc_time_stamp()};
    for (BusObserver* observer : observers_) observer->transferred(transfer);
  }
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_time delay = sc_core::SC_ZERO_TIME;
  FromInitiator& socket = *initiators_[static_cast<std::size_t>(tag.initiator)].socket;
  if (socket->nb_transport_bw(transaction, phase, delay) != tlm::TLM_COMPLETED) {
    SC_REPORT_FATAL("abacus/bus", "an initiator must answer BEGIN_RESP with TLM_COMPLETED");
  }
}

// Functional level, debugging --------------------------------------------------------------------

void Bus::b_transport(int, tlm::tlm_generic_payload& transaction, sc_time& delay) {
  const std::uint64_t address = transaction.get_address();
  Target* target = decode(address, transaction.get_data_length(), Access::full);
  if (target == nullptr) {
    transaction.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  transaction.set_address(address - target->window.base);
  (*target->socket)->b_transport(transaction, delay);
  transaction.set_address(address);
}

bool Bus::get_direct_mem_ptr(int, tlm::tlm_generic_payload& transaction, tlm::tlm_dmi& dmi) {
  const std::uint64_t address = transaction.get_address();
  Target* target = decode(address, 1, Access::full);
  if (target == nullptr) {
    dmi.init();
    return false;
  }
  transaction.set_address(address - target->window.base);
  const bool granted = (*target->socket)->get_direct_mem_ptr(transaction, dmi);
  transaction.set_address(address);
  dmi.set_end_address(target->window.base +
                      std::min<std::uint64_t>(dmi.get_end_address(), target->window.bytes - 1));
  dmi.set_start_address(target->window.base + dmi.get_start_address());
  return granted;
}

unsigned Bus::transport_dbg(int, tlm::tlm_generic_payload& transaction) {
  const std::uint64_t address = transaction.get_address();
  Target* target = decode(address, transaction.get_data_length(), Access::debug_only);
  if (target == nullptr) return 0;
  transaction.set_address(address - target->window.base);
  const unsigned bytes = (*target->socket)->transport_dbg(transaction);
  transaction.set_address(address);
  return bytes;
}

void Bus::invalidate_direct_mem_ptr(int target, sc_dt::uint64 start, sc_dt::uint64 end) {
  const std::uint64_t base = targets_[static_cast<std::size_t>(target)].window.base;
  for (Initiator& initiator : initiators_) {
    (*initiator.socket)->invalidate_direct_mem_ptr(base + start, base + end);
  }
}

Bus::Target* Bus::decode(std::uint64_t address, std::uint64_t bytes, Access access) {
  for (Target& target : targets_) {
    const BusWindow& window = target.window;
    if (access == Access::full && window.access == Access::debug_only) continue;
    if (address >= window.base && bytes <= window.bytes &&
        address - window.base <= window.bytes - bytes) {
      return &target;
    }
  }
  return nullptr;
}

int Bus::data_beats(const tlm::tlm_generic_payload& transaction) const {
  const auto width = static_cast<std::uint64_t>(config_.bytes_per_cycle);
  const std::uint64_t first = transaction.get_address() % width;
  return static_cast<int>((first + transaction.get_data_length() + width - 1) / width);
}

sc_time Bus::next_edge(const sc_time& time) const {
  const auto period = cycle_.value();
  const auto past = time.value() % period;
  return past == 0 ? time : sc_time::from_value(time.value() - past + period);
}

}  // namespace abacus::hw
