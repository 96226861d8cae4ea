#include "sw/trace/perfetto.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <protozero/pbf_writer.hpp>
#include <set>
#include <utility>
#include <vector>

#include "tlm/address_map.hpp"
#include "tlm/dram_map.hpp"

namespace abacus::trace {
namespace {

using hw::Phase;
using models::Unit;
using sc_core::sc_time;

// Field numbers of Perfetto's messages.
namespace field {
constexpr protozero::pbf_tag_type packet = 1;  // Trace
// TracePacket
constexpr protozero::pbf_tag_type timestamp = 8, sequence = 10, track_event = 11,
                                  sequence_flags = 13, track_descriptor = 60;
// TrackDescriptor
constexpr protozero::pbf_tag_type uuid = 1, track_name = 2, process = 3, parent = 5;
// ProcessDescriptor
constexpr protozero::pbf_tag_type pid = 1, process_name = 6;
// TrackEvent
constexpr protozero::pbf_tag_type annotation = 4, type = 9, track = 11, category = 22, name = 23,
                                  flow = 47, terminating_flow = 48;
// DebugAnnotation
constexpr protozero::pbf_tag_type double_value = 5, annotation_name = 10;
}  // namespace field

constexpr int slice_begin = 1, slice_end = 2;
constexpr std::uint32_t state_cleared = 1;
constexpr std::uint64_t process_track = 1;

struct Annotation {
  const char* name;
  double value;
};

struct Slice {
  std::string name;
  const char* category;
  sc_time from, to;
  std::vector<Annotation> annotations;
  std::vector<std::uint64_t> flows_out;
  std::vector<std::uint64_t> flows_in;
};

// Writes one message after the other.
class Writer {
 public:
  Writer(std::ostream& out, const sc_time& start) : out_(out), start_(start) {}

  void process(const std::string& title) {
    packet([&](protozero::pbf_writer& packet) {
      packet.add_uint32(field::sequence_flags, state_cleared);
      protozero::pbf_writer track(packet, field::track_descriptor);
      track.add_uint64(field::uuid, process_track);
      protozero::pbf_writer process(track, field::process);
      process.add_int32(field::pid, 1);
      process.add_string(field::process_name, title);
    });
  }

  // Returns its number.
  std::uint64_t track(const std::string& name) {
    const std::uint64_t number = ++last_track_;
    packet([&](protozero::pbf_writer& packet) {
      protozero::pbf_writer track(packet, field::track_descriptor);
      track.add_uint64(field::uuid, number);
      track.add_uint64(field::parent, process_track);
      track.add_string(field::track_name, name);
    });
    return number;
  }

  void begin(std::uint64_t track, const Slice& slice) {
    event(track, slice.from, [&](protozero::pbf_writer& event) {
      event.add_enum(field::type, slice_begin);
      event.add_string(field::category, slice.category);
      event.add_string(field::name, slice.name);
      for (const Annotation& annotation : slice.annotations) {
        protozero::pbf_writer message(event, field::annotation);
        message.add_string(field::annotation_name, annotation.name);
        message.add_double(field::double_value, annotation.value);
      }
      for (const std::uint64_t flow : slice.flows_out) event.add_fixed64(field::flow, flow);
      for (const std::uint64_t flow : slice.flows_in) {
        event.add_fixed64(field::terminating_flow, flow);
      }
    });
  }
  void end(std::uint64_t track, const sc_time& at) {
    event(track, at, [](protozero::pbf_writer& event) { event.add_enum(field::type, slice_end); });
  }
  void slice(std::uint64_t track, const Slice& slice) {
    begin(track, slice);
    end(track, slice.to);
  }

 private:
  template <typename Fill>
  void packet(const Fill& fill) {
    buffer_.clear();
    protozero::pbf_writer trace(buffer_);
    {
      protozero::pbf_writer packet(trace, field::packet);
      packet.add_uint32(field::sequence, 1);
      fill(packet);
    }
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  }
  template <typename Fill>
  void event(std::uint64_t track, const sc_time& at, const Fill& fill) {
    packet([&](protozero::pbf_writer& packet) {
      const double nanoseconds = (at - start_).to_seconds() * 1e9;
      packet.add_uint64(field::timestamp, static_cast<std::uint64_t>(std::llround(nanoseconds)));
      protozero::pbf_writer event(packet, field::track_event);
      event.add_uint64(field::track, track);
      fill(event);
    });
  }

