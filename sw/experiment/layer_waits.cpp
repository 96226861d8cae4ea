#include "sw/experiment/layer_waits.hpp"

#include <algorithm>
#include <array>

namespace abacus::experiment {
namespace {

using models::Cause;
using models::Unit;

// Of these units for one layer, the most first.
std::vector<CauseCycles> causes(const SpentCycles& spent, int layer, bool (*of)(Unit)) {
  std::array<double, models::cause_count> sums{};
  for (const auto& [key, cycles] : spent) {
    if (key.layer == layer && of(key.unit)) sums[static_cast<std::size_t>(key.cause)] += cycles;
  }
  std::vector<CauseCycles> list;
  for (int c = 0; c < models::cause_count; ++c) {
    const double cycles = sums[static_cast<std::size_t>(c)];
    if (cycles > 0) list.push_back({static_cast<Cause>(c), cycles});
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const CauseCycles& a, const CauseCycles& b) { return a.cycles > b.cycles; });
  return list;
}

bool has(const std::vector<CauseCycles>& list, Cause cause) {
  return std::any_of(list.begin(), list.end(),
                     [cause](const CauseCycles& entry) { return entry.cause == cause; });
}

// Spent on transfers, not on waiting for one to do.
std::vector<CauseCycles> under_way(std::vector<CauseCycles> list) {
  list.erase(std::remove_if(list.begin(), list.end(),
                            [](const CauseCycles& entry) {
                              return entry.cause >= Cause::commands &&
                                     entry.cause <= Cause::drained;
                            }),
             list.end());
  return list;
}

}  // namespace

std::string LayerWaits::binding() const {
  if (compute.empty()) return models::to_string(Cause::work);
  const Cause most = compute.front().cause;
  std::string text = models::to_string(most);
  if (most != Cause::token_load && most != Cause::token_store) return text;
  // Data are on the bus for as long as it takes: only where that is nearly all is the bus what binds. Else
  // it is what the bus waits for.
  constexpr double nearly_all = 0.9;
  double work = 0, all = 0, largest = 0;
  Cause wait = Cause::work;
  for (const CauseCycles& entry : most == Cause::token_store ? store : load) {
    all += entry.cycles;
    if (entry.cause == Cause::work) {
      work = entry.cycles;
    } else if (entry.cycles > largest) {
      largest = entry.cycles;
      wait = entry.cause;
    }
  }
  if (all == 0) return text;
  return text + ": " + models::to_string(work >= nearly_all * all ? Cause::work : wait);
}

LayerWaits layer_waits(const TimedImage& image, int layer) {
  LayerWaits waits;
  waits.cycles = image.layers.at(static_cast<std::size_t>(layer)).cycles;
  waits.compute = causes(image.spent, layer, [](Unit unit) {
    return unit == Unit::compute_array || unit == Unit::compute_edge ||
           unit == Unit::compute_vector || unit == Unit::step_adapter;
  });
  if (has(waits.compute, Cause::token_load)) {
    waits.load =
        under_way(causes(image.spent, layer, [](Unit unit) { return unit == Unit::load; }));
  }
  if (has(waits.compute, Cause::token_store)) {
    waits.store =
        under_way(causes(image.spent, layer, [](Unit unit) { return unit == Unit::store; }));
  }
  return waits;
}

}  // namespace abacus::experiment
