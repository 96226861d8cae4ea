// The list of the hardware parameters: one row a parameter, which scenarios and presets are read by,
// results.json and the table in docs/scenario.md are written by, and configurations are compared by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "tlm/dataflow.hpp"
#include "tlm/dram_devices.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::hw {

// What a parameter may be.
struct WholeRange {
  std::int64_t lowest;
  std::int64_t highest;
};
struct RealRange {
  double lowest;
  double highest;
};
struct Truth {};    // true or false
struct AnyText {};  // not empty
// A value that its name makes, and to_string() names.
template <std::size_t N>
struct OneOf {
  std::array<std::string_view, N> names;
};
template <std::size_t N>
OneOf(std::array<std::string_view, N>) -> OneOf<N>;
// A name of a list that others add to. Results leave out the first one.
struct OneOfListed {
  const std::vector<std::string>& (*names)();
};
// The same, of a list that is whole; results say it.
struct OneOfNames {
  const std::vector<std::string>& (*names)();
};
struct Subtable {};  // a struct with rows of its own

template <typename Config, typename Member, typename Allowed>
struct HardwareField {
  const char* key;  // in scenarios, presets and results.json
  Member Config::*member;
  const char* unit;  // empty: a count, a name, a table
  Allowed allowed;
  const char* meaning;  // one line of Markdown
  // Whether this configuration has the parameter at all; null: every one has. Where not, results leave
  // it out and a run must not set it.
  bool (*present)(const Config&) = nullptr;

  bool is_present(const Config& config) const { return present == nullptr || present(config); }
};
template <typename Config, typename Member, typename Allowed>
HardwareField(const char*, Member Config::*, const char*, Allowed, const char*)
    -> HardwareField<Config, Member, Allowed>;
template <typename Config, typename Member, typename Allowed>
HardwareField(const char*, Member Config::*, const char*, Allowed, const char*,
              bool (*)(const Config&)) -> HardwareField<Config, Member, Allowed>;

inline bool has_fraction_bits(const PeArrayConfig& array) {
  return array.kind.has_exponent_weights();
}

inline bool has_lookup_table(const PeArrayConfig& array) {
  return array.kind.computes(TapKind::half_shifted);
}

template <typename Row, std::size_t N>
constexpr std::array<std::string_view, N> names_of(const std::array<Row, N>& rows) {
  std::array<std::string_view, N> names{};
  for (std::size_t i = 0; i < N; ++i) names[i] = rows[i].name;
  return names;
}

// Rows or columns of an array: what the 16 bits of a command's columns and channels can say.
inline constexpr int most_lanes_a_side = 65535;

// The rows of a struct, in the order of results.json.
template <typename Config>
inline constexpr auto hardware_fields = nullptr;

template <>
inline constexpr auto hardware_fields<PostTableConfig> = std::tuple{
    HardwareField{"exponents", &PostTableConfig::exponents, "", WholeRange{1, 64},
                  "odd n that it has entries for; where nobody says, as many as the weights need"},
    HardwareField{"fraction_bits", &PostTableConfig::fraction_bits, "bits", WholeRange{2, 8},
                  "widest fraction of an entry"},
    HardwareField{"ports", &PostTableConfig::ports, "", WholeRange{1, 256}, "reads a cycle"},
    HardwareField{"lanes", &PostTableConfig::lanes, "", WholeRange{1, 256},
                  "neighbouring rows of a column that share one table"}};

