#include "sw/trace/transactions.hpp"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <vector>

#include "tlm/address_map.hpp"

namespace abacus::trace {
namespace {

using sc_core::sc_time;

// In order of time(transaction).
template <typename Time>
std::vector<const BusTransaction*> by(const Recording& recording, const Time& time) {
  std::vector<const BusTransaction*> list;
  for (const BusTransaction& transaction : recording.transactions) list.push_back(&transaction);
  std::stable_sort(list.begin(), list.end(), [&](const BusTransaction* a, const BusTransaction* b) {
    return time(*a) < time(*b);
  });
  return list;
}

const sc_time& request(const BusTransaction& t) { return t.requested; }
// At the target.
const sc_time& arrival(const BusTransaction& t) { return t.end_of(hw::Phase::write_data); }

// Exact: whole nanoseconds, and picoseconds behind the point where there are any.
std::string nanoseconds(const sc_time& time) {
  const auto picoseconds = static_cast<std::int64_t>(std::llround(time.to_seconds() * 1e12));
  std::string text = std::to_string(picoseconds / 1000);
  if (picoseconds % 1000 != 0) {
    std::string fraction = std::to_string(1000 + picoseconds % 1000).substr(1);
    text += '.' + fraction.substr(0, fraction.find_last_not_of('0') + 1);
  }
  return text;
}

std::string hexadecimal(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%08" PRIx64, value);
  return text;
}

bool to_dram(const BusTransaction& t, const hw::HardwareConfig& hardware) {
  return t.address >= hw::address_map::dram_base &&
         t.address - hw::address_map::dram_base < hardware.dram.bytes;
}

std::string target(const BusTransaction& t, const hw::HardwareConfig& hardware) {
  return to_dram(t, hardware) ? "dram" : "registers";
}

// The command of load (store) unit that was under way at a time; the units' commands do not overlap.
class CommandAt {
 public:
  explicit CommandAt(const Recording& recording) {
    for (const ExecutedCommand& command : recording.commands) {
      if (command.unit == models::Unit::load) loads_.push_back(&command);
      if (command.unit == models::Unit::store) stores_.push_back(&command);
    }
  }
  std::string index(const std::string& initiator, const sc_time& time) const {
    const auto& list = initiator == "load" ? loads_ : stores_;
    if (initiator != "load" && initiator != "store") return "";
    const auto after = std::upper_bound(
        list.begin(), list.end(), time,
        [](const sc_time& at, const ExecutedCommand* command) { return at < command->from; });
    if (after == list.begin() || (*(after - 1))->to < time) return "";
    return std::to_string((*(after - 1))->index);
  }

 private:
  std::vector<const ExecutedCommand*> loads_, stores_;
};

// visit(transaction, address of each device burst in the DRAM)
template <typename Visit>
void for_each_burst(const Recording& recording, const hw::HardwareConfig& hardware,
                    const Visit& visit) {
  const auto burst =
      static_cast<std::uint64_t>(hardware.dram.burst_length) * hardware.dram.data_bits / 8;
  for (const BusTransaction* t : by(recording, arrival)) {
    if (!to_dram(*t, hardware)) continue;
    const std::uint64_t first = t->address - hw::address_map::dram_base;
    for (std::uint64_t at = first / burst * burst; at < first + t->bytes; at += burst) {
      visit(*t, at);
    }
  }
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + '"';
}

}  // namespace

void write_csv(std::ostream& out, const Recording& recording, const Names& names,
               const hw::HardwareConfig& hardware) {
  const CommandAt command_at(recording);
  out << "time_ns,cycle,initiator,target,access,address,bytes,row_hit,wait_ns,latency_ns,layer,"
         "tensor,"
         "command\n";
  for (const BusTransaction* t : by(recording, request)) {
    const std::string initiator = names.initiator(t->initiator);
    const bool dram = to_dram(*t, hardware);
    const sc_time time = t->requested - recording.start;
    const hw::Phase before_data = t->write ? hw::Phase::arbitration : hw::Phase::response;
    out << nanoseconds(time) << ',' << time.value() / recording.cycle.value() << ',' << initiator
        << ',' << target(*t, hardware) << ',' << (t->write ? "write" : "read") << ','
        << hexadecimal(t->address) << ',' << t->bytes << ','
        << (dram ? (t->row_hit ? "yes" : "no") : "") << ','
        << nanoseconds(t->end_of(before_data) - t->requested) << ','
        << nanoseconds(t->completed - t->requested) << ',' << quoted(names.layer(t->layer)) << ','
        << to_string(t->purpose) << ',' << command_at.index(initiator, t->requested) << '\n';
  }
}

void write_dramsys(std::ostream& out, const Recording& recording,
                   const hw::HardwareConfig& hardware) {
  for_each_burst(recording, hardware, [&](const BusTransaction& t, std::uint64_t address) {
    const double clocks =
        (arrival(t) - recording.start).to_seconds() * 1e9 / hardware.dram.t_ck + 1e-6;
    out << static_cast<std::int64_t>(clocks) << ": " << (t.write ? "write" : "read") << ' '
        << hexadecimal(address) << '\n';
  });
}

void write_ramulator(std::ostream& out, const Recording& recording,
                     const hw::HardwareConfig& hardware) {
  for_each_burst(recording, hardware, [&](const BusTransaction& t, std::uint64_t address) {
    out << (t.write ? "ST " : "LD ") << hexadecimal(address) << '\n';
  });
}

}  // namespace abacus::trace
