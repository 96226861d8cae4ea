#include "sw/cli/scenario.hpp"

#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>

#include "sw/cli/hardware_section.hpp"
#include "sw/cli/resources.hpp"
#include "sw/cli/toml_section.hpp"
#include "sw/network/dataset.hpp"

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

QuantizationRecipe read_quantization(TomlSection section, Arithmetic arithmetic) {
  const std::string natural = arithmetic == Arithmetic::adder ? "adderquant-ptq" : "uniform-ptq";
  QuantizationRecipe recipe;
  recipe.scheme = section.choice("scheme", natural, quantization_schemes());
  if (recipe.scheme != natural) {
    section.refuse("scheme", "found \"" + recipe.scheme + "\"; a network of arithmetic " +
                                 to_string(arithmetic) + " takes \"" + natural + '"');
  }
  recipe.weight_bits = static_cast<int>(section.integer("weight_bits", 8, 2, 8));
  recipe.activation_bits = static_cast<int>(section.integer("activation_bits", 8, 2, 8));
  recipe.storage_bits = static_cast<int>(section.integer("storage_bits", 8, 2, 16));
  const std::int64_t groups = section.integer("groups", 4, 1, 64);
  if (arithmetic == Arithmetic::adder) recipe.options["groups"] = std::to_string(groups);

  TomlSection options = section.section("options");
  for (const std::string& key : options.keys()) {
    recipe.options[key] = option_text(options, key, *options.node(key));
  }
  section.refuse_unknown_keys();
  return recipe;
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

RunSpec read_run(TomlSection section, const std::string& name, const std::filesystem::path& file) {
  const std::filesystem::path base = file.parent_path();
  RunSpec run;
  run.name = name;
  section.node("name");
  section.node("run");
  run.network = section.required_choice("network", network_names());
  run.arithmetic = arithmetic_from_string(section.required_choice("arithmetic", {"adder", "cnn"}));
  run.dataset = section.required_choice("dataset", dataset_names());

  run.checkpoint = base / section.required_text("checkpoint");
  run.checkpoint_location = location_of(section, "checkpoint", file);
  if (!std::filesystem::is_regular_file(run.checkpoint)) {
    section.refuse("checkpoint", "there is no file " + run.checkpoint.string() +
                                     " (the path is relative to the scenario file)");
  }

  const std::string level = section.choice("level", "approximate", {"approximate", "functional"});
  run.level = level == "functional" ? TimingLevel::functional : TimingLevel::approximate;
  run.images = section.integer("images", 0, 0, std::numeric_limits<std::int32_t>::max());
  run.images_location = location_of(section, "images", file);
  run.timed_images = static_cast<int>(section.integer("timed_images", 2, 1, 1000000));
  if (run.level == TimingLevel::functional) run.timed_images = 0;

  run.quantization = read_quantization(section.section("quantization"), run.arithmetic);
  run.hardware = read_hardware(section, base,
                               run.arithmetic == Arithmetic::adder ? ProcessingElementKind::adder
                                                                   : ProcessingElementKind::mac);
  run.energy_table = read_energy_table(section.section("energy"), base);
  section.refuse_unknown_keys();
  return run;
}

}  // namespace

const std::vector<std::string>& quantization_schemes() {
  static const std::vector<std::string> schemes{"adderquant-ptq", "uniform-ptq"};
  return schemes;
}

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
    scenario.runs.push_back(read_run(top, scenario.name, file));
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
    scenario.runs.push_back(read_run(TomlSection("", {&table, &root}), name, file));
  }
  return scenario;
}

}  // namespace abacus
