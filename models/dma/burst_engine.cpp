#include "models/dma/burst_engine.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace abacus::models {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

std::size_t checked_burst_bytes(const hw::DmaConfig& config) {
  if (config.burst_bytes < 1 || config.outstanding < 1) {
    throw std::invalid_argument("dma: burst_bytes and outstanding must be at least 1");
  }
  return static_cast<std::size_t>(config.burst_bytes);
}

}  // namespace

BurstEngine::BurstEngine(const sc_core::sc_module_name& name, const hw::DmaConfig& config,
                         Context& context)
    : sc_module(name),
      context_(context),
      burst_bytes_(checked_burst_bytes(config)),
      outstanding_(config.outstanding),
      pool_(burst_bytes_) {
  socket.register_nb_transport_bw(this, &BurstEngine::nb_transport_bw);
  socket.register_invalidate_direct_mem_ptr(this, &BurstEngine::invalidate_direct_mem_ptr);
  SC_HAS_PROCESS(BurstEngine);
  SC_METHOD(issue);
  sensitive << issue_event_;
  dont_initialize();
  SC_METHOD(finish);
  sensitive << finish_event_;
  dont_initialize();
}

bool BurstEngine::run(const BurstTransfer& transfer) {
  start(transfer);
  while (busy_) wait(done_event_);
  return ok_;
}

void BurstEngine::start(const BurstTransfer& transfer) {
  sc_assert(!busy_);
  transfer_ = transfer;
  ok_ = true;
  if (transfer.rows == 0 || transfer.row_bytes == 0) return;
  if (!context_.timed()) {
    move_directly();
    return;
  }
  const bool gapless = transfer.rows == 1 || transfer.stride == transfer.row_bytes;
  runs_ = gapless ? 1 : transfer.rows;
  run_bytes_ = gapless ? transfer.rows * transfer.row_bytes : transfer.row_bytes;
  run_ = 0;
  offset_ = 0;
  busy_ = true;
  const sc_time now = sc_time_stamp();
  issue_from_ = now;
  served_ = now;
  if (transfer.sram != nullptr) account_.begin(now, transfer.sram->ports_cause());
  if (transfer.sram != nullptr && transfer.command == tlm::TLM_WRITE_COMMAND) {
    const std::int64_t cycles = sram_accesses(0, std::min(burst_bytes_, run_bytes_)) +
                                transfer.sram->config().latency_cycles;
    issue_from_ += context_.cycles(static_cast<double>(cycles));
  }
  issue();
}

BurstEngine::Burst BurstEngine::next_burst() {
  const std::uint64_t address = transfer_.address + run_ * transfer_.stride + offset_;
  const std::uint64_t bytes = std::min(burst_bytes_ - address % burst_bytes_, run_bytes_ - offset_);
  const Burst burst{address, run_ * run_bytes_ + offset_, bytes};
  offset_ += bytes;
  if (offset_ == run_bytes_) {
    offset_ = 0;
    ++run_;
  }
  return burst;
}

void BurstEngine::issue() {
  while (more() && under_way_ < outstanding_) {
    const sc_time now = sc_time_stamp();
    if (issue_from_ > now) {
      issue_event_.notify(issue_from_ - now);
      return;
    }
    const Burst burst = next_burst();
    tlm::tlm_generic_payload& transaction = pool_.acquire(
        transfer_.command, burst.address, burst.bytes, transfer_.layer, transfer_.purpose);
    transaction.get_extension<hw::TransactionTag>()->position = burst.position;
    if (transaction.is_write()) {
      copy(burst.position, transaction.get_data_ptr(), burst.bytes, false);
      issue_from_ = std::max(issue_from_, now + access_sram(burst.position, burst.bytes));
    }
    ++under_way_;
    if (transfer_.sram != nullptr) {
      account_.issued(*transaction.get_extension<hw::TransactionTag>(), transaction.is_write(),
                      now);
    }
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_time delay = sc_core::SC_ZERO_TIME;
    const tlm::tlm_sync_enum answer = socket->nb_transport_fw(transaction, phase, delay);
    if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP)) {
      SC_REPORT_FATAL("abacus/dma", "the bus must answer BEGIN_REQ with END_REQ");
    }
  }
}

// The SRAM's accesses of a burst from now on; returns by how much they exceed their own time.
sc_time BurstEngine::access_sram(std::uint64_t position, std::uint64_t bytes) {
  if (transfer_.sram == nullptr) return sc_core::SC_ZERO_TIME;
  const std::int64_t accesses = sram_accesses(position, bytes);
  own_access_ = context_.cycle() * static_cast<double>(accesses);
  const sc_time alone = sc_time_stamp() + context_.cycle() * static_cast<double>(accesses);
  const sc_time served = transfer_.sram->burst(accesses);
  served_ = std::max(served_, served);
  return served > alone ? served - alone : sc_core::SC_ZERO_TIME;
}

std::int64_t BurstEngine::sram_accesses(std::uint64_t position, std::uint64_t bytes) const {
  std::int64_t accesses = 0;
  for_each_piece(position, bytes, [&](std::uint64_t, std::uint64_t piece) {
    accesses += transfer_.sram->accesses(piece);
  });
  return accesses;
}

template <typename Visit>
void BurstEngine::for_each_piece(std::uint64_t position, std::uint64_t bytes,
                                 const Visit& visit) const {
  const bool together = transfer_.local_stride == transfer_.row_bytes;
  if (together) return visit(position, bytes);
  std::uint64_t row = position / transfer_.row_bytes;
  std::uint64_t offset = position % transfer_.row_bytes;
  while (bytes > 0) {
    const std::uint64_t piece = std::min(bytes, transfer_.row_bytes - offset);
    visit(row * transfer_.local_stride + offset, piece);
    bytes -= piece;
    offset = 0;
    ++row;
  }
}

