#include "tlm/transaction.hpp"

namespace abacus::hw {

const char* to_string(TensorPurpose purpose) {
  switch (purpose) {
    case TensorPurpose::none:
      return "none";
    case TensorPurpose::command:
      return "command";
    case TensorPurpose::weights:
      return "weights";
    case TensorPurpose::parameters:
      return "parameters";
    case TensorPurpose::input:
      return "input";
    case TensorPurpose::residual:
      return "residual";
    case TensorPurpose::output:
      return "output";
  }
  return "unknown";
}

TransactionPool::Slot::Slot(TransactionPool& pool, std::size_t bytes)
    : payload(&pool), buffer(bytes) {
  payload.set_extension(&tag);
}

// The payload would delete its extension; the tag is ours.
TransactionPool::Slot::~Slot() { payload.clear_extension<TransactionTag>(); }

TransactionPool::~TransactionPool() = default;

tlm::tlm_generic_payload& TransactionPool::acquire(tlm::tlm_command command, std::uint64_t address,
                                                   std::size_t bytes, int layer,
                                                   TensorPurpose purpose) {
  sc_assert(bytes > 0 && bytes <= bytes_);
  if (unused_.empty()) {
    slots_.push_back(std::make_unique<Slot>(*this, bytes_));
    unused_.push_back(&slots_.back()->payload);
    slots_.back()->payload.set_data_ptr(slots_.back()->buffer.data());
  }
  tlm::tlm_generic_payload& payload = *unused_.back();
  unused_.pop_back();
  payload.acquire();
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_length(static_cast<unsigned>(bytes));
  payload.set_streaming_width(static_cast<unsigned>(bytes));
  payload.set_byte_enable_ptr(nullptr);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  TransactionTag& tag = *payload.get_extension<TransactionTag>();
  tag.layer = layer;
  tag.purpose = purpose;
  tag.initiator = -1;
  return payload;
}

void TransactionPool::free(tlm::tlm_generic_payload* payload) { unused_.push_back(payload); }

}  // namespace abacus::hw
