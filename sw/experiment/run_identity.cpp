#include "sw/experiment/run_identity.hpp"

#include <nlohmann/json.hpp>

#include "sw/experiment/hardware/hardware_json.hpp"
#include "sw/experiment/resources.hpp"
#include "sw/network/safetensors.hpp"

namespace abacus::experiment {
namespace {

using Json = nlohmann::ordered_json;

Json content(const std::filesystem::path& file, ReadFiles& files) {
  return file.empty() ? Json(nullptr) : Json(files.sha256(file));
}

Json synthetic_json(const std::optional<SyntheticWeights>& synthetic) {
  if (!synthetic) return nullptr;
  const auto& [seed, groups, adapters, image, classes] = *synthetic;
  return {seed, groups, adapters, image.channels, image.height, image.width, classes};
}

// A program that is built anew may well give other numbers.
const std::string& own_content() {
  static const std::string hash = network::sha256_file(own_executable());
  return hash;
}

}  // namespace

std::string run_identity(const RunSpec& run, const std::string& recipe, std::int64_t checked_images,
                         ReadFiles& files) {
  // All fields by name: one that is added to RunSpec does not compile until it is said here whether it counts.
  // Where something stands in a file (…_location) and tables that the results are only compared with do not.
  const auto& [name, network, arithmetic, dataset, checkpoint, package, synthetic, level, engine,
               images, timed_images, quantization, element, element_file, hardware, energy_table,
               area_table, left_out_of_energy, left_out_of_area, other_energy_tables,
               frames_per_second, between_frames, table_files, same_area_as, area_filled,
               images_location, checkpoint_location, package_location, quantization_location,
               hardware_location, same_area_location, step_adapter_location,
               table_exponents_given] = run;
  const auto& [scheme, weight_bits, activation_bits, storage_bits, quantized_element,
               quantized_element_sha256, options] = quantization;
  Json tables = Json::array();  // also those of energy_table and area_table
  for (const std::filesystem::path& file : table_files) tables.push_back(content(file, files));
  const Json all = {{"program", own_content()},
                    {"name", name},
                    {"network", network},
                    {"arithmetic", network::to_string(arithmetic)},
                    {"dataset", dataset},
                    {"checkpoint", content(checkpoint, files)},
                    {"package", content(package, files)},
                    {"synthetic", synthetic_json(synthetic)},
                    {"element", content(element_file, files)},
                    {"element_table", element ? Json(element->sha256) : Json(nullptr)},
                    {"scheme", scheme},
                    {"bits", {weight_bits, activation_bits, storage_bits}},
                    {"options", options},
                    {"recipe", recipe},
                    {"level", to_string(level)},
                    {"engine", engine},
                    {"images", {images, timed_images, checked_images}},
                    {"tables", tables},
                    {"left_out", {left_out_of_energy, left_out_of_area}},
                    {"frames", {frames_per_second, models::to_string(between_frames)}},
                    {"same_area_as", {same_area_as, area_filled}},
                    {"hardware", hardware_json(hardware)}};
  return network::sha256_text(all.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace abacus::experiment