tlm::tlm_sync_enum BurstEngine::nb_transport_bw(tlm::tlm_generic_payload& transaction,
                                                tlm::tlm_phase& phase, sc_time&) {
  if (phase == tlm::END_REQ) return tlm::TLM_ACCEPTED;
  --under_way_;
  if (transfer_.sram != nullptr) {
    account_.delivered(*transaction.get_extension<hw::TransactionTag>(), sc_time_stamp());
  }
  if (!transaction.is_response_ok()) {
    ok_ = false;
  } else if (transaction.is_read()) {
    const std::uint64_t bytes = transaction.get_data_length();
    const std::uint64_t position = transaction.get_extension<hw::TransactionTag>()->position;
    copy(position, transaction.get_data_ptr(), bytes, true);
    issue_from_ = std::max(issue_from_, sc_time_stamp() + access_sram(position, bytes));
  }
  transaction.release();
  if (more()) {
    issue();
  } else if (under_way_ == 0) {
    // A transfer lasts for as long as it takes slots of the SRAM, also where narrow ports read more
    // slowly than the bus takes the data: nothing of it is left to whoever comes next.
    finish_event_.notify(std::max(sc_time_stamp(), served_) + read_latency() - sc_time_stamp());
  }
  return tlm::TLM_COMPLETED;
}

// Until the last burst read stands in the SRAM.
sc_time BurstEngine::read_latency() const {
  if (transfer_.sram == nullptr || transfer_.command != tlm::TLM_READ_COMMAND) {
    return sc_core::SC_ZERO_TIME;
  }
  return context_.cycle() * transfer_.sram->config().latency_cycles;
}

void BurstEngine::finish() {
  if (transfer_.sram != nullptr)
    account_.end(sc_time_stamp(), transfer_.command == tlm::TLM_READ_COMMAND
                                      ? read_latency() + own_access_
                                      : sc_core::SC_ZERO_TIME);
  busy_ = false;
  done_event_.notify();
}

void BurstEngine::copy(std::uint64_t position, std::uint8_t* data, std::uint64_t bytes,
                       bool to_local) {
  for_each_piece(position, bytes, [&](std::uint64_t offset, std::uint64_t piece) {
    std::uint8_t* local = transfer_.local + offset;
    if (to_local) {
      std::memcpy(local, data, piece);
      if (transfer_.sram != nullptr) {
        transfer_.sram->wrote(static_cast<std::uint32_t>(local - transfer_.sram->data()),
                              static_cast<std::uint32_t>(piece));
      }
    } else {
      std::memcpy(data, local, piece);
    }
    data += piece;
  });
}

// Functional level -------------------------------------------------------------------------------

void BurstEngine::move_directly() {
  const bool gapless = (transfer_.rows == 1 || transfer_.stride == transfer_.row_bytes) &&
                       (transfer_.rows == 1 || transfer_.local_stride == transfer_.row_bytes);
  const std::uint64_t rows = gapless ? 1 : transfer_.rows;
  const std::uint64_t bytes = gapless ? transfer_.rows * transfer_.row_bytes : transfer_.row_bytes;
  for (std::uint64_t row = 0; row < rows && ok_; ++row) {
    std::uint8_t* local = transfer_.local + row * transfer_.local_stride;
    ok_ = move_row_directly(transfer_.address + row * transfer_.stride, local, bytes);
    if (ok_ && transfer_.sram != nullptr && transfer_.command == tlm::TLM_READ_COMMAND) {
      transfer_.sram->wrote(static_cast<std::uint32_t>(local - transfer_.sram->data()),
                            static_cast<std::uint32_t>(bytes));
    }
  }
}

bool BurstEngine::move_row_directly(std::uint64_t address, std::uint8_t* local,
                                    std::uint64_t bytes) {
  const bool read = transfer_.command == tlm::TLM_READ_COMMAND;
  if (std::uint8_t* memory = direct_pointer(address, bytes); memory != nullptr) {
    if (read) {
      std::memcpy(local, memory, bytes);
    } else {
      std::memcpy(memory, local, bytes);
    }
    return true;
  }
  while (bytes > 0) {
    const std::uint64_t part = std::min(bytes, burst_bytes_ - address % burst_bytes_);
    tlm::tlm_generic_payload& transaction =
        pool_.acquire(transfer_.command, address, part, transfer_.layer, transfer_.purpose);
    if (!read) std::memcpy(transaction.get_data_ptr(), local, part);
    sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(transaction, delay);
    const bool ok = transaction.is_response_ok();
    if (ok && read) std::memcpy(local, transaction.get_data_ptr(), part);
    transaction.release();
    if (!ok) return false;
    address += part;
    local += part;
    bytes -= part;
  }
  return true;
}

std::uint8_t* BurstEngine::direct_pointer(std::uint64_t address, std::uint64_t bytes) {
  if (!dmi_valid_) {
    tlm::tlm_generic_payload& transaction =
        pool_.acquire(transfer_.command, address, 1, transfer_.layer, transfer_.purpose);
    dmi_valid_ = socket->get_direct_mem_ptr(transaction, dmi_) && dmi_.is_read_write_allowed();
    transaction.release();
  }
  if (!dmi_valid_ || address < dmi_.get_start_address() || address > dmi_.get_end_address() ||
      bytes - 1 > dmi_.get_end_address() - address) {
    return nullptr;
  }
  return dmi_.get_dmi_ptr() + (address - dmi_.get_start_address());
}

void BurstEngine::invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) { dmi_valid_ = false; }

}  // namespace abacus::models
