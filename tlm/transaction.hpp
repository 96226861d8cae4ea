// One transaction on the bus: a TLM-2.0 generic payload with a tag that says whom it serves, and a
// pool so that no burst takes memory from the heap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

namespace abacus::hw {

enum class TensorPurpose : std::uint8_t {
  none,  // registers, anything without a tensor
  command,
  weights,
  parameters,  // scale records
  input,
  residual,
  output
};
const char* to_string(TensorPurpose purpose);

// What a transaction's time on its way goes into, in this order.
enum class Phase : std::uint8_t {
  arbitration,  // until the request channel is its, and the address on it
  write_data,   // on the request channel
  // At the target, which says so; else all of it is `transfer`:
  queue,  // behind earlier requests
  refresh,
  row,         // precharge and activation
  turnaround,  // of the device's data bus
  latency,     // from column command to data
  transfer,    // on the device's data bus
  // Back:
  response,  // until the response channel is its; a write's acknowledgement on it
  read_data  // on the response channel
};
inline constexpr std::size_t phase_count = static_cast<std::size_t>(Phase::read_data) + 1;

// Payload extension: which layer and tensor a transaction serves (monitors and counters read it),
// and what the bus must remember of it on its way.
struct TransactionTag : tlm::tlm_extension<TransactionTag> {
  int layer = -1;  // index into the integer network; −1: none
  TensorPurpose purpose = TensorPurpose::none;

  // The initiator's own: where the burst belongs in its transfer.
  std::uint64_t position = 0;

  // Written by the bus.
  int initiator = -1;
  sc_core::sc_time requested;
  bool granted = false;  // the request channel; `until` is that of an earlier transaction else
  // When each phase ended, at timed levels: a phase that did not happen ends with the one before. Written by
  // the bus, and by the target (queue to transfer).
  std::array<sc_core::sc_time, phase_count> until;

  // Written by a DRAM: no row had to be opened for it.
  bool row_hit = false;

  void mark(Phase phase, const sc_core::sc_time& end) {
    until[static_cast<std::size_t>(phase)] = end;
  }
  const sc_core::sc_time& end_of(Phase phase) const {
    return until[static_cast<std::size_t>(phase)];
  }

  tlm::tlm_extension_base* clone() const override { return new TransactionTag(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const TransactionTag&>(other);
  }
};

// The layer that a transaction serves; −1 where it has no tag.
inline int layer_of(const tlm::tlm_generic_payload& transaction) {
  const auto* tag = transaction.get_extension<TransactionTag>();
  return tag == nullptr ? -1 : tag->layer;
}

// Payloads of one initiator, each with its own data buffer and tag, used again and again.
class TransactionPool : public tlm::tlm_mm_interface {
 public:
  // `bytes`: size of a payload's data buffer, the largest burst.
  explicit TransactionPool(std::size_t bytes) : bytes_(bytes) {}
  ~TransactionPool() override;

  // A payload with reference count 1, data pointer and tag set; release() gives it back.
  tlm::tlm_generic_payload& acquire(tlm::tlm_command command, std::uint64_t address,
                                    std::size_t bytes, int layer, TensorPurpose purpose);
  std::size_t burst_bytes() const { return bytes_; }

 private:
  struct Slot {
    explicit Slot(TransactionPool& pool, std::size_t bytes);
    ~Slot();
    tlm::tlm_generic_payload payload;
    TransactionTag tag;
    std::vector<std::uint8_t> buffer;
  };
  void free(tlm::tlm_generic_payload* payload) override;

  std::size_t bytes_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<tlm::tlm_generic_payload*> unused_;
};

}  // namespace abacus::hw
