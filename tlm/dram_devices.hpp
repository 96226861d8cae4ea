// DRAM devices by name, each from public sources that it names.
#pragma once

#include <string>
#include <vector>

#include "tlm/dram_config.hpp"

namespace abacus::hw {

struct DramDevice {
  std::string name;
  std::string source;   // of its geometry and timings
  std::string typical;  // which of them are typical values or left out; empty: none
  DramConfig config;    // `device` is `name`
};

// The default device first.
const std::vector<DramDevice>& dram_devices();
// Null where there is none.
const DramDevice* find_dram_device(const std::string& name);
// What the device is built of; of one that is not known, the defaults.
const DramConfig& dram_device_config(const std::string& name);

}  // namespace abacus::hw
