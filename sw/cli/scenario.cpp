#include "sw/cli/scenario.hpp"

#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>

#include "sw/cli/hardware_rules.hpp"
#include "sw/cli/hardware_section.hpp"
#include "sw/cli/resources.hpp"
#include "sw/cli/toml_section.hpp"
#include "sw/network/dataset.hpp"
#include "sw/schedule/hardware_check.hpp"

namespace abacus {
namespace {

// Reads an option of the quantizer as it would stand on a command line.
std::string option_text(const TomlSection& section, const std::string& key,
                        const toml::node& node) {
  std::ostringstream text;
  text.precision(std::numeric_limits<double>::max_digits10);
  if (const auto* value = node.as_string()) {
    text << value->get();
  } else if (const auto* whole = node.as_integer()) {
    text << whole->get();
  } else if (const auto* real = node.as_floating_point()) {
    text << real->get();
  } else if (const auto* truth = node.as_boolean()) {
    text << (truth->get() ? "true" : "false");
  } else {
    section.refuse(key, "an option's value must be a text, a number, true or false");
  }
  return text.str();
}

std::string natural_scheme(Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::cnn) return "uniform-ptq";
  if (arithmetic == Arithmetic::adder) return "adderquant-ptq";
  return to_string(arithmetic);
}

QuantizationRecipe read_quantization(TomlSection section, Arithmetic arithmetic) {
  QuantizationRecipe recipe;
  recipe.scheme = section.text("scheme", natural_scheme(arithmetic));
  const int bits = arithmetic == Arithmetic::bnn ? 1 : 8;
  recipe.weight_bits = static_cast<int>(section.integer("weight_bits", bits, 1, 8));
  recipe.activation_bits = static_cast<int>(section.integer("activation_bits", bits, 1, 8));
  recipe.storage_bits = static_cast<int>(section.integer("storage_bits", 8, 2, 16));
  if (section.has("groups")) {
    recipe.options["groups"] = std::to_string(section.integer("groups", 4, 1, 64));
  }

  TomlSection options = section.section("options");
  for (const std::string& key : options.keys()) {
    recipe.options[key] = option_text(options, key, *options.node(key));
  }
  section.refuse_unknown_keys();
  return recipe;
}

// The array must take the operands that the scenario asks for.
void check_array(TomlSection& section, const RunSpec& run) {
  const PeArrayConfig& array = run.hardware.array;
  const ProcessingElementKind needed = element_kind(run.arithmetic);
  if (!computes(array.kind, needed)) {
    section.section("hardware")
        .section("array")
        .refuse("kind", "found \"" + to_string(array.kind) + "\"; arithmetic " +
                            to_string(run.arithmetic) + " needs \"" + to_string(needed) + '"');
  }
  if (run.checkpoint.empty()) return;
  const auto check_width = [&](const char* key, int found, int widest) {
    if (found <= widest) return;
    const std::string asked = std::to_string(found);
    const std::string taken = std::to_string(widest);
    const TomlSection quantization = section.section("quantization");
    if (quantization.has(key)) {
      quantization.refuse(key, "found " + asked + "; hardware.array." + key + " is " + taken);
    }
    TomlSection hardware = section.section("hardware");
    const TomlSection own = hardware.section("array");
    const std::string what = "the array takes " + taken + " bits; quantization." + key + " is " +
                             asked + " where nothing else is said";
    if (own.has(key)) own.refuse(key, what);
    hardware.refuse("preset", what);
  };
  check_width("weight_bits", run.quantization.weight_bits, array.weight_bits);
  check_width("activation_bits", run.quantization.activation_bits, array.activation_bits);
}

EnergyTable read_energy_table(TomlSection section, const std::filesystem::path& base) {
  const std::filesystem::path folder = resource_folder() / "scenarios" / "energy";
  const std::string name = section.text("table", "horowitz-45nm");
  section.refuse_unknown_keys();
  const std::filesystem::path file = find_preset(name, folder, base);
  if (file.empty()) {
    section.refuse("table", "found \"" + name + "\"; allowed: " + joined(preset_names(folder)) +
                                ", or a path to a table file");
  }
  return EnergyTable::read(file);
}

std::string location_of(TomlSection& section, const std::string& key,
                        const std::filesystem::path& file) {
  const toml::node* node = section.node(key);
  return node == nullptr ? file.string() : where(*node);
}

std::filesystem::path required_file(TomlSection& section, const std::string& key,
                                    const std::filesystem::path& base) {
  const std::filesystem::path file = base / section.required_text(key);
  if (!std::filesystem::is_regular_file(file)) {
    section.refuse(
        key, "there is no file " + file.string() + " (the path is relative to the scenario file)");
  }
  return file;
}

// Whether the run names a ready package rather than a checkpoint and its quantization. What the run
// itself says goes before what holds for all runs.
bool takes_package(const TomlSection& section, const TomlSection& own) {
  const auto checkpoint = [](const TomlSection& of) {
    return of.has("checkpoint") || of.has("quantization");
  };
  const TomlSection& decides = own.has("package") || checkpoint(own) ? own : section;
  if (decides.has("package") && checkpoint(decides)) {
    decides.refuse("package",
                   "a package is quantized already; leave out checkpoint and quantization");
  }
  return decides.has("package");
}

// `own`: what the run itself says, without what holds for all runs.
RunSpec read_run(TomlSection section, const TomlSection& own, const std::string& name,
                 const std::filesystem::path& file) {
  const std::filesystem::path base = file.parent_path();
  RunSpec run;
  run.name = name;
  section.node("name");
  section.node("run");
  run.network = section.required_choice("network", network_names());
  run.arithmetic =
      arithmetic_from_string(section.required_choice("arithmetic", arithmetic_names()));
  run.dataset = section.required_choice("dataset", dataset_names());

  // Known keys even where the other way is taken.
  run.checkpoint_location = location_of(section, "checkpoint", file);
  run.package_location = location_of(section, "package", file);
  run.quantization_location = location_of(section, "quantization", file);
  if (takes_package(section, own)) {
    run.package = required_file(section, "package", base);
  } else {
    run.checkpoint = required_file(section, "checkpoint", base);
    run.quantization = read_quantization(section.section("quantization"), run.arithmetic);
  }

  const std::string level = section.choice("level", "approximate", {"approximate", "functional"});
  run.level = level == "functional" ? TimingLevel::functional : TimingLevel::approximate;
  run.images = section.integer("images", 0, 0, std::numeric_limits<std::int32_t>::max());
  run.images_location = location_of(section, "images", file);
  run.timed_images = static_cast<int>(section.integer("timed_images", 2, 1, 1000000));
  if (run.level == TimingLevel::functional) run.timed_images = 0;

  run.hardware = read_hardware(section, base, element_kind(run.arithmetic));
  check_array(section, run);
  apply_hardware_rules(section, own, base, run);
  run.energy_table = read_energy_table(section.section("energy"), base);
  section.refuse_unknown_keys();
  return run;
}

}  // namespace

