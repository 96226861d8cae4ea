#include "sw/experiment/run_outcome.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>
#include <type_traits>

namespace abacus::experiment {
namespace {

using Json = nlohmann::json;

// Members of what travels between processes: a struct is a list of them, in this order.
template <typename T>
constexpr auto members = nullptr;
template <>
constexpr auto members<UnitCycles> = std::tuple{&UnitCycles::busy, &UnitCycles::stalled};
template <>
constexpr auto members<LayerTime> = std::tuple{&LayerTime::cycles, &LayerTime::units};
template <>
constexpr auto members<models::Activity::Key> = std::tuple{
    &models::Activity::Key::layer, &models::Activity::Key::component,
    &models::Activity::Key::action, &models::Activity::Key::bits_a, &models::Activity::Key::bits_b};
template <>
constexpr auto members<SpentKey> = std::tuple{&SpentKey::layer, &SpentKey::unit, &SpentKey::cause};
template <>
constexpr auto members<TimedImage> =
    std::tuple{&TimedImage::cycles, &TimedImage::layers, &TimedImage::activity, &TimedImage::spent};
template <>
constexpr auto members<Mismatch> =
    std::tuple{&Mismatch::image,   &Mismatch::layer,     &Mismatch::y,        &Mismatch::x,
               &Mismatch::channel, &Mismatch::simulated, &Mismatch::reference};
template <>
constexpr auto members<models::StepSaturations> =
    std::tuple{&models::StepSaturations::underflows, &models::StepSaturations::overflows,
               &models::StepSaturations::read, &models::StepSaturations::multipliers};
template <>
constexpr auto members<RunOutcome> =
    std::tuple{&RunOutcome::images,   &RunOutcome::correct,     &RunOutcome::checked,
               &RunOutcome::mismatch, &RunOutcome::saturations, &RunOutcome::step_saturations,
               &RunOutcome::timed};

template <typename T>
Json packed(const std::vector<T>& values);
template <typename T>
Json packed(const std::optional<T>& value);
template <typename Key, typename T>
Json packed(const std::map<Key, T>& values);

// A struct, or a plain value.
template <typename T>
Json packed(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return static_cast<int>(value);
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return value;
  } else {
    return std::apply(
        [&](const auto&... member) { return Json::array({packed(value.*member)...}); }, members<T>);
  }
}

template <typename T>
Json packed(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(packed(value));
  return list;
}

template <typename T>
Json packed(const std::optional<T>& value) {
  return value ? packed(*value) : Json(nullptr);
}

template <typename Key, typename T>
Json packed(const std::map<Key, T>& values) {
  Json list = Json::array();
  for (const auto& [key, value] : values) list.push_back(Json::array({packed(key), packed(value)}));
  return list;
}

template <typename T>
void unpack(const Json& json, std::vector<T>& values);
template <typename T>
void unpack(const Json& json, std::optional<T>& value);
template <typename Key, typename T>
void unpack(const Json& json, std::map<Key, T>& values);

template <typename T>
void unpack(const Json& json, T& value) {
  if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(json.get<int>());
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    json.get_to(value);
  } else {
    std::size_t i = 0;
    std::apply([&](const auto&... member) { (unpack(json.at(i++), value.*member), ...); },
               members<T>);
  }
}

template <typename T>
void unpack(const Json& json, std::vector<T>& values) {
  values.clear();
  for (const Json& element : json) unpack(element, values.emplace_back());
}

template <typename T>
void unpack(const Json& json, std::optional<T>& value) {
  if (!json.is_null()) unpack(json, value.emplace());
}

template <typename Key, typename T>
void unpack(const Json& json, std::map<Key, T>& values) {
  for (const Json& entry : json) {
    Key key{};
    unpack(entry.at(0), key);
    unpack(entry.at(1), values[key]);
  }
}

}  // namespace

std::string to_string(models::Unit unit) {
  switch (unit) {
    case models::Unit::load:
      return "load";
    case models::Unit::compute_array:
      return "compute_array";
    case models::Unit::compute_edge:
      return "compute_edge";
    case models::Unit::compute_vector:
      return "compute_vector";
    case models::Unit::store:
      return "store";
    case models::Unit::step_adapter:
      return "step_adapter";
    case models::Unit::sequencer:
      return "sequencer";
  }
  throw std::logic_error("to_string: not a unit");
}

std::string Mismatch::text() const {
  return "image " + std::to_string(image) + ", layer " + layer + ", row " + std::to_string(y) +
         ", column " + std::to_string(x) + ", channel " + std::to_string(channel) +
         ": the hardware models have " + std::to_string(simulated) +
         ", the reference executor has " + std::to_string(reference);
}

std::vector<LayerTime> layer_times(const std::vector<models::TimelineEntry>& timeline,
                                   std::size_t layers, std::int64_t total_cycles,
                                   const sc_core::sc_time& cycle) {
  std::vector<LayerTime> times(layers);
  std::vector<sc_core::sc_time> ends(layers, sc_core::SC_ZERO_TIME);
  sc_core::sc_time last = sc_core::SC_ZERO_TIME;
  for (const models::TimelineEntry& entry : timeline) {
    if (entry.layer < 0 || static_cast<std::size_t>(entry.layer) >= layers) continue;
    const auto layer = static_cast<std::size_t>(entry.layer);
    UnitCycles& unit = times[layer].units[static_cast<std::size_t>(entry.unit)];
    unit.busy += (entry.end - entry.start) / cycle;
    unit.stalled += entry.stalled / cycle;
    last = std::max(last, entry.end);
    if (entry.unit != models::Unit::load && entry.unit != models::Unit::store) {
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

SpentCycles spent_cycles(const models::SpentTime& spent, const sc_core::sc_time& cycle) {
  SpentCycles cycles;
  const std::vector<models::SpentTime::Row>& rows = spent.rows();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (int u = 0; u < models::unit_count; ++u) {
      for (int c = 0; c < models::cause_count; ++c) {
        const models::SpentTime::Ticks ticks =
            rows[row][static_cast<std::size_t>(u)][static_cast<std::size_t>(c)];
        if (ticks == 0) continue;
        cycles[{static_cast<int>(row) - 1, static_cast<models::Unit>(u),
                static_cast<models::Cause>(c)}] =
            static_cast<double>(ticks) / static_cast<double>(cycle.value());
      }
    }
  }
  return cycles;
}

nlohmann::json to_json(const RunOutcome& outcome) { return packed(outcome); }

RunOutcome outcome_from_json(const nlohmann::json& json) {
  RunOutcome outcome;
  unpack(json, outcome);
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

}  // namespace abacus::experiment
