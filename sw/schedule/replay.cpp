#include "sw/schedule/replay.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <deque>
#include <optional>
#include <stdexcept>

#include "models/memory/dram_scheduler.hpp"
#include "models/memory/dram_timing.hpp"
#include "models/memory/sram_ports.hpp"
#include "models/timing/compute_time.hpp"
#include "tlm/command_stream.hpp"

namespace abacus::schedule {
namespace {

using Time = models::DramTiming::Time;

constexpr Time never = std::numeric_limits<Time>::max();
constexpr std::size_t engines = 3;  // of sequencer, load, store
constexpr std::size_t units = 3;    // load, compute, store
constexpr std::size_t compute = 1;
constexpr std::uint32_t words_per_buffer = 128;

// What is due once at a time; in this order where several are due together.
enum Event : std::size_t {
  deliver,
  issue,                     // of engine i: issue + i
  finish = issue + engines,  // likewise
  compute_wake = finish + engines,
  arbitrate,
  serve,  // of a DRAM controller that reorders
  sequencer_wake,
  events
};

// An SRAM's ports on the replay's clock.
struct Memory {
  explicit Memory(const hw::SramConfig& sram, Time period)
      : config(sram), cycle(period), ports(sram.banks) {}

  std::int64_t accesses(std::uint64_t bytes) const {
    const auto port = static_cast<std::uint64_t>(config.port_bytes);
    return static_cast<std::int64_t>((bytes + port - 1) / port);
  }
  std::int64_t at(Time now) const { return static_cast<std::int64_t>((now + cycle - 1) / cycle); }
  Time burst(Time now, std::int64_t count) {
    return static_cast<Time>(ports.burst(at(now), count)) * cycle;
  }

  hw::SramConfig config;
  Time cycle;
  models::SramPorts ports;
};

struct Transfer {
  std::uint64_t address = 0;
  std::uint64_t row_bytes = 0;
  std::uint64_t rows = 1;
  std::uint64_t stride = 0;
  std::uint64_t local_stride = 0;
  Memory* memory = nullptr;
  bool write = false;
};

struct Burst {
  std::uint64_t address;
  std::uint64_t position;
  std::uint64_t bytes;
  bool write;
  std::size_t engine;
};

// As models/dma/burst_engine.
struct Engine {
  std::uint64_t burst_bytes = 0;
  int outstanding = 0;
  Transfer transfer;
  std::uint64_t runs = 0, run_bytes = 0, run = 0, offset = 0;
  int under_way = 0;
  bool busy = false;
  Time issue_from = 0;
  Time served = 0;

  bool more() const { return run < runs; }

  Burst next(std::size_t number) {
    const std::uint64_t address = transfer.address + run * transfer.stride + offset;
    const std::uint64_t bytes = std::min(burst_bytes - address % burst_bytes, run_bytes - offset);
    const Burst burst{address, run * run_bytes + offset, bytes, transfer.write, number};
    offset += bytes;
    if (offset == run_bytes) {
      offset = 0;
      ++run;
    }
    return burst;
  }

  std::int64_t accesses(std::uint64_t position, std::uint64_t bytes) const {
    if (transfer.local_stride == transfer.row_bytes) return transfer.memory->accesses(bytes);
    std::int64_t sum = 0;
    std::uint64_t place = position % transfer.row_bytes;
    while (bytes > 0) {
      const std::uint64_t piece = std::min(bytes, transfer.row_bytes - place);
      sum += transfer.memory->accesses(piece);
      bytes -= piece;
      place = 0;
    }
    return sum;
  }
};

class Replay {
 public:
  Replay(const std::vector<hw::Command>& commands, std::uint64_t command_address,
         const hw::HardwareConfig& hardware, std::int64_t at_most)
      : commands_(commands),
        hardware_(hardware),
        at_most_(at_most),
        cycle_(static_cast<Time>(std::llround(1e6 / hardware.clock_mhz))),
        command_address_(command_address),
        activation_(hardware.activation_sram, cycle_),
        weight_(hardware.weight_sram, cycle_),
        parameter_(hardware.parameter_sram, cycle_),
        dram_(hardware.dram) {
    if (hardware.dram.controller == "fr-fcfs") scheduler_.emplace(hardware.dram);
    due_.fill(never);
    const std::array<const hw::DmaConfig*, engines> dma = {&hardware.load_dma, &hardware.load_dma,
                                                           &hardware.store_dma};
    for (std::size_t i = 0; i < engines; ++i) {
      engines_[i].burst_bytes = static_cast<std::uint64_t>(dma[i]->burst_bytes);
      engines_[i].outstanding = dma[i]->outstanding;
    }
    hw::CommandHistory history;
    std::vector<std::uint32_t> words;
    words_.reserve(commands.size());
    for (const hw::Command& command : commands) {
      words.clear();
      history.encode(command, words);
      words_.push_back(static_cast<std::uint32_t>(words.size()));
      all_words_ += words_.back();
    }
  }

