#include "models/dma/transfer_account.hpp"

#include <algorithm>

namespace abacus::models {

using sc_core::sc_time;

namespace {

constexpr Cause cause_of(hw::Phase phase) {
  switch (phase) {
    case hw::Phase::arbitration:
      return Cause::bus_request;
    case hw::Phase::write_data:
    case hw::Phase::read_data:
      return Cause::work;
    case hw::Phase::queue:
      return Cause::dram_queue;
    case hw::Phase::refresh:
      return Cause::dram_refresh;
    case hw::Phase::row:
      return Cause::dram_row;
    case hw::Phase::turnaround:
      return Cause::dram_turnaround;
    case hw::Phase::latency:
      return Cause::dram_latency;
    case hw::Phase::transfer:
      return Cause::dram_transfer;
    case hw::Phase::response:
      break;
  }
  return Cause::bus_response;
}

}  // namespace

void TransferAccount::begin(const sc_time& now, Cause sram) {
  intervals_.clear();
  accounted_ = now;
  sram_ = sram;
  started_ = false;
  writes_.clear();
}

void TransferAccount::add(Cause cause, const sc_time& until) {
  if (until <= accounted_) return;
  if (intervals_.empty() || intervals_.back().cause != cause) intervals_.push_back({cause, {}});
  intervals_.back().time += until - accounted_;
  accounted_ = until;
}

void TransferAccount::issued(const hw::TransactionTag& tag, bool write, const sc_time& now) {
  if (write) writes_.push_back(&tag);
  // Until the first one the SRAM's first data were on their way.
  if (!started_) add(Cause::pipeline, now);
  started_ = true;
}

void TransferAccount::add_phases(const hw::TransactionTag& tag, const sc_time& until) {
  add(sram_, std::min(tag.requested, until));
  for (std::size_t p = 0; p < hw::phase_count; ++p) {
    add(cause_of(static_cast<hw::Phase>(p)), std::min(tag.until[p], until));
  }
  add(Cause::bus_response, until);
}

void TransferAccount::delivered(const hw::TransactionTag& tag, const sc_time& now) {
  // Data of writes under way, which the request channel takes one after the other.
  for (const hw::TransactionTag* write : writes_) {
    if (!write->granted || write->end_of(hw::Phase::arbitration) >= now) continue;
    add_phases(tag, write->end_of(hw::Phase::arbitration));
    add(Cause::work, std::min(write->end_of(hw::Phase::write_data), now));
  }
  add_phases(tag, now);
  const auto own = std::find(writes_.begin(), writes_.end(), &tag);
  if (own != writes_.end()) writes_.erase(own);
}

void TransferAccount::end(const sc_time& now, const sc_time& latency) {
  if (now > accounted_ + latency) add(sram_, now - latency);
  add(Cause::pipeline, now);
}

}  // namespace abacus::models
