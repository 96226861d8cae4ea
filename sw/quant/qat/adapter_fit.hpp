// A start for ASQ's adapters: β that nearly minimises each calibration image's quantization error.
// Ours; the authors start at β = 1, from where a short training hardly moves it.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/graph_folding.hpp"
#include "sw/quant/activations/activation_quantizer.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus::quant {

// What one tensor's images teach an adapter.
struct AdapterSamples {
  int channels = 0;
  std::vector<double> means;   // image × channel
  std::vector<double> errors;  // image × step tried (step_ladder.hpp), over the image's own Σ v²

  std::size_t images() const {
    return channels == 0 ? 0 : means.size() / static_cast<std::size_t>(channels);
  }
};

// Minimises the images' mean error (Adam, a few hundred steps on all of them together) from `start`,
// which is taken for one of means of average 1. Hidden units that less than half of the images pass
// get the opposite sign first. No samples, or means of 0: `start`. Throws std::invalid_argument for
// samples of another number of channels, or of errors.
AdapterParameters fitted_adapter(const AdapterParameters& start, const AdapterSamples& samples);

// The images' mean error with this adapter.
double mean_error(const AdapterParameters& adapter, const AdapterSamples& samples);

struct AdapterFit {
  int adapters = 0;
  double before = 0, after = 0;  // mean over the adapters of mean_error()
};

// Fits every adapter of the plan to the float network's tensors on `count` images of `data`, at the
// plan's activation steps. Keeps 0.9 KB an image and layer.
AdapterFit fit_adapters(QuantizationPlan& plan, train::FloatNetwork& network,
                        const std::vector<network::FoldedLayer>& folded,
                        const CalibrationData& data, std::int64_t count, const ImagesDone& done);

}  // namespace abacus::quant