  std::int64_t run() {
    fetch_commands();
    left_ = words_.front();
    progress();
    while (!ended_) {
      const auto next = std::min_element(due_.begin(), due_.end());
      if (*next == never) throw std::logic_error("the program waits for tokens that nobody raises");
      now_ = *next;
      if (static_cast<std::int64_t>(now_ / cycle_) > at_most_) break;
      *next = never;
      handle(static_cast<std::size_t>(next - due_.begin()));
      progress();
    }
    return static_cast<std::int64_t>((now_ + cycle_ / 2) / cycle_);
  }

 private:
  void notify(std::size_t event, Time at) { due_[event] = std::min(due_[event], at); }

  void handle(std::size_t event) {
    if (event == deliver) return deliver_response();
    if (event == arbitrate) return arbitrate_requests();
    if (event == serve) return serve_requests();
    if (event == compute_wake) return look_at_phase();
    if (event == sequencer_wake) {
      decoded_ = true;
    } else if (event < finish) {
      issue_bursts(event - issue);
    } else {
      end_transfer(event - finish);
    }
  }

  // Until nothing more happens now.
  void progress() {
    bool any = true;
    while (any && !ended_) {
      any = sequence();
      for (std::size_t unit = 0; unit < units; ++unit) any = start(unit) || any;
    }
  }

  // Sequencer ------------------------------------------------------------------------------------

  void fetch_commands() {
    const std::uint32_t words = std::min(words_per_buffer, all_words_ - requested_);
    if (words == 0) return;
    Transfer transfer;
    transfer.address = command_address_ + std::uint64_t{requested_} * sizeof(std::uint32_t);
    transfer.row_bytes = words * sizeof(std::uint32_t);
    requested_ += words;
    begin_transfer(0, transfer);
  }

  // Whether it got any further.
  bool sequence() {
    while (left_ != 0) {
      if (used_ % words_per_buffer == 0) {
        if (engines_[0].busy) return false;
        fetch_commands();
      }
      const std::uint32_t words = std::min(left_, words_per_buffer - used_ % words_per_buffer);
      used_ += words;
      left_ -= words;
      if (left_ == 0) notify(sequencer_wake, now_ + cycle_);
    }
    if (!decoded_) return false;
    const hw::Command& command = commands_[next_];
    if (command.opcode == hw::Opcode::finish) {
      ended_ = idle() && take(command.wait);
      return false;
    }
    const std::size_t unit = command.opcode == hw::Opcode::load    ? 0
                             : command.opcode == hw::Opcode::store ? 2
                                                                   : compute;
    if (queues_[unit].size() >= static_cast<std::size_t>(hardware_.command_queue)) return false;
    queues_[unit].push_back(next_);
    decoded_ = false;
    left_ = words_[++next_];
    return true;
  }

  bool idle() const {
    for (std::size_t unit = 0; unit < units; ++unit) {
      if (executing_[unit] || !queues_[unit].empty()) return false;
    }
    return true;
  }

