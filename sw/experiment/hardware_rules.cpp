#include "sw/experiment/hardware_rules.hpp"

#include <algorithm>
#include <string>

#include "sw/experiment/hardware_section.hpp"

namespace abacus {
namespace {

// Keys of the run itself that change nothing.
void refuse_idle_keys(const TomlSection& own, const RunSpec& run) {
  TomlSection hardware = TomlSection(own).section("hardware");
  const auto check = [&](const char* array_name, const PeArrayConfig& config) {
    const TomlSection array = hardware.section(array_name);
    const std::string of = to_string(config.kind) + " arrays have none; allowed with kind ";
    if (array.has("table") && !config.kind.computes(TapKind::half_shifted)) {
      array.refuse("table", of + "post");
    }
    if (array.has("fraction_bits") && !config.kind.has_exponent_weights()) {
      array.refuse("fraction_bits", of + "shift, shift-add, post, apot");
    }
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
void check_apot_bits(TomlSection& section, const RunSpec& run) {
  constexpr int widest = 5;
  const int bits = run.quantization.weight_bits;
  if (run.arithmetic != Arithmetic::apot || run.checkpoint.empty() || bits <= widest) return;
  const std::string what =
      "found " + std::to_string(bits) +
      " weight bits; allowed with arithmetic apot: 2 to 5, whose levels are sums of two powers of "
      "two "
      "(of 6 bits they are sums of three, which are stored as integers: arithmetic cnn)";
  const TomlSection quantization = section.section("quantization");
  if (quantization.has("weight_bits")) quantization.refuse("weight_bits", what);
  section.refuse("arithmetic", what);
}

std::string levels_text(int levels, int needed, int found) {
  return "found " + std::to_string(found) + "; " + std::to_string(levels) +
         " levels of POST weights need " + std::to_string(needed);
}

}  // namespace

void apply_hardware_rules(TomlSection& section, const TomlSection& own,
                          const std::filesystem::path& base, RunSpec& run) {
  check_apot_bits(section, run);
  refuse_idle_keys(own, run);
  const TomlSection own_hardware = TomlSection(own).section("hardware");
  if (own_hardware.has("step_adapter")) {
    run.step_adapter_location = where(*TomlSection(own_hardware).node("step_adapter"));
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
    TomlSection hardware = section.section("hardware");
    const TomlSection table = hardware.section("array").section("table");
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
