#include "sw/experiment/hardware/hardware_section.hpp"

#include <sstream>
#include <string_view>
#include <utility>

#include "sw/experiment/resources.hpp"
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

std::string words(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

// A name alone tells nothing of how fast the device is.
void require_device_numbers(const reading::Section& section, const hw::DramConfig& dram) {
  if (dram.device == hw::DramConfig().device) return;
  std::vector<std::string> missing;
  hw::visit_fields(dram, [&](const auto& field, const auto&) {
    if (!section.stands_with(field.key, "device")) missing.emplace_back(field.key);
  });
  if (missing.empty()) return;
  section.refuse("device", "found the text \"" + dram.device +
                               "\"; allowed: " + hw::DramConfig().device +
                               ", or the name of another device with all of its numbers beside it; "
                               "missing: " +
                               reading::joined(missing));
}

void settle(const reading::Section& section, hw::DramConfig& dram) {
  require_device_numbers(section, dram);
  if (dram.t_refi <= dram.t_rfc) {
    section.refuse_together({{"t_refi", words(dram.t_refi)}, {"t_rfc", words(dram.t_rfc)}},
                            "t_refi of more than t_rfc, else the device does nothing but refresh");
  }
  const std::int64_t burst_bits = std::int64_t{dram.burst_length} * dram.data_bits;
  if (burst_bits % 8 != 0 || dram.row_bytes % (burst_bits / 8) != 0) {
    section.refuse_together(
        {{"burst_length", std::to_string(dram.burst_length)},
         {"data_bits", std::to_string(dram.data_bits)},
         {"row_bytes", std::to_string(dram.row_bytes)}},
        "whole bytes a burst (burst_length × data_bits / 8), of which row_bytes is a multiple");
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
void read_fields(reading::Section section, Config& config, reading::Mistakes& mistakes);

// One value, by what its row allows.
template <typename Value>
void read_value(reading::Section& section, const char* key, const hw::WholeRange& allowed,
                Value& value, reading::Mistakes&) {
  value = static_cast<Value>(
      section.integer(key, static_cast<std::int64_t>(value), allowed.lowest, allowed.highest));
}

void read_value(reading::Section& section, const char* key, const hw::RealRange& allowed,
                double& value, reading::Mistakes&) {
  value = section.number(key, value, allowed.lowest, allowed.highest);
}

void read_value(reading::Section& section, const char* key, const hw::Truth&, bool& value,
                reading::Mistakes&) {
  value = section.truth(key, value);
}

void read_value(reading::Section& section, const char* key, const hw::AnyText&, std::string& value,
                reading::Mistakes&) {
  value = section.text(key, value);
}

template <std::size_t N, typename Named>
void read_value(reading::Section& section, const char* key, const hw::OneOf<N>& allowed,
                Named& value, reading::Mistakes&) {
  const std::vector<std::string> names(allowed.names.begin(), allowed.names.end());
  value = Named(std::string_view(section.choice(key, hw::to_string(value), names)));
}

void read_value(reading::Section& section, const char* key, const hw::OneOfListed& allowed,
                std::string& value, reading::Mistakes&) {
  value = section.choice(key, value, allowed.names());
}

template <typename Config>
void read_value(reading::Section& section, const char* key, const hw::Subtable&, Config& config,
                reading::Mistakes& mistakes) {
  read_fields(section.section(key), config, mistakes);
}

template <typename Config>
void read_fields(reading::Section section, Config& config, reading::Mistakes& mistakes) {
  const std::size_t before = mistakes.count();
  hw::visit_fields(config, [&](const auto& field, auto&) { section.expect(field.key); });
  section.refuse_unknown_keys();
  hw::visit_fields(config, [&](const auto& field, auto& value) {
    read_value(section, field.key, field.allowed, value, mistakes);
  });
  // Rules between values want good values.
  if (mistakes.count() == before) mistakes.collect([&] { settle(section, config); });
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

bool gives_table_exponents(reading::Section& scenario, const std::filesystem::path& base,
                           ReadFiles& files) {
  return scenario.section("hardware", &files.toml(preset_file(scenario, base)))
      .section("array")
      .section("table")
      .has("exponents");
}

hw::HardwareConfig read_hardware(reading::Section& scenario, const std::filesystem::path& base,
                                 hw::ProcessingElementKind kind, ReadFiles& files,
                                 reading::Mistakes& mistakes) {
  const std::filesystem::path file = preset_file(scenario, base);
  const reading::Node& preset_table = files.toml(file);

  hw::HardwareConfig config;
  config.array.kind = kind;
  config.name = file.stem().string();
  reading::Section section = scenario.section("hardware", &preset_table);
  section.collect_into(mistakes);
  // Of scenarios alone: a preset has no preset, and knows no other runs (scenario.cpp).
  section.expect_above("preset");
  section.expect_above("array.same_area_as");
  read_fields(std::move(section), config, mistakes);
  return config;
}

}  // namespace abacus::experiment