  bool take(std::uint16_t mask) {
    for (std::size_t i = 0; mask >> i != 0; ++i) {
      if ((mask >> i & 1) != 0 && tokens_[i] == 0) return false;
    }
    for (std::size_t i = 0; mask >> i != 0; ++i) tokens_[i] -= mask >> i & 1;
    return true;
  }

  // Units ----------------------------------------------------------------------------------------

  bool start(std::size_t unit) {
    if (executing_[unit] || queues_[unit].empty()) return false;
    const hw::Command& command = commands_[queues_[unit].front()];
    if (!take(command.wait)) return false;
    queues_[unit].pop_front();
    executing_[unit] = true;
    current_[unit] = &command;
    if (unit == compute) {
      time_ = models::compute_time(command, hardware_);
      phase_ = 0;
      begin_phase();
    } else {
      begin_transfer(unit == 0 ? 1 : 2, transfer_of(command));
    }
    return true;
  }

  void end(std::size_t unit) {
    executing_[unit] = false;
    const std::uint16_t signal = current_[unit]->signal;
    for (std::size_t i = 0; signal >> i != 0; ++i) tokens_[i] += signal >> i & 1;
  }

  void begin_phase() {
    const models::ComputePhase& phase = time_.phases[static_cast<std::size_t>(phase_)];
    const std::array<std::int64_t, 3> accesses = {phase.activation_reads + phase.activation_writes,
                                                  phase.weight_reads, phase.parameter_reads};
    own_end_ = now_ + static_cast<Time>(phase.cycles) * cycle_;
    streams_ = 0;
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      if (accesses[i] == 0) continue;
      Memory& memory = *memories_[i];
      stream_[streams_++] = {&memory, memory.ports.open(memory.at(now_), accesses[i])};
    }
    look_at_phase();
  }

  void look_at_phase() {
    for (;;) {
      Time until = own_end_;
      for (std::size_t i = 0; i < streams_; ++i) {
        Memory& memory = *stream_[i].memory;
        const auto served = memory.ports.served(stream_[i].number, memory.at(now_));
        until = std::max(until, static_cast<Time>(served) * cycle_);
      }
      const models::ComputePhase& phase = time_.phases[static_cast<std::size_t>(phase_)];
      until += static_cast<Time>(phase.latency) * cycle_;
      if (until > now_) return notify(compute_wake, until);
      for (std::size_t i = 0; i < streams_; ++i) {
        Memory& memory = *stream_[i].memory;
        memory.ports.close(stream_[i].number, memory.at(now_));
      }
      if (++phase_ == time_.count) return end(compute);
      return begin_phase();
    }
  }

  // Transfers ------------------------------------------------------------------------------------

  Transfer transfer_of(const hw::Command& command) {
    const hw::TransferFields& f = command.transfer;
    Transfer transfer;
    transfer.address = f.dram_address;
    transfer.row_bytes = f.row_bytes;
    transfer.rows = f.rows;
    transfer.stride = f.dram_stride;
    transfer.local_stride = f.onchip_stride;
    transfer.memory = f.memory == hw::OnChipMemory::activation ? &activation_
                      : f.memory == hw::OnChipMemory::weight   ? &weight_
                                                               : &parameter_;
    transfer.write = command.opcode == hw::Opcode::store;
    return transfer;
  }

  void begin_transfer(std::size_t number, const Transfer& transfer) {
    Engine& engine = engines_[number];
    engine.transfer = transfer;
    const bool gapless = transfer.rows == 1 || transfer.stride == transfer.row_bytes;
    engine.runs = gapless ? 1 : transfer.rows;
    engine.run_bytes = gapless ? transfer.rows * transfer.row_bytes : transfer.row_bytes;
    engine.run = 0;
    engine.offset = 0;
    engine.busy = true;
    engine.issue_from = now_;
    engine.served = now_;
    if (transfer.write) {
      const std::int64_t cycles =
          engine.accesses(0, std::min(engine.burst_bytes, engine.run_bytes)) +
          transfer.memory->config.latency_cycles;
      engine.issue_from += static_cast<Time>(cycles) * cycle_;
    }
    issue_bursts(number);
  }

