#include "sw/experiment/saturation_warning.hpp"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace abacus::experiment {
namespace {

// Sum over the layers, and their names.
struct Losses {
  std::int64_t times = 0;
  std::vector<std::string> layers;

  void add(std::int64_t more, const std::string& layer) {
    if (more == 0) return;
    times += more;
    if (layers.empty() || layers.back() != layer) layers.push_back(layer);
  }
  // "3 times (conv1, conv2 and 4 other layers)"
  std::string text() const {
    constexpr std::size_t named = 3;
    std::string names;
    for (std::size_t i = 0; i < layers.size() && i < named; ++i) {
      names += (i == 0 ? "" : ", ") + layers[i];
    }
    if (layers.size() > named) {
      names += " and " + std::to_string(layers.size() - named) + " other layers";
    }
    return std::to_string(times) + (times == 1 ? " time (" : " times (") + names + ")";
  }
};

}  // namespace

std::string saturation_warning(const nlohmann::ordered_json& run) {
  Losses accumulators, factors, multipliers;
  for (const auto& layer : run.at("layers")) {
    const std::string name = layer.at("name");
    accumulators.add(layer.at("saturations"), name);
    if (!layer.contains("step_saturations")) continue;
    const auto& steps = layer.at("step_saturations");
    factors.add(steps.at("beta_underflows"), name);
    factors.add(steps.at("beta_overflows"), name);
    multipliers.add(steps.at("read_multiplier"), name);
    multipliers.add(steps.at("multipliers"), name);
  }
  std::string text;
  const auto tell = [&](const char* what, const Losses& losses) {
    if (losses.times == 0) return;
    text += (text.empty() ? "" : "; ") + std::string(what) + ' ' + losses.text();
  };
  tell("accumulators saturated", accumulators);
  tell("step adapters' factors left their range", factors);
  tell("multipliers of adapted steps saturated", multipliers);
  if (text.empty()) return text;
  return "run \"" + run.at("name").get<std::string>() + "\", " +
         std::to_string(run.at("images").get<std::int64_t>()) + " images: " + text;
}

}  // namespace abacus::experiment
