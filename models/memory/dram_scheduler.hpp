// When a DRAM moves the bytes asked of it by a controller that chooses among waiting requests: first ready, first
// come, first served (FR-FCFS; Rixner et al., Memory Access Scheduling, ISCA 2000), with writes in batches.
// Arithmetic on times only, in picoseconds; no process, no stored bytes, no SystemC: whoever drives it asks when
// something is next due (next()) and has it done (advance()).
//
// Parameters: DramConfig (tlm/dram_config.hpp). What the device allows: dram_channel.hpp. Each channel has
// queues and a command bus (a command a tCK; those of refreshes apart) of its own.
//   request   is cut at rows (tlm/dram_map.hpp). A part may be chosen controller_latency after its arrival, once the
//             queue has room for its bursts; queue_depth bursts of reads, and as many of writes, wait in it.
//   choice    the command that may go first: of equals a READ or WRITE before an ACTIVATE before a PRECHARGE,
//             then the older request's. A row closes once no waiting request of its kind wants it, or after
//             `streak` bursts that passed an older request for the bank.
//   writes    are answered when they have all entered the queue. They go to the device once write_high bursts of
//             them wait, until write_low, and where no read waits.
//   order     between a read and a write of the same bytes is that of arrival.
//   closed    page policy: a row closes with the last access to it that waits.
//   refresh   has its way as soon as it is due.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "models/memory/dram_channel.hpp"
#include "models/memory/dram_timing.hpp"
#include "tlm/dram_map.hpp"

namespace abacus::models {

class DramScheduler {
 public:
  using Time = DramChannel::Time;  // ps
  static constexpr Time never = std::numeric_limits<Time>::max();
  static constexpr int streak = 16;

  struct Request {
    std::uint64_t id = 0;  // the caller's
    int layer = -1;        // whom its activations are counted for
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    bool write = false;
  };
  // A request that is answered. service.completed may be after the time of advance(); of a write `activates` is
  // 0, since its rows open later.
  struct Answer {
    std::uint64_t id;
    DramTiming::Service service;
  };

  // Throws std::invalid_argument naming the parameters that are out of range or contradict each other.
  explicit DramScheduler(const hw::DramConfig& config);

  // A request that arrives at `arrival`, which is after the last advance().
  void push(Time arrival, const Request& request);
  // When something is next due; `never` where nothing waits.
  Time next() const;
  // Does what is due until `now` (`never`: all that waits), appends who is answered and, for each ACTIVATE, its request's layer.
  void advance(Time now, std::vector<Answer>& answers, std::vector<int>& activates);
  // Bursts of a request.
  int bursts_of(const Request& request) const;

  // As DramTiming's. Nothing may be unanswered; writes under way are forgotten.
  void restart(Time time);
  DramTiming::Residency residency(Time time) const;
  void log_to(std::vector<DramCommand>* log);

 private:
  struct Waiting {
    Request request;
    Time arrival = 0;
    Time ready = 0;   // arrival and the controller's latency
    int parts = 0;    // not finished
    int outside = 0;  // not in the queue
    int bursts = 0;
    int activates = 0;
    Time row_from = never;  // first command for a row
    Time column = never;    // first one of data
    Time turnaround = 0;    // that this one waited
    Time cas = 0;           // its latency
    Time refreshed = 0;
    Time data_end = 0;
    std::uint64_t age = 0;
    bool used = false;
  };
  struct Part {
    std::size_t request;  // index
    std::uint64_t age;
    Time ready;
    int bank;
    std::int64_t row;
    int bursts;
  };
  enum class Step { none, admit_read, admit_write, refresh, column, activate, precharge };
  struct Decision {
    Time at = never;
    Step step = Step::none;
    bool writing = false;
    std::size_t part = 0;
    Time turnaround = 0;
  };
  struct Channel {
    explicit Channel(DramChannel channel) : device(std::move(channel)) {}
    DramChannel device;
    std::vector<Part> queue[2];  // of reads, of writes; by age
    std::deque<Part> outside[2];
    int bursts[2] = {0, 0};   // in the queues
    std::vector<int> passed;  // of each bank: bursts that passed an older request
    bool writing = false;
    Time last = 0;  // decision
    Time command_bus = 0;
    Decision decision;
  };

  void decide(Channel& channel) const;
  Decision command(const Channel& channel, bool writing) const;
  bool chooses_writes(const Channel& channel) const;
  // Whether an older request of the other kind wants some of the same bytes.
  bool held_back(const Channel& channel, const Part& part, bool write) const;
  void carry_out(Channel& channel, std::vector<Answer>& answers, std::vector<int>& activates);
  void admit(Channel& channel, bool write, std::vector<Answer>& answers);
  void move(Channel& channel, std::vector<Answer>& answers);
  DramTiming::Service service_of(const Waiting& waiting) const;
  void finish_part(std::size_t request);

  hw::DramMap map_;
  Time controller_latency_;
  bool closes_;
  int depth_, write_high_, write_low_;
  std::vector<Channel> channels_;
  std::vector<Waiting> requests_;
  std::vector<std::size_t> unused_;
  std::uint64_t pushed_ = 0;
  Time epoch_ = 0;
};

}  // namespace abacus::models
