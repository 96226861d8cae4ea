// DRAM with its controller: a TLM-2.0 target that stores the bytes and answers when the device has
// moved them (dram_timing.hpp and dram_scheduler.hpp say when, and with which parameters).
//
// Ports: socket. Address 0 is the device's first byte; past its last one:
// TLM_ADDRESS_ERROR_RESPONSE.
// Protocol: a controller that serves in order answers nb_transport_fw(BEGIN_REQ) with TLM_COMPLETED and the time
// of completion as annotated delay; one that reorders with TLM_ACCEPTED, and later with BEGIN_RESP on the backward
// path, which the initiator must answer with TLM_COMPLETED. What has no room in its queue waits before it; that is
// bounded by what the initiators have under way. Reads and writes take effect in the order of arrival.
// b_transport, transport_dbg and DMI take no time and are not counted (functional level, checks).
// Counts (by the layer in the payload's tag): dram_activate; dram_read, dram_write for each burst
// of burst_length × data_bits, with it dram_read_io, dram_write_io; of each program dram_refresh and, in
// ns, dram_active_standby (refreshes included), dram_precharge_standby and dram_power_down, of each channel.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <systemc>
#include <vector>

#include "models/context.hpp"
#include "models/layer_counts.hpp"
#include "models/memory/dram_scheduler.hpp"
#include "models/memory/dram_timing.hpp"
#include "tlm/transaction.hpp"

namespace abacus::models {

class Dram : public sc_core::sc_module {
 public:
  // Throws std::invalid_argument for parameters out of range, std::bad_alloc where the host machine
  // has no room for the device's bytes.
  Dram(const sc_core::sc_module_name& name, const hw::DramConfig& config, Context& context);

  tlm_utils::simple_target_socket<Dram> socket{"socket"};

  std::uint64_t size() const { return size_; }
  // Without time or counting; false, and nothing done, past the device's end.
  bool peek(std::uint64_t address, std::uint8_t* data, std::size_t bytes) const;
  bool poke(std::uint64_t address, const std::uint8_t* data, std::size_t bytes);

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const { std::free(bytes); }
  };
  bool holds(std::uint64_t address, std::uint64_t bytes) const {
    return bytes <= size_ && address <= size_ - bytes;
  }
  // Moves the payload's bytes and sets its response; false where it is refused.
  bool transfer(tlm::tlm_generic_payload& transaction);
  tlm::tlm_sync_enum nb_transport(tlm::tlm_generic_payload& transaction, tlm::tlm_phase& phase,
                                  sc_core::sc_time& delay);
  void b_transport(tlm::tlm_generic_payload& transaction, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& transaction, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(tlm::tlm_generic_payload& transaction);

  // Of a controller that reorders: what is due now, and when it has to look again.
  void serve();
  void tell(tlm::tlm_generic_payload& transaction, const DramTiming::Service& service);
  // All that waits has its commands counted; nobody waits for an answer.
  void drain();
  void count_states(Context& context) const;

  std::uint64_t size_;
  std::unique_ptr<std::uint8_t, Free> bytes_;
  int banks_;
  int banks_a_refresh_;
  DramTiming timing_;
  std::optional<DramScheduler> scheduler_;          // null: in order
  std::vector<tlm::tlm_generic_payload*> waiting_;  // by the request's id; null: unused
  std::vector<DramScheduler::Answer> answers_;
  std::vector<int> opened_;
  sc_core::sc_event serve_event_{"serve_event"};
  LayerCounts activates_, reads_, writes_, read_io_, write_io_;
};

}  // namespace abacus::models
