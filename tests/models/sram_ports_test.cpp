#include "models/memory/sram_ports.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

namespace abacus::models {
namespace {

TEST(SramPorts, AStreamAloneHasAllPorts) {
  SramPorts ports(2);
  const int stream = ports.open(5, 20);
  EXPECT_EQ(ports.served(stream, 5), 15);
  EXPECT_EQ(ports.served(stream, 100), 15);
  const int odd = ports.open(100, 21);
  EXPECT_EQ(ports.served(odd, 100), 111);
  EXPECT_EQ(ports.served(ports.open(111, 0), 111), 111);
}

TEST(SramPorts, ABurstTakesOnePortACycle) {
  SramPorts ports(4);
  EXPECT_EQ(ports.burst(10, 5), 15);
  EXPECT_EQ(ports.burst(10, 1), 11);
  EXPECT_EQ(ports.burst(12, 0), 12);
}

TEST(SramPorts, BurstsWaitForOneAnother) {
  SramPorts ports(1);
  EXPECT_EQ(ports.burst(0, 5), 5);
  EXPECT_EQ(ports.burst(2, 3), 8);
  EXPECT_EQ(ports.burst(10, 1), 11);
}

TEST(SramPorts, ABurstCostsAStreamItsAccesses) {
  SramPorts ports(2);
  const int stream = ports.open(0, 100);
  EXPECT_EQ(ports.served(stream, 0), 50);
  ports.burst(10, 8);
  EXPECT_EQ(ports.served(stream, 10), 54);
  ports.burst(54, 8);  // too late to cost anything
  EXPECT_EQ(ports.served(stream, 54), 54);
}

TEST(SramPorts, StreamsShareByTurns) {
  SramPorts ports(1);
  const int shorter = ports.open(0, 10);
  const int longer = ports.open(0, 30);
  EXPECT_NEAR(static_cast<double>(ports.served(shorter, 0)), 20, 1);
  EXPECT_EQ(ports.served(longer, 0), 40);
  ports.close(shorter, 10);  // 5 served of each
  EXPECT_EQ(ports.served(longer, 10), 35);
}

TEST(SramPorts, RefusesNoPorts) { EXPECT_THROW(SramPorts(0), std::invalid_argument); }

// Cycle by cycle, access by access.
struct ByTheBook {
  struct Stream {
    std::int64_t start, left, end;
  };
  std::int64_t ports;
  std::vector<std::int64_t> taken;  // by bursts, each cycle
  std::vector<Stream> streams;
  std::size_t turn = 0;

  std::int64_t burst(std::int64_t now, std::int64_t accesses) {
    for (std::int64_t cycle = now; accesses > 0; ++cycle) {
      if (taken.size() <= static_cast<std::size_t>(cycle)) taken.resize(cycle + 1);
      if (taken[cycle] == ports) continue;
      ++taken[cycle];
      --accesses;
      now = cycle + 1;
    }
    return now;
  }
  void run(std::int64_t cycles) {
    taken.resize(std::max(taken.size(), static_cast<std::size_t>(cycles)));
    for (std::int64_t cycle = 0; cycle < cycles; ++cycle) {
      for (std::int64_t free = ports - taken[cycle]; free > 0; --free) {
        const auto waits = [&](const Stream& s) { return s.start <= cycle && s.left > 0; };
        if (std::none_of(streams.begin(), streams.end(), waits)) break;
        while (!waits(streams[turn % streams.size()])) ++turn;
        Stream& stream = streams[turn++ % streams.size()];
        if (--stream.left == 0) stream.end = cycle + 1;
      }
    }
  }
};

// Random bursts and streams, each waited for as the units do it: ask, wait, ask again.
TEST(SramPorts, ServesWhatCyclesByTurnsServe) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    const int width = 1 + static_cast<int>(random() % 4);
    const bool several = round % 2 == 1;
    SramPorts ports(width);
    ByTheBook book{width, {}, {}, 0};
    struct Waiting {
      int number;
      std::size_t index;
      std::int64_t asked;
    };
    std::vector<Waiting> waiting;
    std::vector<std::int64_t> ends;
    for (std::int64_t now = 0; now < 400; ++now) {
      for (std::size_t i = 0; i < waiting.size();) {
        const std::int64_t end = ports.served(waiting[i].number, now);
        ASSERT_GE(end, waiting[i].asked) << "an end came nearer";
        waiting[i].asked = end;
        if (end > now) {
          ++i;
          continue;
        }
        ends[waiting[i].index] = end;
        ports.close(waiting[i].number, now);
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (now < 300 && random() % 8 == 0) {
        const std::int64_t accesses = random() % 12;
        ASSERT_EQ(ports.burst(now, accesses), book.burst(now, accesses));
      }
      if (now < 250 && random() % 20 == 0 && (several || waiting.empty())) {
        const std::int64_t accesses = 1 + random() % 60;
        waiting.push_back({ports.open(now, accesses), ends.size(), 0});
        ends.push_back(-1);
        book.streams.push_back({now, accesses, -1});
      }
    }
    for (const Waiting& stream : waiting) ends[stream.index] = ports.served(stream.number, 400);
    book.run(4000);
    std::int64_t last = 0;
    std::int64_t book_last = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (!several) {
        EXPECT_EQ(ends[i], book.streams[i].end) << "round " << round << ", stream " << i;
      }
      last = std::max(last, ends[i]);
      book_last = std::max(book_last, book.streams[i].end);
    }
    // Whose turn it is may differ by an access each time that a stream comes or goes.
    EXPECT_EQ(last, book_last) << "a slot stayed empty";
  }
}

}  // namespace
}  // namespace abacus::models
