#include "sw/experiment/scenario.hpp"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "models/array/engine.hpp"
#include "models/blocks/accelerator_area.hpp"
#include "models/energy/dram_prices.hpp"
#include "sw/experiment/hardware/hardware_rules.hpp"
#include "sw/experiment/hardware/hardware_section.hpp"
#include "sw/experiment/resources.hpp"
#include "sw/network/dataset.hpp"
#include "sw/network/integer_limits.hpp"
#include "sw/reading/file_bytes.hpp"
#include "sw/reading/section.hpp"
#include "sw/reading/toml_assignment.hpp"
#include "sw/reading/toml_file.hpp"

namespace abacus::experiment {
namespace {

std::string natural_scheme(network::Arithmetic arithmetic) {
  if (arithmetic == network::Arithmetic::cnn) return "uniform-ptq";
  if (arithmetic == network::Arithmetic::adder) return "adderquant-ptq";
  return network::to_string(arithmetic);
}

// A width of the operands between the edges, from `lowest`; a described element has its own, and no other.
int read_width(reading::Section& section, const char* key, const RunSpec& run, int lowest) {
  if (run.element) {
    const hw::ElementTable& table = run.element->table;
    const int own = std::string(key) == "weight_bits" ? table.weight_bits : table.activation_bits;
    return static_cast<int>(section.integer(key, own, own, own));
  }
  const bool binary = run.arithmetic == network::Arithmetic::bnn;
  return static_cast<int>(section.integer(key, binary ? 1 : 8, binary ? 1 : lowest, 8));
}

// What `abacus` itself says to the trainer, or what is no option of a scheme.
const std::vector<std::string>& reserved_options() {
  static const std::vector<std::string> names = {
      "activation_bits", "checkpoint",  "data",   "help",         "json",       "out",
      "print_recipe",    "recipe_hash", "scheme", "storage_bits", "weight_bits"};
  return names;
}

void read_quantization_options(reading::Section options, QuantizationRecipe& recipe,
                               reading::Mistakes& mistakes) {
  for (const std::string& key : options.keys()) {
    mistakes.collect([&] {
      const std::vector<std::string>& reserved = reserved_options();
      if (std::find(reserved.begin(), reserved.end(), key) != reserved.end()) {
        options.refuse(key, "is no option of a scheme; abacus itself says it to abacus-train");
      }
      if (key.empty() ||
          key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) {
        options.refuse(key,
                       "is no option's name; allowed: small letters, digits and _, which stands "
                       "for -");
      }
      if (recipe.options.count(key) != 0) {
        options.refuse(key, "stands in quantization, too; leave one of them out");
      }
      recipe.options[key] = options.value(key).option();
    });
  }
}

QuantizationRecipe read_quantization(reading::Section section, const RunSpec& run,
                                     reading::Mistakes& mistakes) {
  for (const char* key :
       {"scheme", "weight_bits", "activation_bits", "storage_bits", "groups", "options"}) {
    section.expect(key);
  }
  section.refuse_unknown_keys();
  QuantizationRecipe recipe;
  recipe.scheme = section.text("scheme", natural_scheme(run.arithmetic));
  recipe.weight_bits = read_width(section, "weight_bits", run, 1);
  recipe.activation_bits = read_width(section, "activation_bits", run, 1);
  recipe.storage_bits = static_cast<int>(section.integer("storage_bits", 8, 2, 16));
  if (section.has("groups")) {
    recipe.options["groups"] = std::to_string(section.integer("groups", 4, 1, 64));
  }
  read_quantization_options(section.section("options"), recipe, mistakes);
  if (run.element) {
    recipe.element = run.element_file;
    recipe.element_sha256 = run.element->sha256;
  }
  return recipe;
}

// What computes every layer between the edges.
hw::ProcessingElementKind elements_for(network::Arithmetic arithmetic) {
  return {arithmetic.first(), arithmetic.second()};
}

// The array must take the operands that the scenario asks for.
void check_array(reading::Section& section, const RunSpec& run) {
  const hw::PeArrayConfig& array = run.hardware.array;
  const hw::ProcessingElementKind needed = elements_for(run.arithmetic);
  if (!array.kind.computes(needed)) {
    reading::Section hardware = section.section("hardware");
    const reading::Section own = hardware.section("array");
    const std::string what = "found \"" + hw::to_string(array.kind) + "\"; arithmetic " +
                             network::to_string(run.arithmetic) + " needs \"" +
                             hw::to_string(needed) + '"';
    if (own.has("kind")) own.refuse("kind", what);
    hardware.refuse("preset", "array.kind: " + what);
  }
  const int least_fraction = network::smallest_table_fraction_bits;
  if (run.arithmetic == network::Arithmetic::post && array.fraction_bits < least_fraction) {
    section.section("hardware")
        .section("array")
        .refuse("fraction_bits", "found " + std::to_string(array.fraction_bits) +
                                     "; arithmetic post needs " + std::to_string(least_fraction) +
                                     " or more, as its lookup table has");
  }
  if (!run.package.empty()) return;
  const auto check_width = [&](const char* key, int found, int widest) {
    if (found <= widest) return;
    const std::string asked = std::to_string(found);
    const std::string taken = std::to_string(widest);
    const reading::Section quantization = section.section("quantization");
    if (quantization.has(key)) {
      quantization.refuse(key, "found " + asked + "; hardware.array." + key + " is " + taken);
    }
    reading::Section hardware = section.section("hardware");
    const reading::Section own = hardware.section("array");
    const std::string what = "the array takes " + taken + " bits; quantization." + key + " is " +
                             asked + " where nothing else is said";
    if (own.has(key)) own.refuse(key, what);
    hardware.refuse("preset", what);
  };
  check_width("weight_bits", run.quantization.weight_bits, array.weight_bits);
  check_width("activation_bits", run.quantization.activation_bits, array.activation_bits);
}

// A table file of scenarios/FOLDER, or of a path.
std::filesystem::path table_file(reading::Section& section, const std::string& subfolder,
                                 const std::string& otherwise, const std::filesystem::path& base) {
  const std::filesystem::path folder = resource_folder() / "scenarios" / subfolder;
  const std::string name = section.text("table", otherwise);
  std::filesystem::path file = find_preset(name, folder, base);
  if (file.empty()) {
    section.refuse("table", "found \"" + name +
                                "\"; allowed: " + reading::joined(preset_names(folder)) +
                                ", or a path to a table file");
  }
  return file;
}

// Whether what a table lacks may count as 0, as the key `missing` says.
void check_missing(reading::Section& section, const std::string& name,
                   const std::vector<std::string>& missing, bool as_zero) {
  if (missing.empty() || as_zero) return;
  section.refuse("table", "table " + name + " lacks " + reading::joined(missing) +
                              "; give it these, or count them as 0 by missing = \"zero\"");
}

void read_energy(reading::Section section, const std::filesystem::path& base, ReadFiles& files,
                 RunSpec& run, reading::Mistakes& mistakes) {
  for (const char* key : {"table", "missing", "frames_per_second", "between_frames"}) {
    section.expect(key);
  }
  section.refuse_unknown_keys();
  const std::filesystem::path file = table_file(section, "energy", "horowitz-45nm", base);
  const bool as_zero = section.choice("missing", "refuse", {"refuse", "zero"}) == "zero";
  run.table_files.push_back(file);
  const models::EnergyTable& table = files.energy_table(file);
  run.left_out_of_energy = table.missing();
  mistakes.collect([&] { check_missing(section, table.name(), run.left_out_of_energy, as_zero); });
  run.energy_table = table.with_zeros();
  const std::filesystem::path folder = resource_folder() / "scenarios" / "energy";
  for (const std::string& name : preset_names(folder)) {
    const std::filesystem::path other = find_preset(name, folder, base);
    const models::EnergyTable& shipped = files.energy_table(other);
    if (shipped.name() == table.name()) continue;
    run.table_files.push_back(other);
    run.other_energy_tables.push_back(shipped);
  }
  mistakes.collect([&] {
    if (section.has("frames_per_second")) {
      run.frames_per_second = section.number("frames_per_second", 0, 1e-6, 1e9);
    }
  });
  const std::string state =
      section.choice("between_frames", "power-down", {"power-down", "self-refresh", "standby"});
  if (state == "self-refresh") run.between_frames = models::Action::dram_self_refresh;
  if (state == "standby") run.between_frames = models::Action::dram_precharge_standby;
}

void read_area(reading::Section section, const std::filesystem::path& base, ReadFiles& files,
               RunSpec& run) {
  for (const char* key : {"table", "missing"}) section.expect(key);
  section.refuse_unknown_keys();
  const std::filesystem::path file = table_file(section, "area", "aladdin-40nm", base);
  const bool as_zero = section.choice("missing", "refuse", {"refuse", "zero"}) == "zero";
  run.table_files.push_back(file);
  run.area_table = files.area_table(file);
  run.left_out_of_area = run.area_table.missing();
  check_missing(section, run.area_table.name(), run.left_out_of_area, as_zero);
}

// Of a key that another way may not read; without it, of the table that could have it.
std::string location_of(reading::Section& section, const std::string& key) {
  return section.value(key).place().text();
}

std::filesystem::path required_file(reading::Section& section, const std::string& key,
                                    const std::filesystem::path& base) {
  const std::filesystem::path file = base / section.value(key).text();
  if (!std::filesystem::is_regular_file(file)) {
    section.refuse(
        key, "there is no file " + file.string() + " (the path is relative to the scenario file)");
  }
  return file;
}

// What the lanes of arithmetic `table` are.
void read_element_key(reading::Section& section, const reading::Section& own,
                      const std::filesystem::path& base, ReadFiles& files, RunSpec& run) {
  if (run.arithmetic == network::Arithmetic::table) {
    const std::filesystem::path file = required_file(section, "element", base);
    run.element = files.element(file);
    run.element_file = file;
    return;
  }
  section.expect("element");
  if (own.has("element")) own.refuse("element", "goes with arithmetic = \"table\" only");
}

// The array's lanes are built for the element. (Presets' widths serve every kind.)
void build_lanes(const std::optional<network::DescribedElement>& element,
                 hw::PeArrayConfig& array) {
  if (!element) return;
  array.element = std::make_shared<const hw::ElementTable>(element->table);
  array.weight_bits = element->table.weight_bits;
  array.activation_bits = element->table.activation_bits;
}

// Prices of the DRAM device and of the element, which they say themselves.
void add_prices(RunSpec& run) {
  run.energy_table = models::with_dram_prices(run.energy_table, run.hardware.dram.device);
  for (models::EnergyTable& table : run.other_energy_tables) {
    table = models::with_dram_prices(table, run.hardware.dram.device);
  }
  if (!run.element) return;
  const network::DescribedElement& element = *run.element;
  models::EnergyEntry tap;
  tap.points = {{0.0, element.tap_pj, element.energy_source}};
  run.energy_table = run.energy_table.with(models::Action::element_tap, tap);
  for (models::EnergyTable& table : run.other_energy_tables) {
    table = table.with(models::Action::element_tap, tap);
  }
  run.area_table = run.area_table.with_element(element.lane_um2, element.area_source);
}

// Where a run's weights come from.
enum class WeightSource { checkpoint, package, synthetic };

bool names_weights(const reading::Section& section) {
  return section.has("weights") || section.has("package") || section.has("checkpoint");
}

// What was set goes before what the run itself says, and that before what holds for all runs.
WeightSource weight_source(const reading::Section& section, const reading::Section& own,
                           const reading::Section& set) {
  const bool own_decides =
      names_weights(own) || (own.has("quantization") && !section.has("weights"));
  const reading::Section& decides = names_weights(set) ? set : own_decides ? own : section;
  if (decides.has("weights")) {
    for (const char* other : {"package", "checkpoint"}) {
      if (decides.has(other)) decides.refuse("weights", std::string("leave out ") + other);
    }
    return WeightSource::synthetic;
  }
  if (!decides.has("package")) return WeightSource::checkpoint;
  if (decides.has("checkpoint") || decides.has("quantization")) {
    decides.refuse("package",
                   "a package is quantized already; leave out checkpoint and quantization");
  }
  return WeightSource::package;
}

// Widths and formats of random weights: there is nothing to quantize.
void read_synthetic_quantization(reading::Section section, RunSpec& run) {
  for (const char* key : {"weight_bits", "activation_bits", "storage_bits", "groups", "adapters",
                          "scheme", "options"}) {
    section.expect(key);
  }
  section.refuse_unknown_keys();
  const std::string arithmetic = network::to_string(run.arithmetic);
  const bool binary = run.arithmetic == network::Arithmetic::bnn;
  const auto bits = [&](const char* key) {
    if (!binary) return read_width(section, key, run, 2);
    return static_cast<int>(section.integer(key, 1, 1, 1));
  };
  run.quantization.scheme = "synthetic";
  run.quantization.weight_bits = bits("weight_bits");
  run.quantization.activation_bits = bits("activation_bits");
  run.quantization.storage_bits = static_cast<int>(section.integer("storage_bits", 8, 2, 16));
  SyntheticWeights& synthetic = *run.synthetic;
  synthetic.groups = static_cast<int>(section.integer("groups", 1, 1, 64));
  const bool adder = run.arithmetic == network::Arithmetic::adder ||
                     run.arithmetic == network::Arithmetic::shiftaddnet;
  if (synthetic.groups > 1 && !adder) {
    section.refuse("groups",
                   "arithmetic " + arithmetic + " has none; allowed with adder and shiftaddnet");
  }
  synthetic.adapters = section.truth("adapters", false);
  if (synthetic.adapters &&
      (run.arithmetic == network::Arithmetic::adder || binary || run.element)) {
    section.refuse("adapters", "arithmetic " + arithmetic +
                                   " takes no step adapters, which scale products; allowed with "
                                   "cnn, shift, shiftaddnet, post and apot");
  }
  for (const char* key : {"scheme", "options"}) {
    if (section.has(key)) section.refuse(key, "synthetic weights are not quantized; leave it out");
  }
}

// Random weights, and where no data set is named the images' size.
void read_synthetic(reading::Section& section, const reading::Section& own,
                    const reading::Section& set, RunSpec& run, const reading::Mistakes& mistakes) {
  SyntheticWeights& synthetic = run.synthetic.emplace();
  section.value("weights").choice({"synthetic"});
  synthetic.seed = static_cast<std::uint64_t>(
      section.integer("seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  read_synthetic_quantization(section.section("quantization"), run);

  const reading::Value given_size = section.value("image");
  const std::vector<std::int64_t> size =
      given_size.given() ? given_size.integers(3, 1, 4096) : std::vector<std::int64_t>();
  synthetic.classes = static_cast<int>(section.integer("classes", 0, 2, 32767));
  const bool own_image = own.has("image") || own.has("classes");
  const bool random_images = own_image || (section.has("image") && !own.has("dataset"));
  const bool set_image = set.has("image") || set.has("classes");
  if (own.has("dataset") && own_image && !set_image) {
    own.refuse("dataset", "a data set has images; leave out image and classes, or the data set");
  }
  if (!random_images) {
    run.dataset = section.value("dataset").choice(network::dataset_names());
    synthetic.image = network::dataset_image(run.dataset);
    synthetic.classes = network::dataset_classes(run.dataset);
  } else {
    if (size.empty()) section.refuse("image", "is missing; allowed: [channels, height, width]");
    if (!section.has("classes")) section.refuse("classes", "is missing; allowed: 2 to 32767");
    synthetic.image = {static_cast<int>(size[0]), static_cast<int>(size[1]),
                       static_cast<int>(size[2])};
  }
  if (mistakes.count() != 0) return;  // network, image or classes may be none
  try {
    network::make_network(run.network, run.arithmetic, synthetic.image, synthetic.classes);
  } catch (const std::invalid_argument& error) {
    section.refuse(random_images ? "image" : "dataset", error.what());
  }
}

// Weights and images.
void read_workload(reading::Section& section, const reading::Section& own,
                   const reading::Section& set, const std::filesystem::path& base, RunSpec& run,
                   reading::Mistakes& mistakes) {
  const WeightSource source = weight_source(section, own, set);
  for (const char* key : {"weights", "seed", "image", "classes"}) {
    if (source != WeightSource::synthetic && own.has(key)) {
      own.refuse(key, "goes with weights = \"synthetic\" only");
    }
  }
  if (source == WeightSource::synthetic) return read_synthetic(section, own, set, run, mistakes);
  mistakes.collect(
      [&] { run.dataset = section.value("dataset").choice(network::dataset_names()); });
  if (source == WeightSource::package) run.package = required_file(section, "package", base);
  if (source == WeightSource::checkpoint) {
    mistakes.collect([&] { run.checkpoint = required_file(section, "checkpoint", base); });
    run.quantization = read_quantization(section.section("quantization"), run, mistakes);
  }
}

// `own`: what the run itself says, without what holds for all runs. `set`: what was set in place of both.
RunSpec read_run(reading::Section section, const reading::Section& own, const reading::Section& set,
                 const std::string& name, const std::filesystem::path& file, ReadFiles& files,
                 reading::Mistakes& mistakes) {
  const std::filesystem::path base = file.parent_path();
  const std::size_t before = mistakes.count();
  const auto all_good = [&] { return mistakes.count() == before; };
  section.collect_into(mistakes);
  RunSpec run;
  run.name = name;
  for (const char* key :
       {"name",    "run",    "network", "arithmetic", "dataset",  "checkpoint",   "package",
        "weights", "seed",   "image",   "classes",    "images",   "timed_images", "level",
        "engine",  "energy", "area",    "element",    "hardware", "quantization"}) {
    section.expect(key);
  }
  section.refuse_unknown_keys();
  const bool spelled_well = all_good();

  mistakes.collect(
      [&] { run.network = section.value("network").choice(network::workload_names()); });
  mistakes.collect([&] {
    run.arithmetic = network::arithmetic_from_string(
        section.value("arithmetic").choice(network::arithmetic_names()));
    read_element_key(section, own, base, files, run);
  });
  run.checkpoint_location = location_of(section, "checkpoint");
  run.package_location = location_of(section, "package");
  run.quantization_location = location_of(section, "quantization");
  run.hardware_location = location_of(section, "hardware");
  // A key that is misspelt would leave it to chance where the weights come from.
  if (spelled_well)
    mistakes.collect([&] { read_workload(section, own, set, base, run, mistakes); });

  const std::string level = section.choice("level", "approximate", {"approximate", "functional"});
  run.level = level == "functional" ? hw::TimingLevel::functional : hw::TimingLevel::approximate;
  run.engine = section.choice("engine", models::default_engine, models::engine_names());
  run.images = section.integer("images", 0, 0, std::numeric_limits<std::int32_t>::max());
  run.images_location = location_of(section, "images");
  run.timed_images = static_cast<int>(section.integer("timed_images", 2, 1, 1000000));
  if (run.level == hw::TimingLevel::functional) run.timed_images = 0;

  mistakes.collect([&] {
    run.hardware = read_hardware(section, base, elements_for(run.arithmetic), files, mistakes);
  });
  build_lanes(run.element, run.hardware.array);
  mistakes.collect([&] { read_energy(section.section("energy"), base, files, run, mistakes); });
  mistakes.collect([&] { read_area(section.section("area"), base, files, run); });
  reading::Section array = section.section("hardware").section("array");
  add_prices(run);
  run.same_area_as = array.text("same_area_as", "");
  run.same_area_location = location_of(array, "same_area_as") + ": hardware.array.same_area_as";
  if (!all_good()) return run;
  // What several keys must be together.
  mistakes.collect([&] {
    check_array(section, run);
    apply_hardware_rules(section, own, base, files, run);
  });
  return run;
}

// Gives arrays that are to be as large as another run's their rows and columns.
void fill_areas(std::vector<RunSpec>& runs) {
  const std::vector<RunSpec> given = runs;
  for (RunSpec& run : runs) {
    if (run.same_area_as.empty()) continue;
    std::vector<std::string> allowed;
    const RunSpec* other = nullptr;
    for (const RunSpec& candidate : given) {
      if (!candidate.same_area_as.empty()) continue;
      allowed.push_back(candidate.name);
      if (candidate.name == run.same_area_as) other = &candidate;
    }
    const std::string found = run.same_area_location + ": found \"" + run.same_area_as + '"';
    if (other == nullptr) {
      throw reading::InputError(found +
                                "; allowed: the name of a run whose array has a size of its own: " +
                                reading::joined(allowed));
    }
    try {
      const double um2 = models::accelerator_area(other->hardware, run.area_table).total();
      run.hardware.array = models::largest_array(run.hardware, run.area_table, um2);
      run.area_filled = models::accelerator_area(run.hardware, run.area_table).total() / um2;
    } catch (const std::runtime_error& error) {
      throw reading::InputError(found + ": " + error.what());
    }
  }
}

using Layers = std::vector<const reading::Node*>;

Layers above(Layers upper, const Layers& lower) {
  upper.insert(upper.end(), lower.begin(), lower.end());
  return upper;
}

const reading::Node& no_table() {
  static const reading::Node node(
      {std::make_shared<const reading::Source>(reading::Source{"", "a table"}), 0, 0},
      reading::Node::Table());
  return node;
}

std::vector<reading::Node> read_settings(const std::vector<std::string>& settings) {
  std::vector<reading::Node> nodes;
  for (const std::string& setting : settings) {
    nodes.push_back(reading::parse_toml_assignment(setting, "--set " + setting));
    if (nodes.back().find("run") != nullptr) {
      throw reading::InputError("--set " + setting +
                                ": runs stand in the scenario alone; allowed: a key that holds "
                                "for all of them");
    }
  }
  return nodes;
}

// As long as a file may be.
std::string read_standard_input() {
  std::string text(reading::most_toml_bytes + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.size() > reading::most_toml_bytes) {
    throw reading::InputError("standard input: more than " +
                              std::to_string(reading::most_toml_bytes) + " bytes");
  }
  return text;
}

}  // namespace

std::vector<std::string> table_warnings(const Scenario& scenario) {
  constexpr double enough = 0.9;
  std::vector<std::string> lines;
  for (const RunSpec& run : scenario.runs) {
    if (run.area_filled < enough) {
      std::ostringstream text;
      text << "run \"" << run.name << "\" fills " << std::setprecision(3) << 100 * run.area_filled
           << " % of the area of \"" << run.same_area_as << "\", with " << run.hardware.array.rows
           << " rows of " << run.hardware.array.columns << " lanes";
      lines.push_back(text.str());
    }
    const auto warn = [&](const char* kind, const std::string& table,
                          const std::vector<std::string>& names) {
      if (names.empty()) return;
      lines.push_back("run \"" + run.name + "\": " + kind + " table " + table + " lacks " +
                      reading::joined(names) + ", which count as 0");
    };
    warn("energy", run.energy_table.name(), run.left_out_of_energy);
    warn("area", run.area_table.name(), run.left_out_of_area);
  }
  return lines;
}

std::string to_string(hw::TimingLevel level) {
  return level == hw::TimingLevel::functional ? "functional" : "approximate";
}

ScenarioSource read_scenario_source(const std::filesystem::path& file) {
  // As errors and default names have it. Its parent path is the current folder.
  const std::filesystem::path source = file == "-" ? "standard input" : file;
  std::string text =
      file == "-" ? read_standard_input() : reading::file_bytes(file, reading::most_toml_bytes);
  reading::Node root = reading::parse_toml(text, source.string());
  return {source, std::move(text), std::move(root)};
}

Scenario read_scenario(const std::filesystem::path& file,
                       const std::vector<std::string>& settings) {
  ReadFiles files;
  const ScenarioSource source = read_scenario_source(file);
  Scenario scenario = read_scenario(source, read_settings(settings), files);
  scenario.file = file;
  scenario.text = source.text;
  scenario.settings = settings;
  return scenario;
}

Scenario read_scenario(const ScenarioSource& from, const std::vector<reading::Node>& settings,
                       ReadFiles& files) {
  const std::filesystem::path& source = from.file;
  const reading::Node& root = from.root;
  Scenario scenario;
  scenario.file = source;
  Layers set;
  for (auto node = settings.rbegin(); node != settings.rend(); ++node) set.push_back(&*node);

  reading::Mistakes mistakes;
  const reading::Section set_section("", set.empty() ? Layers{&no_table()} : set);
  reading::Section top("", above(set, {&root}));
  top.collect_into(mistakes);
  scenario.name = top.text("name", source.stem().string());

  const reading::Member* runs = root.find("run");
  if (runs == nullptr) {
    scenario.runs.push_back(
        read_run(top, top, set_section, scenario.name, source, files, mistakes));
    mistakes.raise();
    fill_areas(scenario.runs);
    return scenario;
  }
  const auto* list = runs->value.as<reading::Node::List>();
  const bool tables =
      list != nullptr && std::all_of(list->begin(), list->end(), [](const reading::Node& run) {
        return run.as<reading::Node::Table>() != nullptr;
      });
  if (!tables || list->empty()) {
    top.refuse("run", "must be a list of tables: [[run]], one a run");
  }
  std::set<std::string> names;
  for (const reading::Node& table : *list) {
    reading::Section written("run", {&table});
    std::string name;
    mistakes.collect([&] {
      name = written.value("name").text();
      if (!names.insert(name).second) {
        written.refuse("name", "two runs are called \"" + name + '"');
      }
    });
    mistakes.collect([&] {
      if (written.has("run")) written.refuse("run", "a run cannot hold runs");
    });
    scenario.runs.push_back(read_run(reading::Section("", above(set, {&table, &root})),
                                     reading::Section("run", above(set, {&table})), set_section,
                                     name, source, files, mistakes));
  }
  mistakes.raise();
  fill_areas(scenario.runs);
  return scenario;
}

}  // namespace abacus::experiment