template <>
inline constexpr auto hardware_fields<PeArrayConfig> = std::tuple{
    HardwareField{"kind", &PeArrayConfig::kind, "", OneOf{names_of(processing_elements)},
                  "processing element; where nobody says, as the run's arithmetic needs"},
    HardwareField{"rows", &PeArrayConfig::rows, "", WholeRange{1, most_lanes_a_side},
                  "input channels a cycle"},
    HardwareField{"columns", &PeArrayConfig::columns, "", WholeRange{1, most_lanes_a_side},
                  "output channels a cycle"},
    HardwareField{
        "weight_bits", &PeArrayConfig::weight_bits, "bits", WholeRange{2, 8},
        "widest weight that the lanes take; `xnor`: always 1; `table`: always the element's"},
    HardwareField{"activation_bits", &PeArrayConfig::activation_bits, "bits", WholeRange{2, 8},
                  "widest activation that the lanes take; `xnor`: always 1; `table`: always the "
                  "element's"},
    HardwareField{"accumulator_bits", &PeArrayConfig::accumulator_bits, "bits", WholeRange{8, 32},
                  "width of an output's running sum, which saturates"},
    HardwareField{"weights_per_pe", &PeArrayConfig::weights_per_pe, "weights",
                  WholeRange{1, 1 << 20}, "local weight buffer of a PE"},
    HardwareField{"accumulators", &PeArrayConfig::accumulators, "", WholeRange{1, 4096},
                  "outputs that a column sums up side by side: a weight serves as many before the "
                  "next one comes"},
    HardwareField{"read_lanes", &PeArrayConfig::read_lanes, "", WholeRange{1, 65535},
                  "elements that the read quantizer narrows a cycle, where that is more than "
                  "`rows`"},
    HardwareField{"scale_lanes", &PeArrayConfig::scale_lanes, "", WholeRange{1, 256},
                  "outputs that the scale unit finishes a cycle"},
    HardwareField{"fraction_bits", &PeArrayConfig::fraction_bits, "bits", WholeRange{0, 12},
                  "most that `shift`, `shift-add`, `post` and `apot` lanes keep below the binary "
                  "point",
                  has_fraction_bits},
    HardwareField{"dataflow", &PeArrayConfig::dataflow, "", OneOfListed{dataflow_names},
                  "order and wires of a tile ([pe_array.md](hardware/pe_array.md#time))"},
    HardwareField{
        "zero_gating", &PeArrayConfig::zero_gating, "", Truth{},
        "whether a tap of which one operand is 0, and which is 0 therefore, costs a latch in "
        "place of an operation ([pe_array.md](hardware/pe_array.md#actions))"},
    HardwareField{"table", &PeArrayConfig::table, "", Subtable{},
                  "lookup table of `post` lanes ([post_lut.md](hardware/post_lut.md))",
                  has_lookup_table}};

template <>
inline constexpr auto hardware_fields<SramConfig> = std::tuple{
    HardwareField{"bytes", &SramConfig::bytes, "bytes", WholeRange{256, 16 * 1024 * 1024},
                  "capacity"},
    HardwareField{"banks", &SramConfig::banks, "", WholeRange{1, 64}, "interleaved by port width"},
    HardwareField{"port_bytes", &SramConfig::port_bytes, "bytes", WholeRange{1, 1024},
                  "a bank's access width"},
    HardwareField{"latency_cycles", &SramConfig::latency_cycles, "cycles", WholeRange{0, 100},
                  "from access to data"}};

template <>
inline constexpr auto hardware_fields<StepAdapterConfig> =
    std::tuple{HardwareField{"channels", &StepAdapterConfig::channels, "", WholeRange{1, 32767},
                             "channel sums that it keeps"},
               HardwareField{"hidden", &StepAdapterConfig::hidden, "", WholeRange{1, 1024},
                             "hidden values, at most"},
               HardwareField{"lanes", &StepAdapterConfig::lanes, "", WholeRange{1, 1024},
                             "multiplications a cycle"},
               HardwareField{"registers", &StepAdapterConfig::registers, "", WholeRange{1, 64},
                             "steps that it keeps for layers to come"}};

template <>
inline constexpr auto hardware_fields<DmaConfig> =
    std::tuple{HardwareField{"burst_bytes", &DmaConfig::burst_bytes, "bytes", WholeRange{4, 4096},
                             "largest transaction on the bus"},
               HardwareField{"outstanding", &DmaConfig::outstanding, "", WholeRange{1, 64},
                             "bursts under way at once"}};

template <>
inline constexpr auto hardware_fields<BusConfig> =
    std::tuple{HardwareField{"bytes_per_cycle", &BusConfig::bytes_per_cycle, "bytes",
                             WholeRange{1, 256}, "data width"},
               HardwareField{"arbitration_cycles", &BusConfig::arbitration_cycles, "cycles",
                             WholeRange{0, 100}, "from request to grant on an idle bus"},
               HardwareField{"response_cycles", &BusConfig::response_cycles, "cycles",
                             WholeRange{0, 100}, "from a target that is ready to the response"}};

// What a device need not have is told where it is not as every device has it, or not as the device named has it.
template <auto member>
bool differs(const DramConfig& config) {
  return config.*member != DramConfig().*member ||
         config.*member != dram_device_config(config.device).*member;
}

inline constexpr RealRange dram_nanoseconds = {0.01, 1e6};
inline constexpr RealRange dram_constraint = {0, 1e6};

