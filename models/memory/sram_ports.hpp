// Who has which of an SRAM's ports in which cycle; without SystemC.
//
// Time is counted in whole cycles, traffic in whole accesses. A cycle has `ports` slots, an access each:
//
//   bursts   DMA. A burst takes at most one slot a cycle, and of those the earliest that no other burst
//            has taken. Bursts come before streams: what a burst costs a stream is its accesses, no more.
//   streams  What commands read and write while they run. They share the slots that bursts leave, an
//            access each by turns. A stream that was held up goes on as fast as the ports allow.
//
// No slot stays empty while a stream has an access left, so that a single stream is served after
// ⌈(its accesses + accesses of bursts meanwhile) / ports⌉ cycles. Which slot goes to whom is decided in
// deal() and burst() alone, a stretch of cycles with a constant number of free ports at a time.
//
// `now` never goes back from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace abacus::models {

class SramPorts {
 public:
  // ports: at least 1, accesses a cycle.
  explicit SramPorts(int ports);

  // Returns the end of the cycle of the burst's last access; `now` without accesses.
  std::int64_t burst(std::int64_t now, std::int64_t accesses);

  // A stream whose first access may be in cycle `now`. Returns its number.
  int open(std::int64_t now, std::int64_t accesses);
  // The end of the cycle of its last access. While that lies after `now`, bursts and streams to come can
  // move it on, never back: ask again then.
  std::int64_t served(int stream, std::int64_t now);
  // What it has left is not served.
  void close(int stream, std::int64_t now);

 private:
  // From this cycle on, bursts hold so many ports.
  struct Step {
    std::int64_t cycle;
    std::int64_t taken;
  };
  struct Stream {
    int number;
    std::int64_t left;
    std::int64_t end;  // once nothing is left
  };
  // The streams and whose turn it is.
  struct Turns {
    std::vector<Stream> streams;
    std::size_t next = 0;

    std::vector<Stream>::const_iterator find(int number) const;
    // Cycles [from, to), `free` slots each.
    void deal(std::int64_t from, std::int64_t to, std::int64_t free);
  };
  void advance(std::int64_t now);

  std::int64_t ports_;
  std::int64_t now_ = 0;
  // In order; the first one is now's, the last one holds for ever.
  std::vector<Step> steps_{{0, 0}};
  Turns turns_;
  int next_number_ = 0;
};

}  // namespace abacus::models
