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
  const network::Shape& image = synthetic->image;
  return {synthetic->seed, synthetic->groups, synthetic->adapters, image.channels,
          image.height,    image.width,       synthetic->classes};
}

// A program that is built anew may well give other numbers.
const std::string& own_content() {
  static const std::string hash = network::sha256_file(own_executable());
  return hash;
}

}  // namespace

std::string run_identity(const RunSpec& run, const std::string& recipe, std::int64_t checked_images,
                         ReadFiles& files) {
  const QuantizationRecipe& quantization = run.quantization;
  Json tables = Json::array();
  for (const std::filesystem::path& file : run.table_files) tables.push_back(content(file, files));
  const Json all = {
      {"program", own_content()},
      {"name", run.name},
      {"network", run.network},
      {"arithmetic", network::to_string(run.arithmetic)},
      {"dataset", run.dataset},
      {"checkpoint", content(run.checkpoint, files)},
      {"package", content(run.package, files)},
      {"synthetic", synthetic_json(run.synthetic)},
      {"element", content(run.element_file, files)},
      {"element_table", run.element ? Json(run.element->sha256) : Json(nullptr)},
      {"scheme", quantization.scheme},
      {"bits", {quantization.weight_bits, quantization.activation_bits, quantization.storage_bits}},
      {"options", quantization.options},
      {"recipe", recipe},
      {"level", to_string(run.level)},
      {"engine", run.engine},
      {"images", {run.images, run.timed_images, checked_images}},
      {"tables", tables},
      {"left_out", {run.left_out_of_energy, run.left_out_of_area}},
      {"frames", {run.frames_per_second, models::to_string(run.between_frames)}},
      {"same_area_as", {run.same_area_as, run.area_filled}},
      {"hardware", hardware_json(run.hardware)}};
  return network::sha256_text(all.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace abacus::experiment