  void issue_bursts(std::size_t number) {
    Engine& engine = engines_[number];
    while (engine.more() && engine.under_way < engine.outstanding) {
      if (engine.issue_from > now_) return notify(issue + number, engine.issue_from);
      const Burst burst = engine.next(number);
      if (burst.write) access(engine, burst);
      ++engine.under_way;
      requests_[number].push_back({burst, now_});
      arbitrate_requests();
    }
  }

  void access(Engine& engine, const Burst& burst) {
    if (engine.transfer.memory == nullptr) return;
    const std::int64_t accesses = engine.accesses(burst.position, burst.bytes);
    const Time alone = now_ + static_cast<Time>(accesses) * cycle_;
    const Time served = engine.transfer.memory->burst(now_, accesses);
    engine.served = std::max(engine.served, served);
    engine.issue_from = std::max(engine.issue_from, now_ + (served > alone ? served - alone : 0));
  }

  void respond(const Burst& burst) {
    Engine& engine = engines_[burst.engine];
    --engine.under_way;
    if (!burst.write) access(engine, burst);
    if (engine.more()) return issue_bursts(burst.engine);
    if (engine.under_way != 0) return;
    Time end = std::max(now_, engine.served);
    if (!burst.write && engine.transfer.memory != nullptr) {
      end += static_cast<Time>(engine.transfer.memory->config.latency_cycles) * cycle_;
    }
    notify(finish + burst.engine, end);
  }

  void end_transfer(std::size_t number) {
    engines_[number].busy = false;
    if (number == 1) end(0);
    if (number == 2) end(2);
  }

  // Bus, as tlm/bus ------------------------------------------------------------------------------

  struct Request {
    Burst burst;
    Time arrival;
  };
  struct Response {
    Burst burst;
    Time ready;
    std::uint64_t order;
    Time begin;
  };
  static bool sooner(const Response& a, const Response& b) {
    return a.ready != b.ready ? a.ready < b.ready : a.order < b.order;
  }

  Time next_edge(Time time) const { return (time + cycle_ - 1) / cycle_ * cycle_; }

  int data_beats(const Burst& burst) const {
    const auto width = static_cast<std::uint64_t>(hardware_.bus.bytes_per_cycle);
    return static_cast<int>((burst.address % width + burst.bytes + width - 1) / width);
  }

  void arbitrate_requests() {
    Time soonest = never;
    for (const std::deque<Request>& requests : requests_) {
      if (!requests.empty()) soonest = std::min(soonest, requests.front().arrival);
    }
    if (soonest == never) return;
    const Time decision = std::max(soonest, request_free_);
    if (decision > now_) return notify(arbitrate, decision);
    for (std::size_t i = 1; i <= engines; ++i) {
      const std::size_t id = (last_granted_ + i) % engines;
      std::deque<Request>& requests = requests_[id];
      if (requests.empty() || requests.front().arrival > now_) continue;
      const Request granted = requests.front();
      requests.pop_front();
      last_granted_ = id;
      const int beats = 1 + (granted.burst.write ? data_beats(granted.burst) : 0);
      const Time arbitration = static_cast<Time>(hardware_.bus.arbitration_cycles) * cycle_;
      request_free_ = next_edge(std::max(granted.arrival + arbitration, request_free_)) +
                      static_cast<Time>(beats) * cycle_;
      const bool more = std::any_of(requests_.begin(), requests_.end(),
                                    [](const auto& waiting) { return !waiting.empty(); });
      if (more) notify(arbitrate, request_free_);
      if (scheduler_) return queue_at_controller(granted.burst);
      const Time ready = dram_
                             .access(request_free_, granted.burst.address, granted.burst.bytes,
                                     granted.burst.write)
                             .completed;
      return queue_response({granted.burst, ready, response_order_++, 0});
    }
  }

