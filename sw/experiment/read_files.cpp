#include "sw/experiment/read_files.hpp"

#include "sw/experiment/table_files.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/reading/toml_file.hpp"

namespace abacus::experiment {
namespace {

template <typename T, typename Read>
const T& kept(std::map<std::filesystem::path, T>& all, const std::filesystem::path& file,
              const Read& read) {
  const auto found = all.find(file);
  return found != all.end() ? found->second : all.emplace(file, read(file)).first->second;
}

}  // namespace

const reading::Node& ReadFiles::toml(const std::filesystem::path& file) {
  return kept(tomls_, file, reading::read_toml);
}

const models::EnergyTable& ReadFiles::energy_table(const std::filesystem::path& file) {
  return kept(energy_tables_, file, read_energy_table);
}

const models::AreaTable& ReadFiles::area_table(const std::filesystem::path& file) {
  return kept(area_tables_, file, read_area_table);
}

const network::DescribedElement& ReadFiles::element(const std::filesystem::path& file) {
  return kept(elements_, file, network::read_element);
}

const std::string& ReadFiles::sha256(const std::filesystem::path& file) {
  return kept(hashes_, file, network::sha256_file);
}

}  // namespace abacus::experiment