template <>
inline constexpr auto hardware_fields<DramConfig> = std::tuple{
    HardwareField{"device", &DramConfig::device, "", AnyText{},
                  "name of the device, which gives what stands below ([dram.md](dram.md))"},
    HardwareField{"bytes", &DramConfig::bytes, "bytes", WholeRange{1 << 20, 1 << 30},
                  "capacity, of all channels together"},
    HardwareField{"banks", &DramConfig::banks, "", WholeRange{1, 64},
                  "each with one open row; of a channel"},
    HardwareField{"row_bytes", &DramConfig::row_bytes, "bytes", WholeRange{64, 65536},
                  "page size, a multiple of a burst's bytes"},
    HardwareField{"data_bits", &DramConfig::data_bits, "bits", WholeRange{4, 1024},
                  "width of a channel's data bus"},
    HardwareField{"burst_length", &DramConfig::burst_length, "", WholeRange{1, 64},
                  "transfers a burst"},
    HardwareField{"t_ck", &DramConfig::t_ck, "ns", RealRange{0.01, 1000}, "clock period"},
    HardwareField{"t_rcd", &DramConfig::t_rcd, "ns", dram_nanoseconds, "ACTIVATE to READ/WRITE"},
    HardwareField{"t_rp", &DramConfig::t_rp, "ns", dram_nanoseconds, "PRECHARGE to ACTIVATE"},
    HardwareField{"t_cl", &DramConfig::t_cl, "ns", dram_nanoseconds, "READ to first data"},
    HardwareField{"t_cwl", &DramConfig::t_cwl, "ns", dram_nanoseconds, "WRITE to first data"},
    HardwareField{"t_ras", &DramConfig::t_ras, "ns", dram_nanoseconds, "ACTIVATE to PRECHARGE"},
    HardwareField{"t_wr", &DramConfig::t_wr, "ns", dram_nanoseconds,
                  "last write data to PRECHARGE"},
    HardwareField{"t_wtr", &DramConfig::t_wtr, "ns", dram_nanoseconds, "last write data to READ"},
    HardwareField{"t_rtp", &DramConfig::t_rtp, "ns", dram_nanoseconds, "READ to PRECHARGE"},
    HardwareField{"t_rfc", &DramConfig::t_rfc, "ns", dram_nanoseconds, "REFRESH to ACTIVATE"},
    HardwareField{"t_refi", &DramConfig::t_refi, "ns", RealRange{1, 1e9},
                  "refresh interval, more than `t_rfc`"},
    HardwareField{"transfers_per_clock", &DramConfig::transfers_per_clock, "", WholeRange{1, 16},
                  "of the data bus in a `t_ck`; results leave out what is as in this column, from "
                  "here on",
                  differs<&DramConfig::transfers_per_clock>},
    HardwareField{"bank_groups", &DramConfig::bank_groups, "", WholeRange{1, 16},
                  "of which `banks` is a multiple", differs<&DramConfig::bank_groups>},
    HardwareField{"t_ccd_l", &DramConfig::t_ccd_l, "ns", dram_constraint,
                  "READ to READ, WRITE to WRITE in a bank group; 0: a burst's time",
                  differs<&DramConfig::t_ccd_l>},
    HardwareField{"t_rrd_s", &DramConfig::t_rrd_s, "ns", dram_constraint,
                  "ACTIVATE to ACTIVATE of another bank group; 0: none",
                  differs<&DramConfig::t_rrd_s>},
    HardwareField{"t_rrd_l", &DramConfig::t_rrd_l, "ns", dram_constraint,
                  "ACTIVATE to ACTIVATE in a bank group; 0: `t_rrd_s`",
                  differs<&DramConfig::t_rrd_l>},
    HardwareField{"t_faw", &DramConfig::t_faw, "ns", dram_constraint,
                  "ACTIVATE to the fourth one after it; 0: none", differs<&DramConfig::t_faw>},
    HardwareField{"t_wtr_l", &DramConfig::t_wtr_l, "ns", dram_constraint,
                  "last write data to READ in a bank group; 0: `t_wtr`",
                  differs<&DramConfig::t_wtr_l>},
    HardwareField{"t_rfc_pb", &DramConfig::t_rfc_pb, "ns", dram_constraint,
                  "REFRESH of one bank to its ACTIVATE", differs<&DramConfig::t_rfc_pb>},
    HardwareField{"t_xp", &DramConfig::t_xp, "ns", dram_constraint,
                  "from power-down to the next command", differs<&DramConfig::t_xp>},
    HardwareField{"controller", &DramConfig::controller, "", OneOfNames{dram_controllers},
                  "order of service ([dram.md](dram.md#controllers))",
                  differs<&DramConfig::controller>},
    HardwareField{"queue_depth", &DramConfig::queue_depth, "bursts", WholeRange{1, 4096},
                  "reads, and as many writes, that `fr-fcfs` chooses from, a channel",
                  differs<&DramConfig::queue_depth>},
    HardwareField{"write_high", &DramConfig::write_high, "bursts", WholeRange{1, 4096},
                  "waiting writes from which on `fr-fcfs` writes",
                  differs<&DramConfig::write_high>},
    HardwareField{"write_low", &DramConfig::write_low, "bursts", WholeRange{0, 4095},
                  "waiting writes at which it reads again", differs<&DramConfig::write_low>},
    HardwareField{"mapping", &DramConfig::mapping, "", OneOfNames{dram_mappings},
                  "fields of an address, the highest bits first", differs<&DramConfig::mapping>},
    HardwareField{"page_policy", &DramConfig::page_policy, "", OneOfNames{dram_page_policies},
                  "whether a row stays open after an access", differs<&DramConfig::page_policy>},
    HardwareField{"refresh", &DramConfig::refresh, "", OneOfNames{dram_refreshes},
                  "`per-bank`: a bank each `t_refi` / `banks`, by turns",
                  differs<&DramConfig::refresh>},
    HardwareField{"channels", &DramConfig::channels, "", WholeRange{1, 64},
                  "each with buses and banks of its own", differs<&DramConfig::channels>},
    HardwareField{"channel_bytes", &DramConfig::channel_bytes, "bytes", WholeRange{1, 65536},
                  "after which the next channel has its turn, a multiple of a burst's bytes",
                  differs<&DramConfig::channel_bytes>},
    HardwareField{"bandwidth", &DramConfig::bandwidth, "GB/s", RealRange{0, 10000},
                  "peak of all channels, which then are as many as it takes; 0: as `channels` says",
                  differs<&DramConfig::bandwidth>},
    HardwareField{"controller_latency", &DramConfig::controller_latency, "ns", dram_constraint,
                  "from a request's arrival to its first command",
                  differs<&DramConfig::controller_latency>},
    HardwareField{"power_down_after", &DramConfig::power_down_after, "ns", RealRange{0, 1e9},
                  "without a request, after which a channel closes its rows and powers down; 0: "
                  "never",
                  differs<&DramConfig::power_down_after>}};

