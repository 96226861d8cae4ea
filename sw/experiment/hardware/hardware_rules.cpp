#include "sw/experiment/hardware/hardware_rules.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "sw/experiment/hardware/hardware_section.hpp"
#include "tlm/hardware_fields.hpp"

namespace abacus::experiment {
namespace {

// Kinds of arrays that have the parameter.
std::string kinds_with(bool (*present)(const hw::PeArrayConfig&)) {
  std::vector<std::string> names;
  for (const hw::ProcessingElementRow& row : hw::processing_elements) {
    hw::PeArrayConfig array;
    array.kind = hw::ProcessingElementKind(row.name);
    if (present(array)) names.emplace_back(row.name);
  }
  return reading::joined(names);
}

// Keys of the run itself that change nothing.
void refuse_idle_keys(const reading::Section& own, const RunSpec& run) {
  reading::Section hardware = reading::Section(own).section("hardware");
  const auto check = [&](const char* array_name, const hw::PeArrayConfig& config) {
    const reading::Section array = hardware.section(array_name);
    hw::visit_fields(config, [&](const auto& field, const auto&) {
      if (field.is_present(config) || !array.has(field.key)) return;
      array.refuse(field.key, hw::to_string(config.kind) + " arrays have none; allowed with kind " +
                                  kinds_with(field.present));
    });
  };
  check("array", run.hardware.array);
  check("edge_array", run.hardware.edge_array);
  if (hardware.has("step_adapter") && !run.checkpoint.empty()) {
    hardware.refuse("step_adapter",
                    "no scheme that quantizes a checkpoint makes step adapters; allowed with a "
                    "package that has some");
  }
}

// APoT's levels of 6 bits are sums of three powers of two, which the array has no lanes for.
void check_apot_bits(reading::Section& section, const RunSpec& run) {
  constexpr int widest = 5;
  const int bits = run.quantization.weight_bits;
  if (run.arithmetic != network::Arithmetic::apot || run.checkpoint.empty() || bits <= widest)
    return;
  const std::string what =
      "found " + std::to_string(bits) +
      " weight bits; allowed with arithmetic apot: 2 to 5, whose levels are sums of two powers of "
      "two "
      "(of 6 bits they are sums of three, which are stored as integers: arithmetic cnn)";
  const reading::Section quantization = section.section("quantization");
  if (quantization.has("weight_bits")) quantization.refuse("weight_bits", what);
  section.refuse("arithmetic", what);
}

std::string levels_text(int levels, int needed, int found) {
  return "found " + std::to_string(found) + "; " + std::to_string(levels) +
         " levels of POST weights need " + std::to_string(needed);
}

}  // namespace

void apply_hardware_rules(reading::Section& section, const reading::Section& own,
                          const std::filesystem::path& base, ReadFiles& files, RunSpec& run) {
  check_apot_bits(section, run);
  refuse_idle_keys(own, run);
  const reading::Section own_hardware = reading::Section(own).section("hardware");
  if (own_hardware.has("step_adapter")) {
    run.step_adapter_location = own_hardware.place_of("step_adapter");
  }
  run.table_exponents_given = gives_table_exponents(section, base, files);
  if (run.arithmetic != network::Arithmetic::post || !run.package.empty()) return;
  const int levels = (1 << (run.quantization.weight_bits - 1)) - 1;
  const int needed = hw::post_table_exponents(levels);
  int& exponents = run.hardware.array.table.exponents;
  if (!run.table_exponents_given) {
    exponents = std::max(1, needed);
  } else if (exponents < needed) {
    const std::string what = levels_text(levels, needed, exponents);
    reading::Section hardware = section.section("hardware");
    const reading::Section table = hardware.section("array").section("table");
    if (table.has("exponents")) table.refuse("exponents", what);
    hardware.refuse("preset", "array.table.exponents: " + what);
  }
}

void apply_hardware_rules(const network::IntegerNetwork& package, RunSpec& run) {
  bool adapts = false;
  int levels = 0;
  for (const network::IntegerLayer& layer : package.layers) {
    adapts = adapts || layer.adapter.has_value();
    if (layer.arithmetic == network::Arithmetic::post) levels = std::max(levels, layer.levels);
  }
  if (!adapts && !run.step_adapter_location.empty()) {
    throw reading::InputError(run.step_adapter_location + ": hardware.step_adapter: " +
                              run.package.string() + " has no step adapters; leave it out");
  }
  // A table that was given and is too small is the scheduler's to refuse, which names the layer.
  int& exponents = run.hardware.array.table.exponents;
  if (!run.table_exponents_given && levels > 0) {
    exponents = std::max(1, hw::post_table_exponents(levels));
  }
}

}  // namespace abacus::experiment
