#include "sw/schedule/placement.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "sw/schedule/address_space.hpp"

namespace abacus::schedule {
namespace {

using Stays = std::vector<std::optional<Stay>>;

// A placement, judged.
struct Trial {
  Stays stays;
  std::vector<const LayerTiling*> tilings;
  TilingCost cost;
};

// A stay that might pay, and what it spares for what it takes.
struct Candidate {
  Stay stay;
  double worth = 0;
};

class PlacementSearch {
 public:
  PlacementSearch(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
                  double time_tolerance)
      : network_(network), hardware_(hardware), lives_(lifetimes(network)) {
    mappers_.reserve(network.layers.size());
    for (const network::IntegerLayer& layer : network.layers) {
      mappers_.emplace_back(network, layer, hardware, time_tolerance);
    }
  }

  Placement run() {
    std::optional<Trial> best = judge(Stays(lives_.size()));
    if (!best) refuse();
    if (std::optional<Trial> all = judge(all_stay()); all && better(*all, *best)) {
      best = std::move(all);
    } else {
      for (const Candidate& candidate : candidates()) {
        const std::optional<Stay>& held = best->stays[index_of_tensor(candidate.stay.tensor)];
        if (held && (candidate.stay.first > held->first || candidate.stay.last < held->last)) {
          continue;
        }
        Stays stays = best->stays;
        stays[index_of_tensor(candidate.stay.tensor)] = candidate.stay;
        std::optional<Trial> trial = judge(std::move(stays));
        if (trial && better(*trial, *best)) best = std::move(trial);
      }
    }
    Placement placement;
    for (const LayerTiling* tiling : best->tilings) placement.tilings.push_back(*tiling);
    for (const Lifetime& life : lives_) placement.in_dram.push_back(in_dram(life, best->stays));
    placement.stays = std::move(best->stays);
    return placement;
  }

 private:
  // Less traffic; or less time, without more traffic.
  static bool better(const Trial& a, const Trial& b) {
    if (a.cost.bytes < b.cost.bytes) return a.cost.cycles <= b.cost.cycles;
    return a.cost.bytes == b.cost.bytes && a.cost.cycles < b.cost.cycles;
  }

  Stay stay(int tensor, int first, int last) const {
    return {tensor, first, last, static_cast<std::uint64_t>(network_.tensor(tensor).bytes()), 0};
  }

  // Layers at which a tensor can begin its stay, or end it.
  static std::vector<int> moments(const Lifetime& life) {
    std::vector<int> moments;
    if (life.tensor != network::image_tensor) moments.push_back(life.tensor);
    moments.insert(moments.end(), life.readers.begin(), life.readers.end());
    return moments;
  }

  Stays all_stay() const {
    Stays stays(lives_.size());
    for (const Lifetime& life : lives_) {
      const std::vector<int> at = moments(life);
      if (!at.empty()) {
        stays[index_of_tensor(life.tensor)] = stay(life.tensor, at.front(), at.back());
      }
    }
    return stays;
  }

  // Most transfers spared for each layer of its stay first; of equal ones, the longer.
  std::vector<Candidate> candidates() const {
    std::vector<Candidate> all;
    for (const Lifetime& life : lives_) {
      const std::vector<int> at = moments(life);
      for (std::size_t first = 0; first < at.size(); ++first) {
        for (std::size_t last = first; last < at.size(); ++last) {
          const Stay candidate = stay(life.tensor, at[first], at[last]);
          const bool whole = candidate.computed() && last + 1 == at.size() && !life.wanted;
          const double spared = static_cast<double>(last - first) + (whole ? 1 : 0) + 0.1;
          all.push_back({candidate, spared / (at[last] - at[first] + 1)});
        }
      }
    }
    std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      if (a.worth != b.worth) return a.worth > b.worth;
      return a.stay.last - a.stay.first > b.stay.last - b.stay.first;
    });
    return all;
  }