  std::ostream& out_;
  sc_time start_;
  std::string buffer_;
  std::uint64_t last_track_ = process_track;
};

const char* unit_name(Unit unit) {
  switch (unit) {
    case Unit::load:
      return "load unit";
    case Unit::compute_array:
      return "PE array";
    case Unit::compute_edge:
      return "edge array";
    case Unit::compute_vector:
      return "vector unit";
    case Unit::store:
      return "store unit";
    case Unit::step_adapter:
      return "step adapter";
    case Unit::sequencer:
      break;
  }
  return "sequencer";
}

std::string range(const char* what, int first, int count) {
  return std::string(" ") + what + ' ' + std::to_string(first) +
         (count > 1 ? "-" + std::to_string(first + count - 1) : "");
}

std::string transfer_name(const hw::TransferFields& fields, bool load) {
  if (!load) return "output";
  switch (fields.memory) {
    case hw::OnChipMemory::weight:
      return "weights";
    case hw::OnChipMemory::parameter:
      return "parameters";
    case hw::OnChipMemory::activation:
      break;
  }
  return fields.residual != 0 ? "residual" : "input";
}

std::string name_of(const hw::Command& command, const Names& names) {
  const std::string layer =
      command.layer == hw::no_layer ? "" : names.layer(static_cast<int>(command.layer));
  switch (command.opcode) {
    case hw::Opcode::load:
    case hw::Opcode::store:
      return layer + ' ' + transfer_name(command.transfer, command.opcode == hw::Opcode::load);
    case hw::Opcode::convolve:
      return layer +
             range("rows", command.convolve.first_output_row, command.convolve.output_height) +
             ", " + std::to_string(command.convolve.columns) + " channels";
    case hw::Opcode::add:
      return layer + " add";
    case hw::Opcode::pool:
      return layer + " pool";
    case hw::Opcode::adapt:
      return layer + " adapt";
    case hw::Opcode::finish:
      break;
  }
  return layer;
}

// Which commands a token leads from and to: the n-th raise of a counter is for its n-th take.
class Flows {
 public:
  Flows(const std::vector<ExecutedCommand>& commands, int layer) {
    std::vector<std::size_t> by_start(commands.size());
    for (std::size_t i = 0; i < by_start.size(); ++i) by_start[i] = i;
    std::stable_sort(by_start.begin(), by_start.end(), [&](std::size_t a, std::size_t b) {
      return commands[a].from < commands[b].from;
    });
    std::array<std::vector<std::size_t>, hw::token_counters> raises, takes;
    for (std::size_t i = 0; i < commands.size(); ++i) {  // in the order of their ends
      for (int c = 0; c < hw::token_counters; ++c) {
        const auto counter = static_cast<std::size_t>(c);
        if ((commands[i].command.signal >> c & 1) != 0) raises[counter].push_back(i);
        if ((commands[by_start[i]].command.wait >> c & 1) != 0)
          takes[counter].push_back(by_start[i]);
      }
    }
    const auto shown = [&](std::size_t i) {
      return layer == every_layer || static_cast<int>(commands[i].command.layer) == layer;
    };
    std::uint64_t flow = 0;
    for (std::size_t c = 0; c < raises.size(); ++c) {
      for (std::size_t n = 0; n < std::min(raises[c].size(), takes[c].size()); ++n) {
        if (!shown(raises[c][n]) || !shown(takes[c][n])) continue;
        out_[raises[c][n]].push_back(++flow);
        in_[takes[c][n]].push_back(flow);
      }
    }
  }
  std::vector<std::uint64_t> out_of(std::size_t command) const { return of(out_, command); }
  std::vector<std::uint64_t> into(std::size_t command) const { return of(in_, command); }

 private:
  using Lists = std::map<std::size_t, std::vector<std::uint64_t>>;
  static std::vector<std::uint64_t> of(const Lists& lists, std::size_t command) {
    const auto found = lists.find(command);
    return found == lists.end() ? std::vector<std::uint64_t>() : found->second;
  }
  Lists out_, in_;
};

class Picture {
 public:
  Picture(Writer& writer, const Recording& recording, const Names& names,
          const hw::HardwareConfig& hardware, int layer)
      : writer_(writer), recording_(recording), names_(names), hardware_(hardware), layer_(layer) {}

  void units() {
    const Flows flows(recording_.commands, layer_);
    for (int u = 0; u < models::unit_count; ++u) unit(static_cast<Unit>(u), flows);
  }

