// The devices that have a name, under both controllers: every command that goes to one is one that its timings
// allow, each timing is used to its limit, and a clock less is refused; bandwidth at the controller's port.
#include "tlm/dram_devices.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "benchmarks/dram_stream.hpp"
#include "models/memory/dram_scheduler.hpp"
#include "tests/models/dram_rules.hpp"

namespace abacus::models {
namespace {

using benchmarks::dram_stream;
using benchmarks::DramDice;
using benchmarks::DramRequest;
using benchmarks::DramStreamResult;
using test::DramVerdict;

struct Case {
  std::string device;
  std::string controller;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.device << ", " << c.controller; }

class NamedDram : public ::testing::TestWithParam<Case> {
 protected:
  hw::DramConfig config() const {
    hw::DramConfig config = hw::find_dram_device(GetParam().device)->config;
    config.controller = GetParam().controller;
    return config;
  }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const hw::DramDevice& device : hw::dram_devices()) {
    for (const std::string& controller : hw::dram_controllers()) {
      all.push_back({device.name, controller});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(, NamedDram, ::testing::ValuesIn(cases()), [](const auto& of) {
  std::string name = of.param.device + "_" + of.param.controller;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// Reads and writes of all sizes, in runs, in few rows of all banks, close together and far apart.
DramStreamResult traffic(const hw::DramConfig& config, std::uint64_t seed, int requests = 1500) {
  DramDice dice(seed);
  DramDice gaps(seed + 1000);
  const auto span =
      static_cast<std::uint64_t>(config.row_bytes) * config.banks * 3 * config.channels;
  const auto burst = static_cast<std::uint64_t>(config.burst_bits() / 8);
  std::uint64_t address = 0;
  bool write = false;
  const auto next = [&](int) {
    if (dice.below(3) == 0) address = dice.below(span) / burst * burst;
    if (dice.below(4) == 0) write = !write;
    const DramRequest request{address, burst << dice.below(5), write};
    address = (address + request.bytes) % span;
    return request;
  };
  const auto gap = [&](int i) {
    return i % 500 == 0 ? std::uint64_t{3'000'000} : gaps.below(8) == 0 ? gaps.below(400'000) : 0;
  };
  return dram_stream(config, requests, 1 + static_cast<int>(seed * 5 % 24), next, gap);
}

std::set<std::string> timings_of(const hw::DramConfig& c) {
  std::set<std::string> timings = {"tRCD", "tRAS",   "tRP",  "tRTP",
                                   "tWR",  "tCCD_S", "tWTR", "read to write"};
  if (c.t_rrd_s != 0) timings.insert("tRRD_S");
  if (c.t_rrd_l != 0) timings.insert("tRRD_L");
  if (c.t_faw != 0) timings.insert("tFAW");
  if (c.t_ccd_l != 0) timings.insert("tCCD_L");
  if (c.t_wtr_l != 0) timings.insert("tWTR_L");
  if (c.refresh == "per-bank") {
    timings.insert({"tRFC_pb", "tRP to REFRESH of a bank"});
  } else {
    timings.insert({"tRFC", "tRP to REFRESH"});
  }
  if (c.power_down_after != 0) timings.insert("tXP");
  if (c.power_down_after != 0 && c.page_policy == "open") timings.insert("tRP to power-down");
  return timings;
}

TEST_P(NamedDram, EveryTimingIsKeptAndUsedToItsLimitAndAClockLessIsRefused) {
  for (const char* refresh : {"all-bank", "per-bank"}) {
    for (const char* page : {"open", "closed"}) {
      for (const double power_down_after : {0.0, 100.0}) {
        hw::DramConfig c = config();
        c.refresh = refresh;
        c.page_policy = page;
        c.power_down_after = power_down_after;
        if (hw::broken_rule(c)) continue;  // a device without per-bank refresh, or power-down
        SCOPED_TRACE(std::string(refresh) + ", " + page + ", " + std::to_string(power_down_after));
        std::set<std::string> left = timings_of(c);
        for (std::uint64_t seed = 1; seed <= 10 && !left.empty(); ++seed) {
          const auto commands = test::in_time(traffic(c, seed).commands);
          const DramVerdict verdict = test::judge(commands, c);
          ASSERT_TRUE(verdict.broken.empty()) << "seed " << seed << ": " << verdict.broken.front();
          const auto clock = static_cast<std::int64_t>(std::llround(c.t_ck * 1e3));
          for (const auto& [timing, slack] : verdict.slack) {
            if (slack >= clock || left.erase(timing) == 0) continue;
            // What it follows stands shortly before it.
            const std::size_t place = verdict.tightest.at(timing);
            std::vector<DramCommand> earlier(
                commands.begin() +
                    static_cast<std::ptrdiff_t>(place - std::min<std::size_t>(place, 600)),
                commands.begin() + static_cast<std::ptrdiff_t>(place + 1));
            earlier.back().time -= static_cast<std::uint64_t>(clock);
            EXPECT_TRUE(test::judge(earlier, c).breaks(timing)) << timing;
          }
        }
        for (const std::string& timing : left)
          ADD_FAILURE() << timing << " was never used to its limit";
      }
    }
  }
}

double share(const hw::DramConfig& c, const DramStreamResult& result) {
  return result.gigabytes_a_second() / c.peak_bandwidth();
}

TEST_P(NamedDram, ASequentialStreamTakesNineTenthsOfPeakLessRefresh) {
  for (const bool write : {false, true}) {
    for (const int channels : {1, 2}) {
      hw::DramConfig c = config();
      c.channels = channels;
      const DramStreamResult stream = dram_stream(c, 20000, 32, [&](int i) {
        return DramRequest{static_cast<std::uint64_t>(i) * 256, 256, write};
      });
      const double refresh = c.t_rfc / c.t_refi;
      EXPECT_GE(share(c, stream), 0.9 * (1 - refresh))
          << (write ? "write, " : "read, ") << channels;
      EXPECT_LE(share(c, stream), 1);
    }
  }
}

TEST_P(NamedDram, EveryByteOfRandomTrafficMovesOnce) {
  const hw::DramConfig c = config();
  const DramStreamResult result = traffic(c, 7);
  std::uint64_t bursts = 0;
  for (const DramCommand& command : result.commands) {
    bursts += command.kind == DramCommand::Kind::read || command.kind == DramCommand::Kind::write;
  }
  EXPECT_EQ(bursts * static_cast<std::uint64_t>(c.burst_bits() / 8), result.bytes);
}

TEST_P(NamedDram, RefreshesComeAsOftenAsTheyMust) {
  for (const bool banks : {false, true}) {
    hw::DramConfig c = config();
    c.refresh = banks ? "per-bank" : "all-bank";
    if (hw::broken_rule(c)) continue;
    const DramStreamResult stream = dram_stream(c, 20000, 32, [&](int i) {
      return DramRequest{static_cast<std::uint64_t>(i) * 256, 256, false};
    });
    const auto kind = banks ? DramCommand::Kind::refresh_bank : DramCommand::Kind::refresh;
    const auto refreshes =
        std::count_if(stream.commands.begin(), stream.commands.end(),
                      [&](const DramCommand& command) { return command.kind == kind; });
    const double due =
        static_cast<double>(stream.picoseconds) / ((banks ? c.t_refi / c.banks : c.t_refi) * 1e3);
    // The last ones may be put off while data move.
    EXPECT_GE(static_cast<double>(refreshes), due - 6);
    EXPECT_LE(static_cast<double>(refreshes), due + 1);
  }
}

DramChannel::Time sum(const DramTiming::Service& s) {
  return s.queue + s.refresh + s.row + s.turnaround + s.latency + s.transfer;
}
DramChannel::Time sum(const DramTiming::Residency& r) {
  return r.active + r.precharged + r.refreshing + r.powered_down;
}

// With all that a controller may choose.
hw::DramConfig chosen(const hw::DramConfig& c, DramDice& dice) {
  for (;;) {
    hw::DramConfig choice = c;
    choice.mapping = hw::dram_mappings()[dice.below(3)];
    choice.page_policy = hw::dram_page_policies()[dice.below(2)];
    choice.refresh = hw::dram_refreshes()[dice.below(2)];
    choice.channels = 1 << dice.below(3);
    choice.controller_latency = dice.below(2) == 0 ? 0 : 12.5;
    choice.power_down_after = dice.below(2) == 0 ? 0 : 80;
    choice.queue_depth = 8 << dice.below(4);
    choice.write_high = choice.queue_depth / 2;
    choice.write_low = 2;
    if (!hw::broken_rule(choice)) return choice;
  }
}

TEST_P(NamedDram, PhasesOfARequestAddUpToItsTimeAndStatesToAllOfIt) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    DramDice dice(seed);
    const hw::DramConfig c = chosen(config(), dice);
    DramTiming in_order(c);
    DramScheduler reordering(c);
    in_order.restart(1'000'003);
    reordering.restart(1'000'003);
    const bool orders = c.controller == "in-order";
    DramChannel::Time now = 1'000'003;
    DramChannel::Time last = now;
    std::vector<DramChannel::Time> arrivals;
    std::vector<DramScheduler::Answer> answers;
    std::vector<int> activates;
    for (std::uint64_t i = 0; i < 400; ++i) {
      now += 1 + dice.below(dice.below(20) == 0 ? 2'000'000 : 30'000);
      const std::uint64_t address = dice.below(1u << 18);
      const std::uint64_t bytes = 1 + dice.below(600);
      const bool write = dice.below(3) == 0;
      if (orders) {
        const DramTiming::Service service = in_order.access(now, address, bytes, write);
        ASSERT_EQ(sum(service), service.completed - now) << "seed " << seed << ", " << i;
        last = std::max(last, service.completed);
        continue;
      }
      // What is due before it has been done.
      while (reordering.next() < now) reordering.advance(reordering.next(), answers, activates);
      arrivals.push_back(now);
      reordering.push(now, {i, -1, address, bytes, write});
    }
    reordering.advance(DramScheduler::never, answers, activates);
    ASSERT_EQ(answers.size(), arrivals.size());
    for (const DramScheduler::Answer& answer : answers) {
      ASSERT_EQ(sum(answer.service), answer.service.completed - arrivals[answer.id])
          << "seed " << seed << ", " << answer.id;
      last = std::max(last, answer.service.completed);
    }
    // Writes may go on after their answers.
    const DramChannel::Time end = std::max(last, now) + 20'000'000;
    const DramTiming::Residency spent =
        orders ? in_order.residency(end) : reordering.residency(end);
    EXPECT_EQ(sum(spent), (end - 1'000'003) * static_cast<DramChannel::Time>(c.channels))
        << "seed " << seed;
    EXPECT_EQ(spent.powered_down > 0, c.power_down_after > 0);
    EXPECT_GT(spent.refreshes, 0);
  }
}

TEST_P(NamedDram, ARowMissAfterPowerDownWaitsForItsExit) {
  hw::DramConfig c = config();
  if (c.t_xp == 0) return;
  c.controller = "in-order";
  c.page_policy = "open";
  c.power_down_after = 100;
  DramTiming dram(c);
  dram.access(0, 0, 1, false);
  const auto later = static_cast<DramChannel::Time>(std::llround(c.t_ck * 1e3)) * 500;
  const DramTiming::Service service = dram.access(later, 0, 1, false);
  EXPECT_EQ(service.activates, 1);
  const double nanoseconds = c.t_xp + c.t_rcd + c.t_cl + c.burst_ns();
  EXPECT_NEAR(static_cast<double>(service.completed - later), 1e3 * nanoseconds, 2e3 * c.t_ck);
  c.power_down_after = 0;
  DramTiming awake(c);
  awake.access(0, 0, 1, false);
  EXPECT_EQ(awake.access(later, 0, 1, false).activates, 0);
}

TEST_P(NamedDram, ItsOwnNumbersDoNotContradictEachOther) {
  EXPECT_FALSE(hw::broken_rule(config()));
  const hw::DramDevice& device = *hw::find_dram_device(GetParam().device);
  EXPECT_FALSE(device.source.empty());
  EXPECT_EQ(device.config.device, device.name);
}

}  // namespace
}  // namespace abacus::models