  // Large ones first, each at the lowest place that nothing takes at the same time.
  bool give_addresses(Stays& stays) const {
    std::vector<Stay*> order;
    for (std::optional<Stay>& stay : stays) {
      if (stay) order.push_back(&*stay);
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const Stay* a, const Stay* b) { return a->bytes > b->bytes; });
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::vector<AddressRange> taken;
      for (std::size_t j = 0; j < i; ++j) {
        if (order[j]->first > order[i]->last || order[j]->last < order[i]->first) continue;
        taken.push_back({order[j]->address, order[j]->address + order[j]->bytes});
      }
      FreeSpace space(hardware_.activation_sram.bytes, std::move(taken));
      const std::optional<std::uint64_t> address = space.take_lowest(order[i]->bytes);
      if (!address) return false;
      order[i]->address = static_cast<std::uint32_t>(*address);
    }
    return true;
  }

  static bool in_dram(const Lifetime& life, const Stays& stays) {
    const std::optional<Stay>& stay = stays[index_of_tensor(life.tensor)];
    if (life.wanted || life.tensor == network::image_tensor || !stay || !stay->computed()) {
      return true;
    }
    return !life.readers.empty() && life.readers.back() > stay->last;
  }

  static Source source(int tensor, int layer, const Stays& stays) {
    const std::optional<Stay>& stay = stays[index_of_tensor(tensor)];
    if (!stay || !stay->during(layer)) return Source::streamed;
    return stay->first == layer ? Source::arriving : Source::present;
  }

  OperandPlaces operands(int index, const Stays& stays) const {
    const network::IntegerLayer& layer = network_.layers[static_cast<std::size_t>(index)];
    OperandPlaces places;
    places.input = source(layer.input, index, stays);
    if (layer.residual != network::no_tensor) {
      places.residual = source(layer.residual, index, stays);
    }
    const std::optional<Stay>& output = stays[index_of_tensor(index)];
    places.output_stays = output && output->computed();
    places.output_stored = in_dram(lives_[index_of_tensor(index)], stays);
    return places;
  }

  FreeSpace free_space(int layer, const Stays& stays) const {
    std::vector<AddressRange> taken;
    for (const std::optional<Stay>& stay : stays) {
      if (stay && stay->during(layer)) {
        taken.push_back({stay->address, stay->address + stay->bytes});
      }
    }
    return {hardware_.activation_sram.bytes, std::move(taken)};
  }

  // Layers take turns at the two ends of what is free, so that a layer's first loads need not wait for
  // the layer before to leave its buffers.
  const LayerTiling* tiling(int layer, const Stays& stays) {
    return mappers_[static_cast<std::size_t>(layer)].best(operands(layer, stays),
                                                          free_space(layer, stays), layer % 2 == 1);
  }

  std::optional<Trial> judge(Stays stays) {
    if (!give_addresses(stays)) return std::nullopt;
    Trial trial;
    for (std::size_t i = 0; i < mappers_.size(); ++i) {
      const LayerTiling* found = tiling(static_cast<int>(i), stays);
      if (found == nullptr) return std::nullopt;
      trial.tilings.push_back(found);
      trial.cost += found->cost;
    }
    trial.stays = std::move(stays);
    return trial;
  }

  // The first layer that does not fit, though nothing stays.
  [[noreturn]] void refuse() {
    const Stays none(lives_.size());
    std::size_t layer = 0;
    while (tiling(static_cast<int>(layer), none) != nullptr) ++layer;
    mappers_[layer].refuse();
  }

  const network::IntegerNetwork& network_;
  const hw::HardwareConfig& hardware_;
  std::vector<Lifetime> lives_;
  std::vector<LayerMapper> mappers_;
};

}  // namespace

Placement place_tensors(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
                        double time_tolerance) {
  return PlacementSearch(network, hardware, time_tolerance).run();
}

}  // namespace abacus::schedule
