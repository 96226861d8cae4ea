#include "sw/experiment/results.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "models/array/array_area.hpp"
#include "sw/experiment/hardware_section.hpp"
#include "sw/support/atomic_file.hpp"

namespace abacus {
namespace {

using Json = nlohmann::ordered_json;

// Whole numbers without a fraction, so that equal cycle counts read as what they are.
Json number(double value) {
  if (std::floor(value) == value && std::abs(value) < 9e15) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json percent_or_null(double percent) { return percent < 0 ? Json(nullptr) : Json(percent); }

constexpr double microjoules_a_picojoule = 1e-6;

// Energy of one image, the mean over the timed ones, sorted out three ways.
struct Energy {
  double total = 0;
  double outside_layers = 0;
  std::vector<double> by_layer;
  std::array<double, component_count> by_component{};
  std::array<double, action_count> by_action{};
};

std::map<Activity::Key, double> mean_activity(const std::vector<TimedImage>& images) {
  std::map<Activity::Key, std::int64_t> sums;
  for (const TimedImage& image : images) {
    for (const auto& [key, count] : image.activity) sums[key] += count;
  }
  std::map<Activity::Key, double> means;
  for (const auto& [key, sum] : sums) {
    means[key] = static_cast<double>(sum) / static_cast<double>(images.size());
  }
  return means;
}

Energy energy_of(const std::map<Activity::Key, double>& activity, const EnergyTable& table,
                 const HardwareConfig& hardware, std::size_t layers) {
  Energy energy;
  energy.by_layer.resize(layers);
  for (const auto& [key, count] : activity) {
    const double spent = count * table.picojoules(key, hardware) * microjoules_a_picojoule;
    energy.total += spent;
    energy.by_component[static_cast<std::size_t>(key.component)] += spent;
    energy.by_action[static_cast<std::size_t>(key.action)] += spent;
    if (key.layer >= 0 && static_cast<std::size_t>(key.layer) < layers) {
      energy.by_layer[static_cast<std::size_t>(key.layer)] += spent;
    } else {
      energy.outside_layers += spent;
    }
  }
  return energy;
}

std::vector<LayerTime> mean_layers(const std::vector<TimedImage>& images) {
  std::vector<LayerTime> means(images.front().layers.size());
  const auto count = static_cast<double>(images.size());
  for (std::size_t l = 0; l < means.size(); ++l) {
    for (const TimedImage& image : images) {
      means[l].cycles += image.layers[l].cycles;
      for (std::size_t u = 0; u < means[l].units.size(); ++u) {
        means[l].units[u].busy += image.layers[l].units[u].busy;
        means[l].units[u].stalled += image.layers[l].units[u].stalled;
      }
    }
    means[l].cycles /= count;
    for (UnitCycles& unit : means[l].units) {
      unit.busy /= count;
      unit.stalled /= count;
    }
  }
  return means;
}

Json units_json(const std::vector<UnitCycles>& units) {
  Json json = Json::object();
  for (int u = 0; u < unit_count; ++u) {
    const UnitCycles& unit = units[static_cast<std::size_t>(u)];
    json[to_string(static_cast<Unit>(u))] = {{"busy_cycles", number(unit.busy)},
                                             {"stalled_cycles", number(unit.stalled)}};
  }
  return json;
}

double lanes(const LayerPlan& plan, const HardwareConfig& hardware) {
  const PeArrayConfig& array = plan.edge ? hardware.edge_array : hardware.array;
  return static_cast<double>(array.rows) * array.columns;
}

Json layer_json(const IntegerLayer& layer, const LayerPlan& plan, const HardwareConfig& hardware,
                std::int64_t saturations, const StepSaturations& steps) {
  Json json;
  json["name"] = plan.name;
  json["cycles"] = nullptr;
  json["macs_or_taps"] = plan.taps;
  json["pe_utilisation"] = nullptr;
  json["energy_uj"] = nullptr;
  json["kind"] = to_string(layer.kind);
  json["array"] = layer.kind != IntegerLayerKind::convolution ? Json(nullptr)
                  : plan.edge                                 ? Json("edge_array")
                                                              : Json("array");
  if (layer.kind == IntegerLayerKind::convolution) {
    json["weight_bits"] = layer.weight_bits;
    json["activation_bits"] = layer.activation_bits;
    json["lanes"] = number(lanes(plan, hardware));
  }
  json["groups"] = plan.groups;
  json["output_tiles"] = plan.output_tiles;
  json["weights_resident"] = plan.weights_resident;
  json["saturations"] = saturations;
  if (layer.adapter) {
    json["step_saturations"] = {{"beta_underflows", steps.underflows},
                                {"beta_overflows", steps.overflows},
                                {"read_multiplier", steps.read},
                                {"multipliers", steps.multipliers}};
  }
  return json;
}

// Fills in what only images at a timed level can tell.
void add_timing(Json& json, const RunSpec& run, const Program& program,
                const std::vector<TimedImage>& timed) {
  const std::vector<LayerTime> layers = mean_layers(timed);
  const std::map<Activity::Key, double> activity = mean_activity(timed);
  const Energy energy = energy_of(activity, run.energy_table, run.hardware, layers.size());

  double cycles = 0;
  const auto by_cycles = [](const TimedImage& a, const TimedImage& b) {
    return a.cycles < b.cycles;
  };
  for (const TimedImage& image : timed) cycles += static_cast<double>(image.cycles);
  cycles /= static_cast<double>(timed.size());
  json["cycles_per_image"] = number(cycles);
  json["time_per_image_us"] = cycles / run.hardware.clock_mhz;
  json["energy_per_image_uj"] = energy.total;
  Json by_component = Json::object();
  for (int c = 0; c < component_count; ++c) {
    by_component[to_string(static_cast<Component>(c))] =
        energy.by_component[static_cast<std::size_t>(c)];
  }
  json["energy_by_component_uj"] = by_component;
  Json by_action = Json::object();
  for (int a = 0; a < action_count; ++a) {
    by_action[to_string(static_cast<Action>(a))] = energy.by_action[static_cast<std::size_t>(a)];
  }
  json["energy_by_action_uj"] = by_action;
  json["energy_outside_layers_uj"] = energy.outside_layers;
  json["cycles_of_timed_images"] = {
      {"lowest", std::min_element(timed.begin(), timed.end(), by_cycles)->cycles},
      {"highest", std::max_element(timed.begin(), timed.end(), by_cycles)->cycles}};

  std::vector<UnitCycles> units(unit_count);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    Json& layer = json["layers"][l];
    const LayerTime& time = layers[l];
    layer["cycles"] = number(time.cycles);
    layer["pe_utilisation"] = time.cycles > 0
                                  ? static_cast<double>(program.layers[l].taps) /
                                        (lanes(program.layers[l], run.hardware) * time.cycles)
                                  : 0.0;
    layer["energy_uj"] = energy.by_layer[l];
    layer["units"] = units_json(time.units);
    for (std::size_t u = 0; u < units.size(); ++u) {
      units[u].busy += time.units[u].busy;
      units[u].stalled += time.units[u].stalled;
    }
  }
  json["units"] = units_json(units);

  // Layers added up: the counts themselves, for other energy tables.
  std::map<Activity::Key, double> counts;
  for (const auto& [key, count] : activity) {
    Activity::Key whole = key;
    whole.layer = -1;
    counts[whole] += count;
  }
  Json actions = Json::array();
  for (const auto& [key, count] : counts) {
    actions.push_back({{"component", to_string(key.component)},
                       {"action", to_string(key.action)},
                       {"bits_a", key.bits_a},
                       {"bits_b", key.bits_b},
                       {"count", number(count)},
                       {"pj_each", run.energy_table.picojoules(key, run.hardware)}});
  }
  json["activity_per_image"] = actions;
}

Json array_json(const PeArrayConfig& array) {
  Json json = {{"kind", to_string(array.kind)},
               {"rows", array.rows},
               {"columns", array.columns},
               {"weight_bits", array.weight_bits},
               {"activation_bits", array.activation_bits},
               {"accumulator_bits", array.accumulator_bits},
               {"weights_per_pe", array.weights_per_pe},
               {"scale_lanes", array.scale_lanes}};
  const bool post = array.kind.computes(TapKind::half_shifted);
  if (array.kind.has_exponent_weights()) {
    json["fraction_bits"] = array.fraction_bits;
  }
  if (post) {
    json["table"] = {{"exponents", array.table.exponents},
                     {"fraction_bits", array.table.fraction_bits},
                     {"ports", array.table.ports},
                     {"lanes", array.table.lanes}};
  }
  return json;
}

Json area_json(const RunSpec& run) {
  const AreaTable& table = run.area_table;
  const ArrayArea array = array_area(run.hardware.array, table);
  const ArrayArea edge = array_area(run.hardware.edge_array, table);
  return {{"table", table.name()},
          {"table_title", table.title()},
          {"array_um2", array.total()},
          {"units_um2", array.units},
          {"registers_um2", array.registers},
          {"adder_trees_um2", array.adder_trees},
          {"accumulators_um2", array.accumulators},
          {"memories_um2", table.has_memory() ? Json(array.memories) : Json(nullptr)},
          {"edge_array_um2", edge.total()},
          {"same_area_as", text_or_null(run.same_area_as)}};
}

Json sram_json(const SramConfig& sram) {
  return {{"bytes", sram.bytes},
          {"banks", sram.banks},
          {"port_bytes", sram.port_bytes},
          {"latency_cycles", sram.latency_cycles}};
}

Json dma_json(const DmaConfig& dma) {
  return {{"burst_bytes", dma.burst_bytes}, {"outstanding", dma.outstanding}};
}

}  // namespace

Json hardware_json(const HardwareConfig& hardware) {
  const DramConfig& dram = hardware.dram;
  return {{"preset", hardware.name},
          {"clock_mhz", hardware.clock_mhz},
          {"array", array_json(hardware.array)},
          {"edge_array", array_json(hardware.edge_array)},
          {"activation_sram", sram_json(hardware.activation_sram)},
          {"weight_sram", sram_json(hardware.weight_sram)},
          {"parameter_sram", sram_json(hardware.parameter_sram)},
          {"step_adapter",
           {{"channels", hardware.step_adapter.channels},
            {"hidden", hardware.step_adapter.hidden},
            {"lanes", hardware.step_adapter.lanes},
            {"registers", hardware.step_adapter.registers}}},
          {"load_dma", dma_json(hardware.load_dma)},
          {"store_dma", dma_json(hardware.store_dma)},
          {"bus",
           {{"bytes_per_cycle", hardware.bus.bytes_per_cycle},
            {"arbitration_cycles", hardware.bus.arbitration_cycles},
            {"response_cycles", hardware.bus.response_cycles}}},
          {"dram",
           {{"device", dram.device},
            {"bytes", dram.bytes},
            {"banks", dram.banks},
            {"row_bytes", dram.row_bytes},
            {"data_bits", dram.data_bits},
            {"burst_length", dram.burst_length},
            {"t_ck", dram.t_ck},
            {"t_rcd", dram.t_rcd},
            {"t_rp", dram.t_rp},
            {"t_cl", dram.t_cl},
            {"t_cwl", dram.t_cwl},
            {"t_ras", dram.t_ras},
            {"t_wr", dram.t_wr},
            {"t_wtr", dram.t_wtr},
            {"t_rtp", dram.t_rtp},
            {"t_rfc", dram.t_rfc},
            {"t_refi", dram.t_refi}}},
          {"vector_unit", {{"lanes", hardware.vector_unit.lanes}}},
          {"command_queue", hardware.command_queue}};
}

Json run_results(const RunSpec& run, const IntegerNetwork& network,
                 const std::string& package_sha256, const Program& program,
                 const RunOutcome& outcome, bool checked) {
  Json json;
  json["name"] = run.name;
  json["network"] = run.network;
  json["arithmetic"] = to_string(run.arithmetic);
  json["dataset"] = run.dataset.empty() ? "random images" : run.dataset;
  json["weight_bits"] = run.quantization.weight_bits;
  json["activation_bits"] = run.quantization.activation_bits;
  json["scheme"] = run.quantization.scheme;
  json["images"] = outcome.images;
  // Random weights classify at random: no figure.
  json["accuracy_percent"] = nullptr;
  if (!run.synthetic) {
    json["accuracy_percent"] =
        100.0 * static_cast<double>(outcome.correct) / static_cast<double>(outcome.images);
  }
  json["float_accuracy_percent"] = percent_or_null(network.origin.float_accuracy_percent);
  json["cycles_per_image"] = nullptr;
  json["time_per_image_us"] = nullptr;
  json["energy_per_image_uj"] = nullptr;
  json["energy_by_component_uj"] = nullptr;
  json["layers"] = Json::array();
  json["energy_table"] = run.energy_table.name();
  json["bit_exact"] = checked ? Json(!outcome.mismatch) : Json(nullptr);

  // Beyond the fields that every schema 1 file has.
  json["level"] = to_string(run.level);
  json["timed_images"] = outcome.timed.size();
  json["checked_images"] = outcome.checked;
  json["mismatch"] = outcome.mismatch ? Json(outcome.mismatch->text()) : Json(nullptr);
  json["correct"] = run.synthetic ? Json(nullptr) : Json(outcome.correct);
  json["weights"] = run.synthetic ? "synthetic" : "trained";
  if (run.synthetic) {
    const Shape& image = run.synthetic->image;
    json["synthetic"] = {{"why_no_accuracy", "the weights are random"},
                         {"seed", run.synthetic->seed},
                         {"image", {image.channels, image.height, image.width}},
                         {"classes", run.synthetic->classes},
                         {"groups", run.synthetic->groups},
                         {"adapters", run.synthetic->adapters}};
  }
  json["fake_quantized_accuracy_percent"] =
      percent_or_null(network.origin.fake_quantized_accuracy_percent);
  json["storage_bits"] = run.quantization.storage_bits;
  Json options = Json::object();
  for (const auto& [key, value] : run.quantization.options) options[key] = value;
  json["quantizer_options"] = options;
  json["checkpoint_sha256"] =
      run.synthetic ? Json(nullptr) : Json(network.origin.checkpoint_sha256);
  json["package_sha256"] = text_or_null(package_sha256);
  json["energy_table_title"] = run.energy_table.title();
  std::int64_t saturations = 0;
  for (const std::int64_t count : outcome.saturations) saturations += count;
  json["accumulator_saturations"] = saturations;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    json["layers"].push_back(layer_json(
        network.layers[l], program.layers[l], run.hardware, outcome.saturations[l],
        l < outcome.step_saturations.size() ? outcome.step_saturations[l] : StepSaturations()));
  }
  if (!outcome.timed.empty()) add_timing(json, run, program, outcome.timed);
  json["area"] = area_json(run);
  json["hardware"] = hardware_json(run.hardware);
  return json;
}

Json scenario_results(const Scenario& scenario, Json runs, Json times) {
  Json json;
  json["schema"] = results_schema;
  json["runs"] = std::move(runs);
  json["scenario"] = {{"name", scenario.name},
                      {"file", scenario.file.filename().string()},
                      {"text", scenario.text}};
  json["times"] = std::move(times);
  return json;
}

void write_results(const std::filesystem::path& file, const Json& results) {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, [&](std::ostream& out) {
    // Invalid UTF-8 in a scenario's comment must not stop its results.
    out << results.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  });
}

}  // namespace abacus
