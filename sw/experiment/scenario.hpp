// A scenario file, read and checked: what `abacus simulate` is to run. docs/scenario.md lists its
// keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/area/area_table.hpp"
#include "models/energy/energy_table.hpp"
#include "sw/experiment/read_files.hpp"
#include "sw/network/element_file.hpp"
#include "sw/network/network.hpp"
#include "sw/reading/node.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::experiment {

// How a checkpoint becomes an integer network package; passed on to `abacus-train quantize`, which
// alone knows the schemes and what each of them takes.
struct QuantizationRecipe {
  std::string scheme;  // "adderquant-ptq", "uniform-ptq", …
  int weight_bits = 8;
  int activation_bits = 8;
  int storage_bits = 8;
  // Of scheme `table`: the element's description, and what it computes (DescribedElement::sha256).
  std::filesystem::path element;
  std::string element_sha256;
  // Options of the scheme by their names on the command line without the dashes in front
  // ("groups" → "4").
  std::map<std::string, std::string> options;
};

// Random weights in place of trained ones (sw/workload): cycles, energy and bytes, but no accuracy.
struct SyntheticWeights {
  std::uint64_t seed = 1;
  int groups = 1;         // read-quantizer groups of each adder layer
  bool adapters = false;  // step adapters (ASQ) in the layers of products between the edges
  // Without a data set: size and classes of random images.
  network::Shape image;
  int classes = 0;
};

struct RunSpec {
  std::string name;
  std::string network;
  network::Arithmetic arithmetic = network::Arithmetic::adder;
  std::string dataset;  // empty: random images
  // Either a checkpoint, to be quantized by the recipe, or a ready package, or random weights.
  std::filesystem::path checkpoint;
  std::filesystem::path package;
  std::optional<SyntheticWeights> synthetic;
  hw::TimingLevel level = hw::TimingLevel::approximate;
  // What computes the arrays' accumulators (models/array/engine.hpp): the results are the same.
  std::string engine;
  std::int64_t images =
      0;                 // of the test set, from its start; 0: all, of random ones the timed ones
  int timed_images = 2;  // the first ones, at `level` in full; 0 at the functional level
  QuantizationRecipe quantization;
  // Of arithmetic `table`: what the array's lanes are. Its table is the hardware's, its prices are in the
  // tables of energy and area.
  std::optional<network::DescribedElement> element;
  std::filesystem::path element_file;
  hw::HardwareConfig hardware;
  models::EnergyTable energy_table;
  models::AreaTable area_table;
  // What the tables lack and the scenario counts as 0, as their files name it.
  std::vector<std::string> left_out_of_energy;
  std::vector<std::string> left_out_of_area;
  // Those that ship, beside `energy_table`, to see whether they agree with it.
  std::vector<models::EnergyTable> other_energy_tables;
  double frames_per_second = 0;                                     // 0: images one after the other
  models::Action between_frames = models::Action::dram_power_down;  // the DRAM's state
  std::vector<std::filesystem::path> table_files;                   // of all these
  // Name of another run, whose accelerator's area this one's fills: rows and columns of `hardware.array`
  // are so chosen. Empty: they are as given.
  std::string same_area_as;
  double area_filled = 1;  // of that area, 0 … 1
  // "file:line:column" of keys that can only be judged against other files.
  std::string images_location;
  std::string checkpoint_location;
  std::string package_location;
  std::string quantization_location;
  std::string hardware_location;
  std::string same_area_location;
  std::string step_adapter_location;  // empty: the run itself says nothing of hardware.step_adapter
  bool table_exponents_given = false;  // hardware.array.table.exponents, by scenario or preset
};

struct Scenario {
  std::filesystem::path file;
  std::string name;
  std::string text;                   // the file's content, for the report
  std::vector<std::string> settings;  // KEY=VALUE in place of what the file says
  std::vector<RunSpec> runs;
};

// Throws InputError (sw/reading/node.hpp) naming file, line, column, what was found and what is
// allowed: for unknown keys, wrong types, values out of range, two runs of one name, files that
// are not there. `file`: "-" is the standard input; paths in it are relative to the current folder.
// `settings`: "hardware.array.rows=8" each, which go before all that the file says, in every run, the last one
// first.
Scenario read_scenario(const std::filesystem::path& file,
                       const std::vector<std::string>& settings = {});

// A scenario's text, to be read with many settings.
struct ScenarioSource {
  std::filesystem::path file;  // as errors have it; the folder that its paths are relative to
  std::string text;
  reading::Node root;
};

ScenarioSource read_scenario_source(const std::filesystem::path& file);

// The same of a text that is read already, without `text` and `settings`. `settings`: tables with the keys of a
// scenario, which go before all that it says, the last one first.
Scenario read_scenario(const ScenarioSource& source, const std::vector<reading::Node>& settings,
                       ReadFiles& files);

// A line for each table of a run that lacks what the scenario counts as 0, and for each run whose
// accelerator is to be as large as another's and of which whole rows and columns fill less than 90 %.
std::vector<std::string> table_warnings(const Scenario& scenario);

std::string to_string(hw::TimingLevel level);

}  // namespace abacus::experiment
