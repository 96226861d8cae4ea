// A scenario file, read and checked: what `abacus simulate` is to run. docs/scenario.md lists its
// keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/energy/energy_table.hpp"
#include "sw/network/network.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus {

// How a checkpoint becomes an integer network package; passed on to `abacus-train quantize`, which
// alone knows the schemes and what each of them takes.
struct QuantizationRecipe {
  std::string scheme;  // "adderquant-ptq", "uniform-ptq", …
  int weight_bits = 8;
  int activation_bits = 8;
  int storage_bits = 8;
  // Options of the scheme by their names on the command line without the dashes in front
  // ("groups" → "4").
  std::map<std::string, std::string> options;
};

struct RunSpec {
  std::string name;
  std::string network;
  Arithmetic arithmetic = Arithmetic::adder;
  std::string dataset;
  // Either a checkpoint, to be quantized by the recipe, or a ready package.
  std::filesystem::path checkpoint;
  std::filesystem::path package;
  TimingLevel level = TimingLevel::approximate;
  std::int64_t images = 0;  // of the test set, from its start; 0: all
  int timed_images = 2;     // the first ones, at `level` in full; 0 at the functional level
  QuantizationRecipe quantization;
  HardwareConfig hardware;
  EnergyTable energy_table;
  // "file:line:column" of keys that can only be judged against other files.
  std::string images_location;
  std::string checkpoint_location;
  std::string package_location;
  std::string quantization_location;
  std::string step_adapter_location;  // empty: the run itself says nothing of hardware.step_adapter
  bool table_exponents_given = false;  // hardware.array.table.exponents, by scenario or preset
};

struct Scenario {
  std::filesystem::path file;
  std::string name;
  std::string text;  // the file's content, for the report
  std::vector<RunSpec> runs;
};

// Throws InputError (toml_section.hpp) naming file, line, column, what was found and what is
// allowed: for unknown keys, wrong types, values out of range, two runs of one name, files that
// are not there.
Scenario read_scenario(const std::filesystem::path& file);

std::string to_string(TimingLevel level);

}  // namespace abacus