template <>
inline constexpr auto hardware_fields<VectorUnitConfig> = std::tuple{
    HardwareField{"lanes", &VectorUnitConfig::lanes, "", WholeRange{1, 1024}, "elements a cycle"}};

// `name` is the preset's file and no key.
template <>
inline constexpr auto hardware_fields<HardwareConfig> = std::tuple{
    HardwareField{"clock_mhz", &HardwareConfig::clock_mhz, "MHz", RealRange{1, 10000}, "clock"},
    HardwareField{"array", &HardwareConfig::array, "", Subtable{},
                  "computes the layers between the edges ([pe_array.md](hardware/pe_array.md))"},
    HardwareField{"edge_array", &HardwareConfig::edge_array, "", Subtable{},
                  "computes first convolution and classifier; `kind` must be `mac`"},
    HardwareField{"activation_sram", &HardwareConfig::activation_sram, "", Subtable{},
                  "tensors ([memory.md](hardware/memory.md))"},
    HardwareField{"weight_sram", &HardwareConfig::weight_sram, "", Subtable{}, "weights"},
    HardwareField{"parameter_sram", &HardwareConfig::parameter_sram, "", Subtable{},
                  "scale units' parameters"},
    HardwareField{"step_adapter", &HardwareConfig::step_adapter, "", Subtable{},
                  "factors of activation steps ([step_adapter.md](hardware/step_adapter.md))"},
    HardwareField{"load_dma", &HardwareConfig::load_dma, "", Subtable{}, "DRAM to SRAM"},
    HardwareField{"store_dma", &HardwareConfig::store_dma, "", Subtable{}, "SRAM to DRAM"},
    HardwareField{"bus", &HardwareConfig::bus, "", Subtable{}, "[bus.md](hardware/bus.md)"},
    HardwareField{"dram", &HardwareConfig::dram, "", Subtable{},
                  "devices and their controller ([dram.md](dram.md))"},
    HardwareField{"vector_unit", &HardwareConfig::vector_unit, "", Subtable{},
                  "adds and pools ([vector_unit.md](hardware/vector_unit.md))"},
    HardwareField{"command_queue", &HardwareConfig::command_queue, "", WholeRange{1, 1024},
                  "commands that a unit can hold"}};

// Calls visit(row, value) for each row of `config`, which is const or not; rows of a Subtable's struct are
// for the visitor to visit.
template <typename Config, typename Visitor>
void visit_fields(Config& config, Visitor&& visit) {
  std::apply([&](const auto&... fields) { (visit(fields, config.*(fields.member)), ...); },
             hardware_fields<std::remove_const_t<Config>>);
}

}  // namespace abacus::hw
