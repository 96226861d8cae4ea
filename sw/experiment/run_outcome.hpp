// What simulating images gave, as numbers that slices of the images can be added up by.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/activity/spent_time.hpp"
#include "models/context.hpp"

namespace abacus::experiment {

struct UnitCycles {
  double busy = 0;     // cycles in which the unit executed a command of the layer
  double stalled = 0;  // of them, lost to waiting for memory
};

struct LayerTime {
  double cycles = 0;  // as layer_times() says
  std::vector<UnitCycles> units = std::vector<UnitCycles>(models::unit_count);
};

// What a unit's time went into while it served a layer (−1: none).
struct SpentKey {
  int layer;
  models::Unit unit;
  models::Cause cause;
  bool operator<(const SpentKey& o) const {
    return std::tie(layer, unit, cause) < std::tie(o.layer, o.unit, o.cause);
  }
};
using SpentCycles = std::map<SpentKey, double>;

// One image at a timed level.
struct TimedImage {
  std::int64_t cycles = 0;  // doorbell to interrupt, by the accelerator's counter
  std::vector<LayerTime> layers;
  std::map<models::Activity::Key, std::int64_t> activity;
  SpentCycles spent;  // nothing that is 0
};

// First value of a layer's output that differed from the reference executor's.
struct Mismatch {
  std::int64_t image = 0;
  std::string layer;
  int y = 0;
  int x = 0;
  int channel = 0;
  std::int64_t simulated = 0;
  std::int64_t reference = 0;

  std::string text() const;
};

struct RunOutcome {
  std::int64_t images = 0;
  std::int64_t correct = 0;
  std::int64_t checked = 0;
  std::optional<Mismatch> mismatch;                       // of the image with the lowest index
  std::vector<std::int64_t> saturations;                  // a layer each, over all images
  std::vector<models::StepSaturations> step_saturations;  // likewise
  std::vector<TimedImage> timed;
};

// A layer's cycles, from the timeline of one image: a layer ends with its last compute command (its
// last stores drain while the next layer computes; never before an earlier layer), the last layer
// ends at the interrupt, and a layer's cycles are its end less the end of the layer before. The
// first layer starts at the doorbell, so that it has the fetch of the first commands. They add up
// to `total_cycles`, and are never less than the time for which the layer's array computes.
std::vector<LayerTime> layer_times(const std::vector<models::TimelineEntry>& timeline,
                                   std::size_t layers, std::int64_t total_cycles,
                                   const sc_core::sc_time& cycle);

SpentCycles spent_cycles(const models::SpentTime& spent, const sc_core::sc_time& cycle);

// For the way between processes.
nlohmann::json to_json(const RunOutcome& outcome);
RunOutcome outcome_from_json(const nlohmann::json& json);
// Adds the outcome of later images to that of earlier ones.
void append(RunOutcome& earlier, const RunOutcome& later);

std::string to_string(models::Unit unit);

}  // namespace abacus::experiment
