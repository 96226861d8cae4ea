// Files that scenarios name, each read once, however many scenarios or settings of one name it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "models/area/area_table.hpp"
#include "models/energy/energy_table.hpp"
#include "sw/network/element_file.hpp"
#include "sw/reading/node.hpp"

namespace abacus::experiment {

// What it gives stays as long as it does. Each member throws as the reader of such a file does, and then reads the
// file anew when it is asked again.
class ReadFiles {
 public:
  const reading::Node& toml(const std::filesystem::path& file);
  const models::EnergyTable& energy_table(const std::filesystem::path& file);
  const models::AreaTable& area_table(const std::filesystem::path& file);
  const network::DescribedElement& element(const std::filesystem::path& file);
  const std::string& sha256(const std::filesystem::path& file);

 private:
  std::map<std::filesystem::path, reading::Node> tomls_;
  std::map<std::filesystem::path, models::EnergyTable> energy_tables_;
  std::map<std::filesystem::path, models::AreaTable> area_tables_;
  std::map<std::filesystem::path, network::DescribedElement> elements_;
  std::map<std::filesystem::path, std::string> hashes_;
};

}  // namespace abacus::experiment
