// The on-chip interconnect: a TLM-2.0 bus with a request and a response channel.
//
// Ports: from(i), a target socket for each initiator; to(i), an initiator socket for each window of
// the address map. Targets see addresses relative to their window.
// Parameters (BusConfig): bytes_per_cycle, the width of either channel; arbitration_cycles;
// response_cycles; the clock period.
//
// Protocol (base protocol, non-blocking): BEGIN_REQ is answered with END_REQ on the return path,
// since each initiator has a queue here, so several transactions may be under way. A target answers
// BEGIN_REQ with TLM_COMPLETED and the time of completion as annotated delay, or later with
// BEGIN_RESP on the backward path. The initiator gets BEGIN_RESP at the moment its last byte has
// arrived and must return TLM_COMPLETED. Every transaction on the non-blocking path carries a
// TransactionTag.
//
// Time: a request holds the request channel for one beat (address), a write for its data beats
// besides. It begins arbitration_cycles after it was made, or when the channel is free. Initiators
// take turns (round robin). The response holds the response channel for its data beats (read) or
// one beat (write), and begins response_cycles after the target is ready, or when the channel is
// free; responses go in the order in which targets are ready. Beats begin at clock edges. Request,
// target and response of different transactions overlap.
//
// b_transport and DMI pass through without time (functional level), transport_dbg likewise.
// An address in no window, or a transaction that leaves its window, gets
// TLM_ADDRESS_ERROR_RESPONSE.
//
// Wake-ups: one for a transaction, and one more where the request channel was busy.
#pragma once

#include <tlm_utils/passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "tlm/hardware_config.hpp"
#include "tlm/transaction.hpp"

namespace abacus::hw {

// A finished transaction, as observers see it.
struct BusTransfer {
  int initiator;
  const TransactionTag& tag;
  std::uint64_t address;
  unsigned bytes;
  bool write;
  bool ok;
  int beats;  // on both channels together
  sc_core::sc_time requested;
  sc_core::sc_time completed;
};

class BusObserver {
 public:
  virtual ~BusObserver() = default;
  virtual void transferred(const BusTransfer& transfer) = 0;
};

// Where a target stands in the address map.
struct BusWindow {
  enum class Access { full, debug_only };  // debug_only: transport_dbg alone
  std::string target;
  std::uint64_t base;
  std::uint64_t bytes;
  Access access = Access::full;
};

class Bus : public sc_core::sc_module {
 public:
  using FromInitiator = tlm_utils::passthrough_target_socket_tagged<Bus>;
  using ToTarget = tlm_utils::simple_initiator_socket_tagged<Bus>;

  // Throws std::invalid_argument for a width or period of 0, negative cycles, windows that overlap.
  Bus(const sc_core::sc_module_name& name, const BusConfig& config, const sc_core::sc_time& cycle,
      const std::vector<std::string>& initiators, const std::vector<BusWindow>& windows);

  // To bind the i-th initiator's socket to; to bind to the i-th window's target.
  FromInitiator& from(int initiator) {
    return *initiators_.at(static_cast<std::size_t>(initiator)).socket;
  }
  ToTarget& to(int window) { return *targets_.at(static_cast<std::size_t>(window)).socket; }
  const std::string& initiator_name(int initiator) const;

  // Told of every transaction on the non-blocking path when it ends. Not owned.
  void observe(BusObserver& observer) { observers_.push_back(&observer); }

 private:
  struct Request {
    tlm::tlm_generic_payload* transaction;
    sc_core::sc_time arrival;
  };
  struct Initiator {
    std::string name;
    std::unique_ptr<FromInitiator> socket;
    std::deque<Request> requests;
  };
  using Access = BusWindow::Access;
  struct Target {
    BusWindow window;
    std::unique_ptr<ToTarget> socket;
  };
  struct Response {
    tlm::tlm_generic_payload* transaction;
    sc_core::sc_time ready;
    std::uint64_t order;  // among responses ready at the same time
    sc_core::sc_time begin{};
  };
  static bool later(const Response& a, const Response& b) {
    return a.ready != b.ready ? a.ready > b.ready : a.order > b.order;
  }

  void add_initiator(const std::string& initiator);
  void add_target(const BusWindow& window);
  tlm::tlm_sync_enum request(int initiator, tlm::tlm_generic_payload& transaction,
                             tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum respond(int target, tlm::tlm_generic_payload& transaction,
                             tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void b_transport(int initiator, tlm::tlm_generic_payload& transaction, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(int initiator, tlm::tlm_generic_payload& transaction, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(int initiator, tlm::tlm_generic_payload& transaction);
  void invalidate_direct_mem_ptr(int target, sc_dt::uint64 start, sc_dt::uint64 end);

  void arbitrate();
  void forward(tlm::tlm_generic_payload& transaction, const sc_core::sc_time& granted);
  void queue_response(tlm::tlm_generic_payload& transaction, const sc_core::sc_time& ready);
  void select_response();
  void deliver();

  // The target whose window holds the whole transaction, or null.
  Target* decode(std::uint64_t address, std::uint64_t bytes, Access access);
  int data_beats(const tlm::tlm_generic_payload& transaction) const;
  sc_core::sc_time next_edge(const sc_core::sc_time& time) const;

  BusConfig config_;
  sc_core::sc_time cycle_;
  std::vector<Initiator> initiators_;
  std::vector<Target> targets_;
  std::vector<BusObserver*> observers_;

  int last_granted_ = -1;
  sc_core::sc_time request_free_;
  sc_core::sc_event arbitrate_event_{"arbitrate_event"};

  std::vector<Response> responses_;  // heap, soonest ready on top
  std::optional<Response> current_;  // holds, or will hold next, the response channel
  std::uint64_t response_order_ = 0;
  sc_core::sc_time response_free_;
  sc_core::sc_event deliver_event_{"deliver_event"};
};

}  // namespace abacus::hw
