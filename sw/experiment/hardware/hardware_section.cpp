#include "sw/experiment/hardware/hardware_section.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "sw/experiment/resources.hpp"
#include "tlm/dram_devices.hpp"
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

std::set<std::string> device_names() {
  std::set<std::string> names;
  for (const hw::DramDevice& device : hw::dram_devices()) names.insert(device.name);
  return names;
}

// Of a device that is not known a name alone tells nothing: its numbers stand beside it, but for those that no
// device must have.
void require_device_numbers(const reading::Section& section, const hw::DramConfig& dram) {
  if (hw::find_dram_device(dram.device) != nullptr) return;
  std::vector<std::string> missing;
  hw::visit_fields(dram, [&](const auto& field, const auto&) {
    if (field.present != nullptr) return;
    if (!section.stands_with(field.key, "device")) missing.emplace_back(field.key);
  });
  if (missing.empty()) return;
  const std::set<std::string> names = device_names();
  const std::string meant = reading::nearest(dram.device, names);
  section.refuse(
      "device", "found the text \"" + dram.device + "\"" +
                    (meant.empty() ? "" : "; did you mean \"" + meant + "\"?") + "; allowed: " +
                    reading::joined(std::vector<std::string>(names.begin(), names.end())) +
                    ", or the name of another device with all of its numbers beside it; missing: " +
                    reading::joined(missing));
}

// As many channels as the bandwidth takes, where nobody says how many.
void settle_bandwidth(const reading::Section& section, hw::DramConfig& dram) {
  if (dram.bandwidth == 0 || section.has("channels")) return;
  constexpr int most = 64;
  dram.channels = 1;
  const double one = dram.peak_bandwidth();
  dram.channels = static_cast<int>(std::clamp<std::int64_t>(
      std::llround(std::min(dram.bandwidth / one, double{most})), 1, most));
  if (!hw::broken_rule(dram)) return;
  // Rounded as a user would say it.
  if (std::abs(dram.bandwidth - dram.peak_bandwidth()) <= 0.01 * dram.peak_bandwidth()) return;
  section.refuse("bandwidth", "found " + words(dram.bandwidth) + "; a channel of " + dram.device +
                                  " moves " + words(one) + " GB/s; allowed: 1 to " +
                                  std::to_string(most) + " times that");
}

// The values of a DRAM's parameters in words.
std::vector<reading::Section::Used> used(const hw::DramConfig& dram,
                                         const std::vector<std::string>& keys) {
  std::vector<reading::Section::Used> all;
  for (const std::string& key : keys) {
    hw::visit_fields(dram, [&](const auto& field, const auto& value) {
      if (field.key != key) return;
      std::ostringstream text;
      text << value;
      all.push_back({key, text.str()});
    });
  }
  return all;
}

void settle(const reading::Section& section, hw::DramConfig& dram) {
  require_device_numbers(section, dram);
  settle_bandwidth(section, dram);
  if (const auto broken = hw::broken_rule(dram)) {
    section.refuse_together(used(dram, broken->keys), broken->allowed);
  }
}

void settle(const reading::Section& section, hw::HardwareConfig& hardware) {
  if (!hardware.edge_array.kind.computes(hw::TapKind::product)) {
    reading::Section(section)
        .section("edge_array")
        .refuse("kind", "must be \"mac\": first convolution and classifier multiply");
  }
}

// What a value of the section stands for besides itself, before the others are read.
template <typename Config>
reading::Section prepared(const reading::Section& section, Config&) {
  return section;
}

// A device's name stands for its numbers; those below it, of a preset, are another device's.
reading::Section prepared(const reading::Section& section, hw::DramConfig& dram) {
  reading::Section read = section;
  const reading::Value named = read.value("device");
  const auto* name = named.given() ? named.node()->as<std::string>() : nullptr;
  if (name == nullptr) return section;
  if (const hw::DramDevice* device = hw::find_dram_device(*name)) dram = device->config;
  return section.down_to("device");
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

void read_value(reading::Section& section, const char* key, const hw::OneOfNames& allowed,
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
  section = prepared(section, config);
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