  void bus() {
    std::vector<Slice> request, response;
    const sc_time& cycle = recording_.cycle;
    for (const BusTransaction& t : recording_.transactions) {
      if (!shown(t.layer)) continue;
      const std::string name =
          names_.initiator(t.initiator) + (t.write ? " write " : " read ") + to_string(t.purpose);
      request.push_back({name,
                         "bus",
                         t.end_of(Phase::arbitration) - cycle,
                         t.end_of(Phase::write_data),
                         {},
                         {},
                         {}});
      response.push_back({name,
                          "bus",
                          t.write ? t.completed - cycle : t.end_of(Phase::response),
                          t.completed,
                          {},
                          {},
                          {}});
    }
    side_by_side("bus requests", std::move(request));
    side_by_side("bus responses", std::move(response));
  }

  void dram() {
    const hw::DramMap map(hardware_.dram);
    std::map<std::pair<int, int>, std::vector<Slice>> banks;  // by channel and bank
    for (const BusTransaction& t : recording_.transactions) {
      if (!shown(t.layer) || t.address < hw::address_map::dram_base) continue;
      const std::uint64_t address = t.address - hw::address_map::dram_base;
      if (address >= hardware_.dram.bytes) continue;
      const hw::DramMap::Run run = map.run(address, address + 1);
      std::vector<Slice>& bank = banks[{run.channel, run.bank}];
      if (!t.row_hit && t.end_of(Phase::row) > t.end_of(Phase::refresh)) {
        bank.push_back(
            {"open row", "dram", t.end_of(Phase::refresh), t.end_of(Phase::row), {}, {}, {}});
      }
      bank.push_back({t.write ? "write" : "read",
                      "dram",
                      t.end_of(Phase::latency),
                      t.end_of(Phase::transfer),
                      {},
                      {},
                      {}});
    }
    for (auto& [place, slices] : banks) {
      const std::string channel =
          hardware_.dram.channels == 1 ? "" : "channel " + std::to_string(place.first) + " ";
      side_by_side("DRAM " + channel + "bank " + std::to_string(place.second), std::move(slices));
    }
  }

 private:
  bool shown(int layer) const { return layer_ == every_layer || layer == layer_; }
  double cycles(const sc_time& time) const {
    return static_cast<double>(time.value()) / static_cast<double>(recording_.cycle.value());
  }

  void unit(Unit which, const Flows& flows) {
    const std::uint64_t track = writer_.track(unit_name(which));
    std::vector<const SpentInterval*> spent;
    for (const SpentInterval& interval : recording_.spent) {
      if (interval.unit == which && shown(interval.layer)) spent.push_back(&interval);
    }
    auto next = spent.begin();
    // Intervals that begin before `limit`.
    const auto intervals = [&](const sc_time& limit) {
      for (; next != spent.end() && (*next)->from < limit; ++next) {
        const SpentInterval& interval = **next;
        writer_.slice(track, {models::to_string(interval.cause),
                              interval.cause == models::Cause::work ? "work" : "wait",
                              interval.from,
                              interval.to,
                              {},
                              {},
                              {}});
      }
    };
    for (std::size_t i = 0; i < recording_.commands.size(); ++i) {
      const ExecutedCommand& command = recording_.commands[i];
      const int layer =
          command.command.layer == hw::no_layer ? -1 : static_cast<int>(command.command.layer);
      if (command.unit != which || !shown(layer)) continue;
      intervals(command.from);
      writer_.begin(track, {name_of(command.command, names_),
                            "command",
                            command.from,
                            command.to,
                            {{"cycle", cycles(command.from - recording_.start)},
                             {"cycles", cycles(command.to - command.from)},
                             {"command", static_cast<double>(command.index)}},
                            flows.out_of(i),
                            flows.into(i)});
      intervals(command.to);
      writer_.end(track, command.to);
    }
    intervals(sc_core::sc_max_time());
  }

  // Slices of one resource, which serves one at a time: none begins before the one before has ended.
  void side_by_side(const std::string& name, std::vector<Slice> slices) {
    std::stable_sort(slices.begin(), slices.end(),
                     [](const Slice& a, const Slice& b) { return a.from < b.from; });
    const std::uint64_t track = writer_.track(name);
    sc_time free = sc_core::SC_ZERO_TIME;
    for (Slice& slice : slices) {
      slice.from = std::max(slice.from, free);
      slice.to = std::max(slice.to, slice.from);
      free = slice.to;
      writer_.slice(track, slice);
    }
  }

  Writer& writer_;
  const Recording& recording_;
  const Names& names_;
  const hw::HardwareConfig& hardware_;
  int layer_;
};

}  // namespace

void write_perfetto(std::ostream& out, const Recording& recording, const Names& names,
                    const hw::HardwareConfig& hardware, const std::string& title, int layer) {
  Writer writer(out, recording.start);
  writer.process(title);
  Picture picture(writer, recording, names, hardware, layer);
  picture.units();
  picture.bus();
  picture.dram();
}

}  // namespace abacus::trace
