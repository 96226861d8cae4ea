#include "sw/experiment/run_outcome.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace abacus {

std::string to_string(Unit unit) {
  switch (unit) {
    case Unit::load:
      return "load";
    case Unit::compute_array:
      return "compute_array";
    case Unit::compute_edge:
      return "compute_edge";
    case Unit::compute_vector:
      return "compute_vector";
    case Unit::store:
      return "store";
    case Unit::step_adapter:
      return "step_adapter";
  }
  throw std::logic_error("to_string: not a unit");
}

std::string Mismatch::text() const {
  return "image " + std::to_string(image) + ", layer " + layer + ", row " + std::to_string(y) +
         ", column " + std::to_string(x) + ", channel " + std::to_string(channel) +
         ": the hardware models have " + std::to_string(simulated) +
         ", the reference executor has " + std::to_string(reference);
}

std::vector<LayerTime> layer_times(const std::vector<TimelineEntry>& timeline, std::size_t layers,
                                   std::int64_t total_cycles, const sc_core::sc_time& cycle) {
  std::vector<LayerTime> times(layers);
  std::vector<sc_core::sc_time> ends(layers, sc_core::SC_ZERO_TIME);
  sc_core::sc_time last = sc_core::SC_ZERO_TIME;
  for (const TimelineEntry& entry : timeline) {
    if (entry.layer < 0 || static_cast<std::size_t>(entry.layer) >= layers) continue;
    const auto layer = static_cast<std::size_t>(entry.layer);
    UnitCycles& unit = times[layer].units[static_cast<std::size_t>(entry.unit)];
    unit.busy += (entry.end - entry.start) / cycle;
    unit.stalled += entry.stalled / cycle;
    last = std::max(last, entry.end);
    if (entry.unit != Unit::load && entry.unit != Unit::store) {
      ends[layer] = std::max(ends[layer], entry.end);
    }
  }
  // Ends in cycles after the doorbell, counted back from the interrupt, which follows the last
  // command's end at once.
  std::int64_t before = 0;
  for (std::size_t i = 0; i < layers; ++i) {
    std::int64_t end = total_cycles - std::llround((last - ends[i]) / cycle);
    if (ends[i] == sc_core::SC_ZERO_TIME) end = before;  // a layer that computes nothing
    if (i + 1 == layers) end = total_cycles;
    end = std::max(end, before);
    times[i].cycles = static_cast<double>(end - before);
    before = end;
  }
  return times;
}

nlohmann::json to_json(const RunOutcome& outcome) {
  nlohmann::json json{{"images", outcome.images},
                      {"correct", outcome.correct},
                      {"checked", outcome.checked},
                      {"saturations", outcome.saturations},
                      {"timed", nlohmann::json::array()}};
  json["step_saturations"] = nlohmann::json::array();
  for (const StepSaturations& s : outcome.step_saturations) {
    json["step_saturations"].push_back({s.underflows, s.overflows, s.read, s.multipliers});
  }
  if (outcome.mismatch) {
    const Mismatch& m = *outcome.mismatch;
    json["mismatch"] = {m.image, m.layer, m.y, m.x, m.channel, m.simulated, m.reference};
  }
  for (const TimedImage& image : outcome.timed) {
    nlohmann::json layers = nlohmann::json::array();
    for (const LayerTime& layer : image.layers) {
      nlohmann::json units = nlohmann::json::array();
      for (const UnitCycles& unit : layer.units) units.push_back({unit.busy, unit.stalled});
      layers.push_back({layer.cycles, units});
    }
    nlohmann::json activity = nlohmann::json::array();
    for (const auto& [key, count] : image.activity) {
      activity.push_back({key.layer, static_cast<int>(key.component), static_cast<int>(key.action),
                          key.bits_a, key.bits_b, count});
    }
    json["timed"].push_back({{"cycles", image.cycles}, {"layers", layers}, {"activity", activity}});
  }
  return json;
}

RunOutcome outcome_from_json(const nlohmann::json& json) {
  RunOutcome outcome;
  json.at("images").get_to(outcome.images);
  json.at("correct").get_to(outcome.correct);
  json.at("checked").get_to(outcome.checked);
  json.at("saturations").get_to(outcome.saturations);
  for (const nlohmann::json& s : json.at("step_saturations")) {
    outcome.step_saturations.push_back({s[0].get<std::int64_t>(), s[1].get<std::int64_t>(),
                                        s[2].get<std::int64_t>(), s[3].get<std::int64_t>()});
  }
  if (json.contains("mismatch")) {
    const nlohmann::json& m = json["mismatch"];
    outcome.mismatch =
        Mismatch{m[0].get<std::int64_t>(), m[1].get<std::string>(), m[2].get<int>(),
                 m[3].get<int>(),          m[4].get<int>(),         m[5].get<std::int64_t>(),
                 m[6].get<std::int64_t>()};
  }
  for (const nlohmann::json& image : json.at("timed")) {
    TimedImage timed;
    image.at("cycles").get_to(timed.cycles);
    for (const nlohmann::json& layer : image.at("layers")) {
      LayerTime time;
      time.cycles = layer[0].get<double>();
      for (std::size_t u = 0; u < time.units.size(); ++u) {
        time.units[u] = {layer[1][u][0].get<double>(), layer[1][u][1].get<double>()};
      }
      timed.layers.push_back(std::move(time));
    }
    for (const nlohmann::json& entry : image.at("activity")) {
      const Activity::Key key{entry[0].get<int>(), static_cast<Component>(entry[1].get<int>()),
                              static_cast<Action>(entry[2].get<int>()), entry[3].get<int>(),
                              entry[4].get<int>()};
      timed.activity[key] = entry[5].get<std::int64_t>();
    }
    outcome.timed.push_back(std::move(timed));
  }
  return outcome;
}

void append(RunOutcome& earlier, const RunOutcome& later) {
  earlier.images += later.images;
  earlier.correct += later.correct;
  earlier.checked += later.checked;
  if (!earlier.mismatch) earlier.mismatch = later.mismatch;
  if (earlier.saturations.size() < later.saturations.size()) {
    earlier.saturations.resize(later.saturations.size());
  }
  for (std::size_t i = 0; i < later.saturations.size(); ++i) {
    earlier.saturations[i] += later.saturations[i];
  }
  if (earlier.step_saturations.size() < later.step_saturations.size()) {
    earlier.step_saturations.resize(later.step_saturations.size());
  }
  for (std::size_t i = 0; i < later.step_saturations.size(); ++i) {
    earlier.step_saturations[i] += later.step_saturations[i];
  }
  earlier.timed.insert(earlier.timed.end(), later.timed.begin(), later.timed.end());
}

}  // namespace abacus
