#include "sw/experiment/hardware_section.hpp"

#include <utility>

#include "sw/experiment/resources.hpp"

namespace abacus {
namespace {

int whole(TomlSection& section, const std::string& key, int otherwise, int lowest, int highest) {
  return static_cast<int>(section.integer(key, otherwise, lowest, highest));
}

PostTableConfig read_table(TomlSection section, PostTableConfig config) {
  config.exponents = whole(section, "exponents", config.exponents, 1, 64);
  config.fraction_bits = whole(section, "fraction_bits", config.fraction_bits, 2, 8);
  config.ports = whole(section, "ports", config.ports, 1, 256);
  config.lanes = whole(section, "lanes", config.lanes, 1, 256);
  section.refuse_unknown_keys();
  return config;
}

PeArrayConfig read_array(TomlSection section, PeArrayConfig config) {
  std::vector<std::string> kinds;
  for (const ProcessingElementRow& row : processing_elements) kinds.emplace_back(row.name);
  config.kind = ProcessingElementKind(
      std::string_view(section.choice("kind", to_string(config.kind), kinds)));
  config.rows = whole(section, "rows", config.rows, 1, 256);
  config.columns = whole(section, "columns", config.columns, 1, 256);
  config.weight_bits = whole(section, "weight_bits", config.weight_bits, 2, 8);
  config.activation_bits = whole(section, "activation_bits", config.activation_bits, 2, 8);
  // Presets serve every kind.
  if (config.kind.computes(TapKind::sign_product)) config.weight_bits = config.activation_bits = 1;
  config.accumulator_bits = whole(section, "accumulator_bits", config.accumulator_bits, 8, 32);
  config.weights_per_pe = whole(section, "weights_per_pe", config.weights_per_pe, 1, 1 << 20);
  config.scale_lanes = whole(section, "scale_lanes", config.scale_lanes, 1, 256);
  config.fraction_bits = whole(section, "fraction_bits", config.fraction_bits, 0, 12);
  config.table = read_table(section.section("table"), config.table);
  section.refuse_unknown_keys();
  return config;
}

StepAdapterConfig read_step_adapter(TomlSection section, StepAdapterConfig config) {
  config.channels = whole(section, "channels", config.channels, 1, 32767);
  config.hidden = whole(section, "hidden", config.hidden, 1, 1024);
  config.lanes = whole(section, "lanes", config.lanes, 1, 1024);
  config.registers = whole(section, "registers", config.registers, 1, 64);
  section.refuse_unknown_keys();
  return config;
}

SramConfig read_sram(TomlSection section, SramConfig config) {
  config.bytes =
      static_cast<std::uint32_t>(section.integer("bytes", config.bytes, 256, 16 * 1024 * 1024));
  config.banks = whole(section, "banks", config.banks, 1, 64);
  config.port_bytes = whole(section, "port_bytes", config.port_bytes, 1, 1024);
  config.latency_cycles = whole(section, "latency_cycles", config.latency_cycles, 0, 100);
  section.refuse_unknown_keys();
  return config;
}

DmaConfig read_dma(TomlSection section, DmaConfig config) {
  config.burst_bytes = whole(section, "burst_bytes", config.burst_bytes, 4, 4096);
  config.outstanding = whole(section, "outstanding", config.outstanding, 1, 64);
  section.refuse_unknown_keys();
  return config;
}

BusConfig read_bus(TomlSection section, BusConfig config) {
  config.bytes_per_cycle = whole(section, "bytes_per_cycle", config.bytes_per_cycle, 1, 256);
  config.arbitration_cycles =
      whole(section, "arbitration_cycles", config.arbitration_cycles, 0, 100);
  config.response_cycles = whole(section, "response_cycles", config.response_cycles, 0, 100);
  section.refuse_unknown_keys();
  return config;
}

DramConfig read_dram(TomlSection section, DramConfig config) {
  constexpr double shortest = 0.01;  // nanoseconds, as longest
  constexpr double longest = 1e6;
  config.device = section.text("device", config.device);
  config.bytes = static_cast<std::uint64_t>(section.integer(
      "bytes", static_cast<std::int64_t>(config.bytes), 1 << 20, std::int64_t{1} << 30));
  config.banks = whole(section, "banks", config.banks, 1, 64);
  config.row_bytes = whole(section, "row_bytes", config.row_bytes, 64, 65536);
  config.data_bits = whole(section, "data_bits", config.data_bits, 4, 1024);
  config.burst_length = whole(section, "burst_length", config.burst_length, 1, 64);
  config.t_ck = section.number("t_ck", config.t_ck, 0.01, 1000);
  config.t_rcd = section.number("t_rcd", config.t_rcd, shortest, longest);
  config.t_rp = section.number("t_rp", config.t_rp, shortest, longest);
  config.t_cl = section.number("t_cl", config.t_cl, shortest, longest);
  config.t_cwl = section.number("t_cwl", config.t_cwl, shortest, longest);
  config.t_ras = section.number("t_ras", config.t_ras, shortest, longest);
  config.t_wr = section.number("t_wr", config.t_wr, shortest, longest);
  config.t_wtr = section.number("t_wtr", config.t_wtr, shortest, longest);
  config.t_rtp = section.number("t_rtp", config.t_rtp, shortest, longest);
  config.t_rfc = section.number("t_rfc", config.t_rfc, shortest, longest);
  config.t_refi = section.number("t_refi", config.t_refi, 1, 1e9);
  if (config.t_refi <= config.t_rfc) {
    section.refuse("t_refi", "must be more than t_rfc, else the device does nothing but refresh");
  }
  const std::int64_t burst_bits = std::int64_t{config.burst_length} * config.data_bits;
  if (burst_bits % 8 != 0 || config.row_bytes % (burst_bits / 8) != 0) {
    section.refuse("row_bytes",
                   "must be a multiple of a burst's bytes, burst_length × data_bits / 8");
  }
  section.refuse_unknown_keys();
  return config;
}

std::filesystem::path preset_file(TomlSection& scenario, const std::filesystem::path& base) {
  const std::filesystem::path folder = resource_folder() / "scenarios" / "hardware";
  TomlSection overrides = scenario.section("hardware");
  const std::string preset = overrides.text("preset", "edge-16x16");
  const std::filesystem::path file = find_preset(preset, folder, base);
  if (file.empty()) {
    overrides.refuse("preset", "found \"" + preset + "\"; allowed: " +
                                   joined(preset_names(folder)) + ", or a path to a preset file");
  }
  return file;
}

}  // namespace

bool gives_table_exponents(TomlSection& scenario, const std::filesystem::path& base) {
  const toml::table preset = read_toml(preset_file(scenario, base));
  return scenario.section("hardware", &preset).section("array").section("table").has("exponents");
}

HardwareConfig read_hardware(TomlSection& scenario, const std::filesystem::path& base,
                             ProcessingElementKind kind) {
  const std::filesystem::path file = preset_file(scenario, base);
  const toml::table preset_table = read_toml(file);

  HardwareConfig config;
  config.array.kind = kind;
  TomlSection section = scenario.section("hardware", &preset_table);
  section.node("preset");
  config.name = file.stem().string();
  config.clock_mhz = section.number("clock_mhz", config.clock_mhz, 1, 10000);
  TomlSection array = section.section("array");
  // Of scenarios alone, which know the other runs (scenario.cpp).
  if (scenario.section("hardware").section("array").has("same_area_as")) array.node("same_area_as");
  config.array = read_array(std::move(array), config.array);
  const TomlSection edge_array = section.section("edge_array");
  config.edge_array = read_array(edge_array, config.edge_array);
  if (!config.edge_array.kind.computes(TapKind::product)) {
    edge_array.refuse("kind", "must be \"mac\": first convolution and classifier multiply");
  }
  config.activation_sram = read_sram(section.section("activation_sram"), config.activation_sram);
  config.weight_sram = read_sram(section.section("weight_sram"), config.weight_sram);
  config.parameter_sram = read_sram(section.section("parameter_sram"), config.parameter_sram);
  config.load_dma = read_dma(section.section("load_dma"), config.load_dma);
  config.store_dma = read_dma(section.section("store_dma"), config.store_dma);
  config.bus = read_bus(section.section("bus"), config.bus);
  config.dram = read_dram(section.section("dram"), config.dram);
  TomlSection vector_unit = section.section("vector_unit");
  config.vector_unit.lanes = whole(vector_unit, "lanes", config.vector_unit.lanes, 1, 1024);
  vector_unit.refuse_unknown_keys();
  config.step_adapter = read_step_adapter(section.section("step_adapter"), config.step_adapter);
  config.command_queue = whole(section, "command_queue", config.command_queue, 1, 1024);
  section.refuse_unknown_keys();
  return config;
}

}  // namespace abacus