  // As models/memory/dram.
  void queue_at_controller(const Burst& burst) {
    std::size_t place = 0;
    while (place < at_controller_.size() && at_controller_[place].bytes != 0) ++place;
    if (place == at_controller_.size()) at_controller_.emplace_back();
    at_controller_[place] = burst;
    scheduler_->push(request_free_, {place, -1, burst.address, burst.bytes, burst.write});
    notify(serve, scheduler_->next());
  }

  void serve_requests() {
    answers_.clear();
    opened_.clear();
    scheduler_->advance(now_, answers_, opened_);
    if (scheduler_->next() != models::DramScheduler::never) notify(serve, scheduler_->next());
    for (const models::DramScheduler::Answer& answer : answers_) {
      const Burst burst = at_controller_[answer.id];
      at_controller_[answer.id].bytes = 0;
      queue_response({burst, answer.service.completed, response_order_++, 0});
    }
  }

  void queue_response(const Response& response) {
    if (current_response_) {
      // The one that waits for its target to be ready lets a sooner one pass.
      if (response_.begin <= now_ || !sooner(response, response_)) {
        responses_.push_back(response);
        return;
      }
      responses_.push_back(response_);
      current_response_ = false;
      due_[deliver] = never;
    }
    responses_.push_back(response);
    select_response();
  }

  void select_response() {
    if (responses_.empty()) return;
    const auto first = std::min_element(responses_.begin(), responses_.end(), sooner);
    response_ = *first;
    *first = responses_.back();
    responses_.pop_back();
    current_response_ = true;
    const Time delay = static_cast<Time>(hardware_.bus.response_cycles) * cycle_;
    response_.begin = next_edge(std::max(response_.ready + delay, response_free_));
    const int beats = response_.burst.write ? 1 : data_beats(response_.burst);
    notify(deliver, response_.begin + static_cast<Time>(beats) * cycle_);
  }

  void deliver_response() {
    const Burst burst = response_.burst;
    response_free_ = now_;
    current_response_ = false;
    select_response();
    respond(burst);
  }

  const std::vector<hw::Command>& commands_;
  const hw::HardwareConfig& hardware_;
  std::int64_t at_most_;
  Time cycle_;
  Time now_ = 0;
  std::array<Time, events> due_{};
  bool ended_ = false;

  std::uint64_t command_address_;
  std::vector<std::uint32_t> words_;  // a command each
  std::uint32_t all_words_ = 0;
  std::uint32_t requested_ = 0;
  std::uint32_t used_ = 0;
  std::uint32_t left_ = 0;  // words of the next command that have not come
  std::size_t next_ = 0;    // command
  bool decoded_ = false;

  std::array<int, hw::token_counters> tokens_{};
  std::array<std::deque<std::size_t>, units> queues_;
  std::array<bool, units> executing_{};
  std::array<const hw::Command*, units> current_{};

  Memory activation_, weight_, parameter_;
  std::array<Memory*, 3> memories_ = {&activation_, &weight_, &parameter_};
  models::ComputeTime time_;
  int phase_ = 0;
  Time own_end_ = 0;
  struct Stream {
    Memory* memory;
    int number;
  };
  std::array<Stream, 3> stream_{};
  std::size_t streams_ = 0;

  std::array<Engine, engines> engines_;
  std::array<std::deque<Request>, engines> requests_;
  std::size_t last_granted_ = engines - 1;
  Time request_free_ = 0;
  std::vector<Response> responses_;
  Response response_{};
  bool current_response_ = false;
  std::uint64_t response_order_ = 0;
  Time response_free_ = 0;
  models::DramTiming dram_;
  std::optional<models::DramScheduler> scheduler_;  // null: in order
  std::vector<Burst> at_controller_;                // by the request's id; free where without bytes
  std::vector<models::DramScheduler::Answer> answers_;
  std::vector<int> opened_;
};

}  // namespace

std::int64_t replay(const std::vector<hw::Command>& commands, std::uint64_t command_address,
                    const hw::HardwareConfig& hardware, std::int64_t at_most) {
  return Replay(commands, command_address, hardware, at_most).run();
}

}  // namespace abacus::schedule