std::string to_string(TimingLevel level) {
  return level == TimingLevel::functional ? "functional" : "approximate";
}

Scenario read_scenario(const std::filesystem::path& file) {
  const toml::table root = read_toml(file);
  Scenario scenario;
  scenario.file = file;
  std::ifstream in(file, std::ios::binary);
  scenario.text.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  TomlSection top("", {&root});
  scenario.name = top.text("name", file.stem().string());

  const toml::node* runs = top.node("run");
  if (runs == nullptr) {
    scenario.runs.push_back(read_run(top, top, scenario.name, file));
    return scenario;
  }
  const toml::array* array = runs->as_array();
  if (array == nullptr || array->empty() || !array->is_array_of_tables()) {
    throw InputError(where(*runs) + ": run: must be a list of tables: [[run]], one a run");
  }
  std::set<std::string> names;
  for (const toml::node& element : *array) {
    const toml::table& table = *element.as_table();
    TomlSection own("run", {&table});
    const std::string name = own.required_text("name");
    if (!names.insert(name).second) own.refuse("name", "two runs are called \"" + name + '"');
    if (own.has("run")) own.refuse("run", "a run cannot hold runs");
    scenario.runs.push_back(read_run(TomlSection("", {&table, &root}), own, name, file));
  }
  return scenario;
}

}  // namespace abacus
