#include "sw/experiment/hardware_section.hpp"

#include <string_view>
#include <utility>

#include "sw/experiment/resources.hpp"
#include "sw/reading/toml_file.hpp"
#include "tlm/hardware_fields.hpp"

namespace abacus::experiment {
namespace {

// Rules between the values of one table, after each of them has been read.
template <typename Config>
void settle(const reading::Section&, Config&) {}

void settle(const reading::Section&, hw::PeArrayConfig& array) {
  // Presets serve every kind.
  if (array.kind.computes(hw::TapKind::sign_product)) array.weight_bits = array.activation_bits = 1;
}

void settle(const reading::Section& section, hw::DramConfig& dram) {
  if (dram.t_refi <= dram.t_rfc) {
    section.refuse("t_refi", "must be more than t_rfc, else the device does nothing but refresh");
  }
  const std::int64_t burst_bits = std::int64_t{dram.burst_length} * dram.data_bits;
  if (burst_bits % 8 != 0 || dram.row_bytes % (burst_bits / 8) != 0) {
    section.refuse("row_bytes",
                   "must be a multiple of a burst's bytes, burst_length × data_bits / 8");
  }
}

void settle(const reading::Section& section, hw::HardwareConfig& hardware) {
  if (!hardware.edge_array.kind.computes(hw::TapKind::product)) {
    reading::Section(section)
        .section("edge_array")
        .refuse("kind", "must be \"mac\": first convolution and classifier multiply");
  }
}

template <typename Config>
void read_fields(reading::Section section, Config& config);

// One value, by what its row allows.
template <typename Value>
void read_value(reading::Section& section, const char* key, const hw::WholeRange& allowed,
                Value& value) {
  value = static_cast<Value>(
      section.integer(key, static_cast<std::int64_t>(value), allowed.lowest, allowed.highest));
}

void read_value(reading::Section& section, const char* key, const hw::RealRange& allowed,
                double& value) {
  value = section.number(key, value, allowed.lowest, allowed.highest);
}

void read_value(reading::Section& section, const char* key, const hw::AnyText&,
                std::string& value) {
  value = section.text(key, value);
}

template <std::size_t N, typename Named>
void read_value(reading::Section& section, const char* key, const hw::OneOf<N>& allowed,
                Named& value) {
  const std::vector<std::string> names(allowed.names.begin(), allowed.names.end());
  value = Named(std::string_view(section.choice(key, hw::to_string(value), names)));
}

void read_value(reading::Section& section, const char* key, const hw::OneOfListed& allowed,
                std::string& value) {
  value = section.choice(key, value, allowed.names());
}

template <typename Config>
void read_value(reading::Section& section, const char* key, const hw::Subtable&, Config& config) {
  read_fields(section.section(key), config);
}

template <typename Config>
void read_fields(reading::Section section, Config& config) {
  hw::visit_fields(config, [&](const auto& field, auto& value) {
    read_value(section, field.key, field.allowed, value);
  });
  settle(section, config);
  section.refuse_unknown_keys();
}

std::filesystem::path preset_file(reading::Section& scenario, const std::filesystem::path& base) {
  const std::filesystem::path folder = resource_folder() / "scenarios" / "hardware";
  reading::Section overrides = scenario.section("hardware");
  const std::string preset = overrides.text("preset", "edge-16x16");
  const std::filesystem::path file = find_preset(preset, folder, base);
  if (file.empty()) {
    overrides.refuse("preset", "found \"" + preset +
                                   "\"; allowed: " + reading::joined(preset_names(folder)) +
                                   ", or a path to a preset file");
  }
  return file;
}

}  // namespace

bool gives_table_exponents(reading::Section& scenario, const std::filesystem::path& base) {
  const reading::Node preset = reading::read_toml(preset_file(scenario, base));
  return scenario.section("hardware", &preset).section("array").section("table").has("exponents");
}

hw::HardwareConfig read_hardware(reading::Section& scenario, const std::filesystem::path& base,
                                 hw::ProcessingElementKind kind) {
  const std::filesystem::path file = preset_file(scenario, base);
  const reading::Node preset_table = reading::read_toml(file);

  hw::HardwareConfig config;
  config.array.kind = kind;
  config.name = file.stem().string();
  reading::Section section = scenario.section("hardware", &preset_table);
  section.expect("preset");
  // Of scenarios alone, which know the other runs (scenario.cpp).
  if (scenario.section("hardware").section("array").has("same_area_as")) {
    section.expect("array.same_area_as");
  }
  read_fields(std::move(section), config);
  return config;
}

}  // namespace abacus::experiment
