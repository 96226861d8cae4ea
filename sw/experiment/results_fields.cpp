#include "sw/experiment/results_fields.hpp"

#include <cmath>
#include <optional>

#include "models/array/array_area.hpp"
#include "models/blocks/accelerator_area.hpp"
#include "sw/experiment/hardware/hardware_json.hpp"
#include "sw/experiment/json_number.hpp"
#include "sw/experiment/spent_json.hpp"

namespace abacus::experiment {
namespace {

using Json = nlohmann::ordered_json;

Json left_out() { return Json(Json::value_t::discarded); }

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json percent_or_null(double percent) { return percent < 0 ? Json(nullptr) : Json(percent); }

Json units_json(const std::vector<UnitCycles>& units) {
  Json json = Json::object();
  for (int u = 0; u < models::unit_count; ++u) {
    if (static_cast<models::Unit>(u) == models::Unit::sequencer) continue;  // executes no commands
    const UnitCycles& unit = units[static_cast<std::size_t>(u)];
    json[to_string(static_cast<models::Unit>(u))] = {{"busy_cycles", number(unit.busy)},
                                                     {"stalled_cycles", number(unit.stalled)}};
  }
  return json;
}

// Energies by what `Named` counts.
template <typename Named, std::size_t N>
Json by_name(const std::array<double, N>& energies) {
  Json json = Json::object();
  for (std::size_t i = 0; i < N; ++i) json[models::to_string(static_cast<Named>(i))] = energies[i];
  return json;
}

Json dram_bytes(const RunFacts& of) {
  double bits = 0;
  for (const auto& [key, count] : of.timing->counts) {
    if (key.action == models::Action::dram_read || key.action == models::Action::dram_write) {
      bits += count * key.bits_a;
    }
  }
  return number(bits / 8);
}

Json activity_json(const RunFacts& of) {
  Json actions = Json::array();
  for (const auto& [key, count] : of.timing->counts) {
    actions.push_back({{"component", models::to_string(key.component)},
                       {"action", models::to_string(key.action)},
                       {"bits_a", key.bits_a},
                       {"bits_b", key.bits_b},
                       {"count", number(count)},
                       {"pj_each", of.run.energy_table.picojoules(key, of.run.hardware)}});
  }
  return actions;
}

Json layers_json(const RunFacts& of) {
  Json layers = Json::array();
  for (std::size_t l = 0; l < of.network.layers.size(); ++l) {
    layers.push_back(to_json(layer_fields(), LayerFacts{of, l}));
  }
  return layers;
}

const network::IntegerLayer& layer(const LayerFacts& of) { return of.run.network.layers[of.index]; }
const schedule::LayerPlan& plan(const LayerFacts& of) { return of.run.program.layers[of.index]; }
bool convolves(const LayerFacts& of) {
  return layer(of).kind == network::IntegerLayerKind::convolution;
}

double lanes(const LayerFacts& of) {
  const hw::HardwareConfig& hardware = of.run.run.hardware;
  const hw::PeArrayConfig& array = plan(of).edge ? hardware.edge_array : hardware.array;
  return static_cast<double>(array.rows) * array.columns;
}

const LayerTime* time_of(const LayerFacts& of) {
  return of.run.timing ? &of.run.timing->layers[of.index] : nullptr;
}

Json utilisation(const LayerFacts& of) {
  const LayerTime* time = time_of(of);
  if (time == nullptr) return nullptr;
  return time->cycles > 0 ? static_cast<double>(plan(of).taps) / (lanes(of) * time->cycles) : 0.0;
}

Json step_saturations(const LayerFacts& of) {
  if (!layer(of).adapter) return left_out();
  const std::vector<models::StepSaturations>& all = of.run.outcome.step_saturations;
  return to_json(step_saturation_fields(),
                 of.index < all.size() ? all[of.index] : models::StepSaturations());
}

double time_us(const RunFacts& of) { return of.timing->cycles / of.run.hardware.clock_mhz; }

models::ArrayArea array_of(const RunSpec& run) {
  return models::array_area(run.hardware.array, run.area_table);
}

Json energy_by_table(const RunFacts& of) {
  Json json = Json::object();
  json[of.run.energy_table.name()] = of.timing->energy.total;
  for (const models::EnergyTable& table : of.run.other_energy_tables) {
    const std::optional<double> energy = priced_by(*of.timing, table, of.run.hardware);
    if (energy) json[table.name()] = *energy;
  }
  return json;
}

Json frame(const RunFacts& of) {
  if (!of.timing || of.run.frames_per_second == 0) return left_out();
  const FrameEnergy frame = frame_energy(*of.timing, of.run.energy_table, of.run.hardware,
                                         of.run.frames_per_second, of.run.between_frames);
  return to_json(frame_fields(), frame);
}

template <typename Facts>
std::string table(const std::vector<ResultsField<Facts>>& fields) {
  std::string text = "| field | unit | meaning |\n| --- | --- | --- |\n";
  for (const ResultsField<Facts>& field : fields) {
    text += std::string("| `") + field.name + "` | " + field.unit + " | " + field.meaning + " |\n";
  }
  return text;
}

}  // namespace

const std::vector<ResultsField<RunFacts>>& run_fields() {
  static const std::vector<ResultsField<RunFacts>> fields = {
      {"name", "", "of the run, as the next ones from the scenario",
       [](const RunFacts& of) -> Json { return of.run.name; }},
      {"network", "", "name in the zoo", [](const RunFacts& of) -> Json { return of.run.network; }},
      {"arithmetic", "", "of the layers between the edges",
       [](const RunFacts& of) -> Json { return network::to_string(of.run.arithmetic); }},
      {"element", "",
       "of arithmetic `table` alone: `name`, and `sha256` of what it computes: widths, signs, "
       "`scales`, "
       "`accumulate` and taps",
       [](const RunFacts& of) -> Json {
         if (!of.run.element) return left_out();
         return {{"name", of.run.element->table.name}, {"sha256", of.run.element->sha256}};
       }},
      {"dataset", "", "`random images` where none was named",
       [](const RunFacts& of) -> Json {
         return of.run.dataset.empty() ? "random images" : of.run.dataset;
       }},
      {"weight_bits", "bits",
       "asked for, of the layers between the edges. What a layer's weights are stored in can be "
       "another "
       "width (shift codes of ShiftAddNet 5 bits; PACT's and DoReFa's b + 1; LQ-Net's 8; POST with "
       "more "
       "levels): it stands with the layer",
       [](const RunFacts& of) -> Json { return of.run.quantization.weight_bits; }},
      {"activation_bits", "bits", "asked for, of the layers between the edges",
       [](const RunFacts& of) -> Json { return of.run.quantization.activation_bits; }},
      {"scheme", "", "of quantization, from the scenario; of a ready package from the package",
       [](const RunFacts& of) -> Json { return of.run.quantization.scheme; }},
      {"images", "", "simulated", [](const RunFacts& of) -> Json { return of.outcome.images; }},
      {"accuracy_percent", "%", "100 · `correct` / `images`; null with random weights",
       [](const RunFacts& of) -> Json {
         // Random weights classify at random: no figure.
         if (of.run.synthetic) return nullptr;
         return 100.0 * static_cast<double>(of.outcome.correct) /
                static_cast<double>(of.outcome.images);
       }},
      {"float_accuracy_percent", "%",
       "the checkpoint's own, on the whole test set; null if unknown, or with random weights",
       [](const RunFacts& of) {
         return percent_or_null(of.network.origin.float_accuracy_percent);
       }},
      {"cycles_per_image", "cycles",
       "doorbell to interrupt, by the accelerator's counter; mean of the timed images; null at the "
       "functional level, as the next seven",
       [](const RunFacts& of) { return of.timing ? number(of.timing->cycles) : Json(nullptr); }},
      {"time_per_image_us", "µs", "cycles / clock",
       [](const RunFacts& of) -> Json {
         if (!of.timing) return nullptr;
         return time_us(of);
       }},
      {"energy_per_image_uj", "µJ",
       "all of it: actions × energy table, the host's transfer of image and scores included, and "
       "what time costs from doorbell to interrupt",
       [](const RunFacts& of) -> Json {
         if (!of.timing) return nullptr;
         return of.timing->energy.total;
       }},
      {"dynamic_energy_uj", "µJ", "of it, spent by actions and clocks",
       [](const RunFacts& of) -> Json {
         if (!of.timing) return nullptr;
         return of.timing->energy.total - of.timing->energy.for_time;
       }},
      {"static_energy_uj", "µJ",
       "of it, spent for time alone: leakage, background and refresh of the DRAM",
       [](const RunFacts& of) -> Json {
         if (!of.timing) return nullptr;
         return of.timing->energy.for_time;
       }},
      {"power_mw", "mW", "energy / time of an image, images one after the other",
       [](const RunFacts& of) -> Json {
         if (!of.timing) return nullptr;
         return 1e3 * of.timing->energy.total / time_us(of);
       }},
      {"energy_delay_product_uj_us", "µJ · µs", "energy × time of an image",
       [](const RunFacts& of) -> Json {
         if (!of.timing) return nullptr;
         return of.timing->energy.total * time_us(of);
       }},
      {"energy_by_component_uj", "µJ", "the same, sorted out by who did the action",
       [](const RunFacts& of) {
         return of.timing ? by_name<models::Component>(of.timing->energy.by_component)
                          : Json(nullptr);
       }},
      {"layers", "", "a list of [layers](#a-layer)", layers_json, FieldKind::parts},
      {"energy_table", "", "name of the table",
       [](const RunFacts& of) -> Json { return of.run.energy_table.name(); }},
      {"energy_left_out", "",
       "what the table lacks and the scenario counts as 0, as the table's file would name it",
       [](const RunFacts& of) -> Json { return of.run.left_out_of_energy; }},
      {"bit_exact", "", "`--check`'s verdict; null if not asked for",
       [](const RunFacts& of) -> Json {
         if (!of.checked) return nullptr;
         return !of.outcome.mismatch;
       },
       FieldKind::verdict},
      {"level", "", "`approximate` or `functional`",
       [](const RunFacts& of) -> Json { return to_string(of.run.level); }},
      {"timed_images", "", "images with cycles and energy",
       [](const RunFacts& of) -> Json { return of.outcome.timed.size(); }},
      {"checked_images", "", "held against the reference executor",
       [](const RunFacts& of) -> Json { return of.outcome.checked; }},
      {"mismatch", "", "the first difference, in words; null if there is none",
       [](const RunFacts& of) {
         return of.outcome.mismatch ? Json(of.outcome.mismatch->text()) : Json(nullptr);
       },
       FieldKind::verdict},
      {"correct", "", "classified rightly, by the hardware models; null with random weights",
       [](const RunFacts& of) {
         return of.run.synthetic ? Json(nullptr) : Json(of.outcome.correct);
       },
       FieldKind::count},
      {"weights", "", "`trained` or `synthetic`",
       [](const RunFacts& of) -> Json { return of.run.synthetic ? "synthetic" : "trained"; }},
      {"synthetic", "", "with random weights alone: [what they were made by](#random-weights)",
       [](const RunFacts& of) {
         return of.run.synthetic ? to_json(synthetic_fields(), of.run) : left_out();
       }},
      {"fake_quantized_accuracy_percent", "%",
       "torch's, on the quantizer's evaluation images; null if not measured",
       [](const RunFacts& of) {
         return percent_or_null(of.network.origin.fake_quantized_accuracy_percent);
       }},
      {"storage_bits", "bits", "of stored tensors",
       [](const RunFacts& of) -> Json { return of.run.quantization.storage_bits; }},
      {"quantizer_options", "", "the scenario's `quantization.options`",
       [](const RunFacts& of) {
         Json options = Json::object();
         for (const auto& [key, value] : of.run.quantization.options) options[key] = value;
         return options;
       }},
      {"checkpoint_sha256", "", "of the file; null with random weights",
       [](const RunFacts& of) {
         return of.run.synthetic ? Json(nullptr) : Json(of.network.origin.checkpoint_sha256);
       }},
      {"package_sha256", "", "of the file; null with random weights",
       [](const RunFacts& of) { return text_or_null(of.package_sha256); }},
      {"energy_table_title", "", "the table's own",
       [](const RunFacts& of) -> Json { return of.run.energy_table.title(); }},
      {"accumulator_saturations", "",
       "additions that saturated, all images; with those of step adapters `abacus simulate` warns "
       "of "
       "them, in one line a run",
       [](const RunFacts& of) -> Json {
         std::int64_t saturations = 0;
         for (const std::int64_t count : of.outcome.saturations) saturations += count;
         return saturations;
       },
       FieldKind::count},
      {"energy_by_action_uj", "µJ",
       "the energy, sorted out by action; not at the functional level, as the next nine",
       [](const RunFacts& of) {
         return of.timing ? by_name<models::Action>(of.timing->energy.by_action) : left_out();
       }},
      {"static_energy_by_component_uj", "µJ", "`static_energy_uj`, sorted out by component",
       [](const RunFacts& of) {
         return of.timing ? by_name<models::Component>(of.timing->energy.for_time_by_component)
                          : left_out();
       }},
      {"energy_by_table_uj", "µJ",
       "`energy_per_image_uj` by this and every other shipped table that has all actions",
       [](const RunFacts& of) { return of.timing ? energy_by_table(of) : left_out(); }},
      {"frame", "", "with `energy.frames_per_second` alone: [a frame](#frame)", frame},
      {"energy_outside_layers_uj", "µJ",
       "what belongs to no layer: commands' way from DRAM, the host's transfers, clocks, leakage "
       "and "
       "the DRAM's background",
       [](const RunFacts& of) {
         return of.timing ? Json(of.timing->energy.outside_layers) : left_out();
       }},
      {"cycles_of_timed_images", "cycles", "`lowest`, `highest`",
       [](const RunFacts& of) -> Json {
         if (!of.timing) return left_out();
         return {{"lowest", of.timing->lowest_cycles}, {"highest", of.timing->highest_cycles}};
       }},
      {"units", "cycles",
       "of load, store, the three compute units and the step adapter: `busy_cycles` executing "
       "commands, "
       "`stalled_cycles` of them waiting for memory",
       [](const RunFacts& of) { return of.timing ? units_json(of.timing->units) : left_out(); }},
      {"spent_cycles", "cycles",
       "what each unit's cycles went into: `work`, or waiting for a [cause](waits.md). Those of "
       "`load`, "
       "of `store`, of `sequencer`, and of the compute units and the step adapter together, each "
       "are "
       "`cycles_per_image`",
       [](const RunFacts& of) {
         return of.timing ? spent_json(of.timing->spent, std::nullopt) : left_out();
       }},
      {"dram_bytes_per_image", "bytes", "read and written, whole bursts",
       [](const RunFacts& of) { return of.timing ? dram_bytes(of) : left_out(); },
       FieldKind::count},
      {"activity_per_image", "",
       "`count` of each `component`, `action` and widths (`bits_a`, `bits_b`), with the table's "
       "`pj_each`; "
       "enough to price them by another table",
       [](const RunFacts& of) { return of.timing ? activity_json(of) : left_out(); },
       FieldKind::count},
      {"area", "", "[of the accelerator](#area)",
       [](const RunFacts& of) { return to_json(area_fields(), of.run); }, FieldKind::parts},
      {"hardware", "",
       "`preset`, and the [parameters](scenario.md#hardware) but those that an array does not have",
       [](const RunFacts& of) { return hardware_json(of.run.hardware); }}};
  return fields;
}

const std::vector<ResultsField<RunSpec>>& synthetic_fields() {
  static const std::vector<ResultsField<RunSpec>> fields = {
      {"why_no_accuracy", "", "in words",
       [](const RunSpec&) -> Json { return "the weights are random"; }},
      {"seed", "", "of weights and images",
       [](const RunSpec& run) -> Json { return run.synthetic->seed; }},
      {"image", "", "channels, height, width",
       [](const RunSpec& run) -> Json {
         const network::Shape& image = run.synthetic->image;
         return {image.channels, image.height, image.width};
       }},
      {"classes", "", "scores", [](const RunSpec& run) -> Json { return run.synthetic->classes; }},
      {"groups", "", "read-quantizer groups of each adder layer",
       [](const RunSpec& run) -> Json { return run.synthetic->groups; }},
      {"adapters", "", "whether layers have step adapters",
       [](const RunSpec& run) -> Json { return run.synthetic->adapters; }}};
  return fields;
}

const std::vector<ResultsField<RunSpec>>& area_fields() {
  static const std::vector<ResultsField<RunSpec>> fields = {
      {"table", "", "name of the area table",
       [](const RunSpec& run) -> Json { return run.area_table.name(); }},
      {"table_title", "", "the table's own",
       [](const RunSpec& run) -> Json { return run.area_table.title(); }},
      {"array_um2", "µm²", "the PE array, sum of the next five",
       [](const RunSpec& run) -> Json { return array_of(run).total(); }},
      {"units_um2", "µm²", "arithmetic of the lanes",
       [](const RunSpec& run) -> Json { return array_of(run).units; }},
      {"registers_um2", "µm²", "of operands and taps",
       [](const RunSpec& run) -> Json { return array_of(run).registers; }},
      {"adder_trees_um2", "µm²", "one a column",
       [](const RunSpec& run) -> Json { return array_of(run).adder_trees; }},
      {"accumulators_um2", "µm²", "one a column",
       [](const RunSpec& run) -> Json { return array_of(run).accumulators; }},
      {"memories_um2", "µm²",
       "weight buffers and lookup tables; null where the area table has no memories",
       [](const RunSpec& run) {
         return run.area_table.has_memory() ? Json(array_of(run).memories) : Json(nullptr);
       }},
      {"edge_array_um2", "µm²", "the edge array",
       [](const RunSpec& run) -> Json {
         return models::array_area(run.hardware.edge_array, run.area_table).total();
       }},
      {"accelerator_um2", "µm²", "the whole, sum of the next one",
       [](const RunSpec& run) -> Json {
         return models::accelerator_area(run.hardware, run.area_table).total();
       }},
      {"by_component_um2", "µm²", "of its blocks",
       [](const RunSpec& run) {
         return by_name<models::Component>(
             models::accelerator_area(run.hardware, run.area_table).by_component);
       }},
      {"left_out", "",
       "what the table lacks and the scenario counts as 0, as the table's file would name it",
       [](const RunSpec& run) -> Json { return run.left_out_of_area; }},
      {"same_area_as", "", "the run whose accelerator's area this one's fills, or null",
       [](const RunSpec& run) { return text_or_null(run.same_area_as); }},
      {"filled", "",
       "`accelerator_um2` / the area of that run's accelerator, 0 … 1: whole rows and columns "
       "leave "
       "some; null without one",
       [](const RunSpec& run) {
         return run.same_area_as.empty() ? Json(nullptr) : Json(run.area_filled);
       }}};
  return fields;
}

const std::vector<ResultsField<FrameEnergy>>& frame_fields() {
  static const std::vector<ResultsField<FrameEnergy>> fields = {
      {"frames_per_second", "1/s", "the scenario's",
       [](const FrameEnergy& of) -> Json { return of.frames_per_second; }},
      {"reached", "",
       "whether an image takes no longer than a frame; if not, the next three are null",
       [](const FrameEnergy& of) -> Json { return of.reached; }},
      {"energy_uj", "µJ", "of an image and the time until the next one",
       [](const FrameEnergy& of) { return of.reached ? Json(of.total_uj) : Json(nullptr); }},
      {"between_uj", "µJ",
       "of it, between images: leakage, idle clocks, the DRAM in the state that the scenario gives",
       [](const FrameEnergy& of) { return of.reached ? Json(of.between_uj) : Json(nullptr); }},
      {"power_mw", "mW", "energy × frames a second", [](const FrameEnergy& of) {
         return of.reached ? Json(1e-3 * of.total_uj * of.frames_per_second) : Json(nullptr);
       }}};
  return fields;
}

const std::vector<ResultsField<LayerFacts>>& layer_fields() {
  static const std::vector<ResultsField<LayerFacts>> fields = {
      {"name", "", "the network's name for it",
       [](const LayerFacts& of) -> Json { return plan(of).name; }},
      {"cycles", "cycles",
       "its share of the image's cycles. Load, compute and store overlap, also across layers, so "
       "the share "
       "is a convention: a layer ends with its last compute command (the last one at the "
       "interrupt), and "
       "has the cycles since the layer before ended. The first layer has the start-up. The shares "
       "add up "
       "to `cycles_per_image`; null at the functional level, as `pe_utilisation` and `energy_uj`",
       [](const LayerFacts& of) {
         return time_of(of) != nullptr ? number(time_of(of)->cycles) : Json(nullptr);
       }},
      {"macs_or_taps", "", "taps of the convolution, counted once however often groups stream it",
       [](const LayerFacts& of) -> Json { return plan(of).taps; }, FieldKind::count},
      {"pe_utilisation", "", "`macs_or_taps` / (`lanes` × `cycles`), 0 … 1", utilisation,
       FieldKind::ratio},
      {"energy_uj", "µJ", "actions that name the layer, all of them dynamic",
       [](const LayerFacts& of) {
         return of.run.timing ? Json(of.run.timing->energy.by_layer[of.index]) : Json(nullptr);
       }},
      {"kind", "", "`convolution`, `add`, `average_pool`, `max_pool`",
       [](const LayerFacts& of) -> Json { return network::to_string(layer(of).kind); }},
      {"array", "", "`array` or `edge_array`, null without taps",
       [](const LayerFacts& of) {
         return !convolves(of) ? Json(nullptr) : Json(plan(of).edge ? "edge_array" : "array");
       }},
      {"weight_bits", "bits",
       "of a convolution alone, as the next two: as stored, which is what the array computes with",
       [](const LayerFacts& of) {
         return convolves(of) ? Json(layer(of).weight_bits) : left_out();
       }},
      {"activation_bits", "bits", "as read, likewise",
       [](const LayerFacts& of) {
         return convolves(of) ? Json(layer(of).activation_bits) : left_out();
       }},
      {"lanes", "", "processing elements of the array",
       [](const LayerFacts& of) { return convolves(of) ? number(lanes(of)) : left_out(); }},
      {"groups", "", "read-quantizer groups",
       [](const LayerFacts& of) -> Json { return plan(of).groups; }},
      {"output_tiles", "", "spatial tiles × tiles of output channels",
       [](const LayerFacts& of) -> Json { return plan(of).output_tiles; }, FieldKind::count},
      {"weights_resident", "", "whether all its weights fit in the weight SRAM at once",
       [](const LayerFacts& of) -> Json { return plan(of).weights_resident; }, FieldKind::verdict},
      {"saturations", "", "accumulator additions that saturated, all images",
       [](const LayerFacts& of) -> Json { return of.run.outcome.saturations[of.index]; },
       FieldKind::count},
      {"step_saturations", "", "of a layer with a step adapter alone: [below](#step-saturations)",
       step_saturations, FieldKind::count},
      {"units", "cycles",
       "per unit, `busy_cycles` and `stalled_cycles` in commands of this layer, whenever they ran; "
       "those of "
       "`step_adapter` are the wait for the adapter. Not at the functional level",
       [](const LayerFacts& of) {
         return time_of(of) != nullptr ? units_json(time_of(of)->units) : left_out();
       }},
      {"spent_cycles", "cycles", "of the run's `spent_cycles`, those of this layer's commands",
       [](const LayerFacts& of) {
         return of.run.timing ? spent_json(of.run.timing->spent, static_cast<int>(of.index))
                              : left_out();
       }}};
  return fields;
}

const std::vector<ResultsField<models::StepSaturations>>& step_saturation_fields() {
  static const std::vector<ResultsField<models::StepSaturations>> fields = {
      {"beta_underflows", "", "how often β was below its range, 1/16 to 8, all images",
       [](const models::StepSaturations& of) -> Json { return of.underflows; }, FieldKind::count},
      {"beta_overflows", "", "how often it was above",
       [](const models::StepSaturations& of) -> Json { return of.overflows; }, FieldKind::count},
      {"read_multiplier", "", "how often the read multiplier that came of it was out of range",
       [](const models::StepSaturations& of) -> Json { return of.read; }, FieldKind::count},
      {"multipliers", "", "how often an output channel's multiplier was",
       [](const models::StepSaturations& of) -> Json { return of.multipliers; }, FieldKind::count}};
  return fields;
}

std::string results_fields_markdown() {
  return "## A run\n\n" + table(run_fields()) +
         "\n### Random weights\n\n`synthetic` of a run:\n\n" + table(synthetic_fields()) +
         "\n### Area\n\n`area` of a run:\n\n" + table(area_fields()) +
         "\n### Frame\n\n`frame` of a run:\n\n" + table(frame_fields()) + "\n## A layer\n\n" +
         table(layer_fields()) + "\n### Step saturations\n\n`step_saturations` of a layer:\n\n" +
         table(step_saturation_fields());
}

}  // namespace abacus::experiment
