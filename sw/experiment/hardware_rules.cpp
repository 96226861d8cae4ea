#include "sw/experiment/hardware_rules.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "sw/experiment/hardware_section.hpp"
#include "tlm/hardware_fields.hpp"

namespace abacus {
namespace {

// Kinds of arrays that have the parameter.
std::string kinds_with(bool (*present)(const PeArrayConfig&)) {
  std::vector<std::string> names;
  for (const ProcessingElementRow& row : processing_elements) {
    PeArrayConfig array;
    array.kind = ProcessingElementKind(row.name);
    if (present(array)) names.emplace_back(row.name);
  }
  return joined(names);
}

// Keys of the run itself that change nothing.
void refuse_idle_keys(const Section& own, const RunSpec& run) {
  Section hardware = Section(own).section("hardware");
  const auto check = [&](const char* array_name, const PeArrayConfig& config) {
    const Section array = hardware.section(array_name);
    visit_fields(config, [&](const auto& field, const auto&) {
      if (field.is_present(config) || !array.has(field.key)) return;
      array.refuse(field.key, to_string(config.kind) + " arrays have none; allowed with kind " +
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
void check_apot_bits(Section& section, const RunSpec& run) {
  constexpr int widest = 5;
  const int bits = run.quantization.weight_bits;
  if (run.arithmetic != Arithmetic::apot || run.checkpoint.empty() || bits <= widest) return;
  const std::string what =
      "found " + std::to_string(bits) +
      " weight bits; allowed with arithmetic apot: 2 to 5, whose levels are sums of two powers of "
      "two "
      "(of 6 bits they are sums of three, which are stored as integers: arithmetic cnn)";
  const Section quantization = section.section("quantization");
  if (quantization.has("weight_bits")) quantization.refuse("weight_bits", what);
  section.refuse("arithmetic", what);
}

std::string levels_text(int levels, int needed, int found) {
  return "found " + std::to_string(found) + "; " + std::to_string(levels) +
         " levels of POST weights need " + std::to_string(needed);
}

}  // namespace

void apply_hardware_rules(Section& section, const Section& own, const std::filesystem::path& base,
                          RunSpec& run) {
  check_apot_bits(section, run);
  refuse_idle_keys(own, run);
  const Section own_hardware = Section(own).section("hardware");
  if (own_hardware.has("step_adapter")) {
    run.step_adapter_location = own_hardware.place_of("step_adapter");
  }
  run.table_exponents_given = gives_table_exponents(section, base);
  if (run.arithmetic != Arithmetic::post || !run.package.empty()) return;
  const int levels = (1 << (run.quantization.weight_bits - 1)) - 1;
  const int needed = post_table_exponents(levels);
  int& exponents = run.hardware.array.table.exponents;
  if (!run.table_exponents_given) {
    exponents = std::max(1, needed);
  } else if (exponents < needed) {
    const std::string what = levels_text(levels, needed, exponents);
    Section hardware = section.section("hardware");
    const Section table = hardware.section("array").section("table");
    if (table.has("exponents")) table.refuse("exponents", what);
    hardware.refuse("preset", "array.table.exponents: " + what);
  }
}

void apply_hardware_rules(const IntegerNetwork& package, RunSpec& run) {
  bool adapts = false;
  int levels = 0;
  for (const IntegerLayer& layer : package.layers) {
    adapts = adapts || layer.adapter.has_value();
    if (layer.arithmetic == Arithmetic::post) levels = std::max(levels, layer.levels);
  }
  if (!adapts && !run.step_adapter_location.empty()) {
    throw InputError(run.step_adapter_location + ": hardware.step_adapter: " +
                     run.package.string() + " has no step adapters; leave it out");
  }
  // A table that was given and is too small is the scheduler's to refuse, which names the layer.
  int& exponents = run.hardware.array.table.exponents;
  if (!run.table_exponents_given && levels > 0) {
    exponents = std::max(1, post_table_exponents(levels));
  }
}

}  // namespace abacus
