#include "models/dma/transfer_account.hpp"

#include <gtest/gtest.h>

#include <array>
#include <systemc>

namespace abacus::models {
namespace {

using sc_core::sc_time;

sc_time at(double nanoseconds) { return sc_time(nanoseconds, sc_core::SC_NS); }

// A transaction that was requested at `requested`, its phases ending then.
hw::TransactionTag transaction(double requested, const std::array<double, hw::phase_count>& until) {
  hw::TransactionTag tag;
  tag.requested = at(requested);
  tag.granted = true;
  for (std::size_t p = 0; p < until.size(); ++p) tag.until[p] = at(until[p]);
  return tag;
}

sc_time spent(const TransferAccount& account, Cause cause) {
  sc_time sum;
  for (const TransferAccount::Interval& interval : account.intervals()) {
    if (interval.cause == cause) sum += interval.time;
  }
  return sum;
}

sc_time total(const TransferAccount& account) {
  sc_time sum;
  for (const TransferAccount::Interval& interval : account.intervals()) sum += interval.time;
  return sum;
}

TEST(TransferAccount, OneReadIsItsPhases) {
  TransferAccount account;
  account.begin(at(0), Cause::weight_sram);
  const auto read = transaction(0, {2, 2, 5, 9, 20, 21, 30, 34, 37, 45});
  account.issued(read, false, at(0));
  account.delivered(read, at(45));
  account.end(at(50), at(2));
  EXPECT_EQ(spent(account, Cause::bus_request), at(2));
  EXPECT_EQ(spent(account, Cause::dram_queue), at(3));
  EXPECT_EQ(spent(account, Cause::dram_refresh), at(4));
  EXPECT_EQ(spent(account, Cause::dram_row), at(11));
  EXPECT_EQ(spent(account, Cause::dram_turnaround), at(1));
  EXPECT_EQ(spent(account, Cause::dram_latency), at(9));
  EXPECT_EQ(spent(account, Cause::dram_transfer), at(4));
  EXPECT_EQ(spent(account, Cause::bus_response), at(3));
  EXPECT_EQ(spent(account, Cause::work), at(8));
  EXPECT_EQ(spent(account, Cause::weight_sram), at(3));
  EXPECT_EQ(spent(account, Cause::pipeline), at(2));
  EXPECT_EQ(total(account), at(50));
}

// What a second burst did while the first one's data were on the bus costs nothing.
TEST(TransferAccount, OverlappingReadsCountOnce) {
  TransferAccount account;
  account.begin(at(0), Cause::weight_sram);
  const auto first = transaction(0, {2, 2, 2, 2, 10, 10, 20, 24, 26, 34});
  const auto second = transaction(0, {4, 4, 24, 24, 24, 24, 24, 28, 34, 42});
  account.issued(first, false, at(0));
  account.issued(second, false, at(0));
  account.delivered(first, at(34));
  account.delivered(second, at(42));
  account.end(at(42), at(0));
  EXPECT_EQ(spent(account, Cause::work), at(16));
  EXPECT_EQ(spent(account, Cause::dram_queue), at(0));
  EXPECT_EQ(total(account), at(42));
}

// Data of writes are work also while an earlier write is on its way; after the last of them its own way is
// what is waited for. Before the first one the SRAM is read.
TEST(TransferAccount, WritesWorkOnTheRequestChannel) {
  TransferAccount account;
  account.begin(at(0), Cause::activation_sram);
  const auto first = transaction(5, {7, 15, 15, 15, 30, 30, 35, 40, 44, 44});
  const auto second = transaction(7, {16, 24, 40, 40, 40, 40, 40, 45, 50, 50});
  account.issued(first, true, at(5));
  account.issued(second, true, at(7));
  account.delivered(first, at(44));
  account.delivered(second, at(50));
  account.end(at(50), at(0));
  EXPECT_EQ(spent(account, Cause::pipeline), at(5));
  EXPECT_EQ(spent(account, Cause::work), at(16));
  EXPECT_EQ(spent(account, Cause::dram_row), at(7));  // 15 to 16, 24 to 30
  EXPECT_EQ(total(account), at(50));
}

// A burst that the SRAM's pace held back.
TEST(TransferAccount, TheTimeBeforeARequestIsTheSramS) {
  TransferAccount account;
  account.begin(at(0), Cause::parameter_sram);
  const auto first = transaction(0, {1, 1, 1, 1, 1, 1, 1, 2, 3, 5});
  const auto second = transaction(9, {10, 10, 10, 10, 10, 10, 10, 11, 12, 14});
  account.issued(first, false, at(0));
  account.delivered(first, at(5));
  account.issued(second, false, at(9));
  account.delivered(second, at(14));
  account.end(at(14), at(0));
  EXPECT_EQ(spent(account, Cause::parameter_sram), at(4));
  EXPECT_EQ(total(account), at(14));
}

}  // namespace
}  // namespace abacus::models
