// The bus initiator that load unit, store unit, sequencer and host share: moves rows of bytes
// between the bus and a local memory, as bursts.
//
// Ports: socket.
// Parameters (DmaConfig): burst_bytes, the largest transaction; bursts do not cross multiples of
// it; outstanding, how many bursts may be under way at once.
// Function: the bytes travel in the payloads; a burst read reaches the local memory when its
// response has arrived, a burst written is taken from it when its request is made.
// Time: the bus and its targets make it. Where the local memory is an SRAM, each burst also takes its
// accesses there, one a cycle and at least one for each of its rows there; bursts go on while they are
// under way, but where other bursts hold the ports the next one waits for the difference. The accesses
// of the last burst read (first burst written) and the SRAM's latency are added at the end (at the
// start).
// Functional level: memcpy through DMI, or b_transport where the target grants none; no time.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <systemc>

#include "models/context.hpp"
#include "models/dma/transfer_account.hpp"
#include "models/memory/sram.hpp"
#include "tlm/transaction.hpp"

namespace abacus::models {

// `rows` rows of `row_bytes` bytes; row i at address + i·stride on the bus and local +
// i·local_stride.
struct BurstTransfer {
  tlm::tlm_command command = tlm::TLM_READ_COMMAND;
  std::uint64_t address = 0;
  std::uint64_t row_bytes = 0;
  std::uint64_t rows = 1;
  std::uint64_t stride = 0;
  std::uint8_t* local = nullptr;
  std::uint64_t local_stride = 0;
  Sram* sram = nullptr;  // whose data() `local` points into; null for other memories
  int layer = -1;
  hw::TensorPurpose purpose = hw::TensorPurpose::none;
};

class BurstEngine : public sc_core::sc_module {
 public:
  // Throws std::invalid_argument for a size or number below 1.
  BurstEngine(const sc_core::sc_module_name& name, const hw::DmaConfig& config, Context& context);

  tlm_utils::simple_initiator_socket<BurstEngine> socket{"socket"};

  // Moves everything and waits for its end; false where the bus answered with an error, the rest of
  // the transfer is then left out. Called from an SC_THREAD; at the functional level returns at
  // once.
  bool run(const BurstTransfer& transfer);

  // The same without waiting: ends when busy() has become false, which done() announces.
  void start(const BurstTransfer& transfer);
  bool busy() const { return busy_; }
  bool ok() const { return ok_; }  // of the transfer that has ended
  const sc_core::sc_event& done() const { return done_event_; }
  // Of the transfer that has ended, at timed levels and with an SRAM.
  const std::vector<TransferAccount::Interval>& spent() const { return account_.intervals(); }

 private:
  struct Burst {
    std::uint64_t address;
    std::uint64_t position;  // of its first byte in the sequence of all rows' bytes
    std::uint64_t bytes;
  };
  bool more() const { return ok_ && run_ < runs_; }
  Burst next_burst();
  void issue();
  void finish();
  sc_core::sc_time read_latency() const;
  sc_core::sc_time access_sram(std::uint64_t position, std::uint64_t bytes);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& transaction, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  // The pieces of the bytes from `position` on that stand together in the local memory.
  template <typename Visit>  // (offset from `local`, bytes)
  void for_each_piece(std::uint64_t position, std::uint64_t bytes, const Visit& visit) const;
  std::int64_t sram_accesses(std::uint64_t position, std::uint64_t bytes) const;
  // Copies between a burst's data and the local memory.
  void copy(std::uint64_t position, std::uint8_t* data, std::uint64_t bytes, bool to_local);

  void move_directly();
  bool move_row_directly(std::uint64_t address, std::uint8_t* local, std::uint64_t bytes);
  std::uint8_t* direct_pointer(std::uint64_t address, std::uint64_t bytes);
  void invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end);

  Context& context_;
  std::uint64_t burst_bytes_;
  int outstanding_;
  hw::TransactionPool pool_;
  tlm::tlm_dmi dmi_;
  bool dmi_valid_ = false;

  BurstTransfer transfer_;
  TransferAccount account_;
  // Rows that follow one another without a gap on the bus are one run.
  std::uint64_t runs_ = 0, run_bytes_ = 0;
  std::uint64_t run_ = 0, offset_ = 0;  // next burst
  int under_way_ = 0;
  bool busy_ = false;
  bool ok_ = true;
  sc_core::sc_time own_access_;  // the last burst's accesses, if nobody else were there
  sc_core::sc_time issue_from_;  // the SRAM keeps no pace before
  sc_core::sc_time served_;      // last SRAM access ends
  sc_core::sc_event issue_event_{"issue_event"};
  sc_core::sc_event finish_event_{"finish_event"};
  sc_core::sc_event done_event_{"done_event"};
};

}  // namespace abacus::models
