#include "sw/quant/adapter_fit.hpp"

#include <torch/optim/adam.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>

#include "sw/quant/quantizer_functions.hpp"
#include "sw/quant/step_ladder.hpp"

namespace abacus {
namespace {

constexpr int fit_steps = 400;
constexpr double fit_rate = 0.02;

torch::Tensor matrix(const std::vector<double>& values, std::size_t rows) {
  return torch::tensor(values, torch::kFloat64).view({static_cast<std::int64_t>(rows), -1});
}

// A ReLU that no image passes has no gradient, so it would stay useless.
void revive(AdapterParameters& adapter, const AdapterSamples& samples) {
  const auto channels = static_cast<std::size_t>(adapter.channels);
  for (int unit = 0; unit < adapter.hidden(); ++unit) {
    double* const weights = adapter.parameters.data() + static_cast<std::size_t>(unit) * channels;
    double& bias = adapter.parameters[static_cast<std::size_t>(adapter.hidden()) * channels +
                                      static_cast<std::size_t>(unit)];
    std::size_t alive = 0;
    for (std::size_t n = 0; n < samples.images(); ++n) {
      double sum = bias;
      for (std::size_t c = 0; c < channels; ++c) {
        sum += weights[c] * samples.means[n * channels + c];
      }
      alive += sum > 0;
    }
    if (2 * alive >= samples.images()) continue;
    for (std::size_t c = 0; c < channels; ++c) weights[c] = -weights[c];
    bias = -bias;
  }
}

// Each image's error at its own β, read off between the steps tried.
torch::Tensor mean_error(const torch::Tensor& errors, const torch::Tensor& factors) {
  const auto last = static_cast<double>(tried_steps - 1);
  const torch::Tensor place =
      ((factors.log2() + 2) * tried_steps_an_octave).clamp(0, last).unsqueeze(1);
  const torch::Tensor below = place.detach().floor().clamp_max(last - 1);
  const torch::Tensor index = below.to(torch::kInt64);
  const torch::Tensor share = place - below;
  return (errors.gather(1, index) * (1 - share) + errors.gather(1, index + 1) * share).mean();
}

// Adds one image's tensor, channel × place, as stored integers.
void add_image(AdapterSamples& to, const float* values, std::int64_t places,
               const StoredTensor& tensor, const ConvolutionPlan& plan) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(tensor.highest() - tensor.lowest() + 1),
                                   0);
  const float integers_a_unit = 1 / static_cast<float>(tensor.scale);
  const auto lowest = static_cast<float>(tensor.lowest());
  const auto highest = static_cast<float>(tensor.highest());
  for (int c = 0; c < to.channels; ++c) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < places; ++i) {
      const auto v = static_cast<std::int64_t>(
          std::clamp(std::nearbyint(values[c * places + i] * integers_a_unit), lowest, highest));
      sum += v;
      ++counts[static_cast<std::size_t>(v - tensor.lowest())];
    }
    to.means.push_back(tensor.scale * static_cast<double>(sum) / static_cast<double>(places));
  }
  double square = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double v = static_cast<double>(tensor.lowest()) + static_cast<double>(i);
    square += static_cast<double>(counts[i]) * v * v;
  }
  for (const double error :
       errors_of_tried_steps(counts, tensor.lowest(), plan.activation_step / tensor.scale,
                             lowest_integer(plan.activation_bits, plan.activation_signed),
                             highest_integer(plan.activation_bits, plan.activation_signed))) {
    to.errors.push_back(square > 0 ? error / square : 0);
  }
}

}  // namespace

AdapterParameters fitted_adapter(const AdapterParameters& start, const AdapterSamples& samples) {
  if (samples.images() == 0) return start;
  if (samples.channels != start.channels) {
    throw std::invalid_argument("an adapter of " + std::to_string(start.channels) +
                                " channels was to be fitted to samples of " +
                                std::to_string(samples.channels));
  }
  AdapterParameters adapter = start;
  revive(adapter, samples);
  const torch::Tensor means = matrix(samples.means, samples.images());
  const torch::Tensor errors = matrix(samples.errors, samples.images());
  torch::Tensor parameters = torch::tensor(adapter.parameters, torch::kFloat64);
  parameters.set_requires_grad(true);
  torch::optim::Adam optimizer({parameters}, torch::optim::AdamOptions(fit_rate));
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step < fit_steps; ++step) {
    optimizer.zero_grad();
    const torch::Tensor error = mean_error(errors, step_factors(means, parameters));
    if (error.item<double>() < least) {
      least = error.item<double>();
      const auto* const now = parameters.data_ptr<double>();
      adapter.parameters.assign(now, now + parameters.numel());
    }
    error.backward();
    const double cosine = 0.5 * (1 + std::cos(std::acos(-1.0) * step / fit_steps));
    static_cast<torch::optim::AdamOptions&>(optimizer.param_groups()[0].options())
        .lr(fit_rate * cosine);
    optimizer.step();
  }
  return adapter;
}

void fit_adapters(QuantizationPlan& plan, FloatNetwork& network,
                  const std::vector<FoldedLayer>& folded, const CalibrationData& data,
                  std::int64_t count, const ImagesDone& done) {
  std::vector<AdapterSamples> samples(folded.size());
  std::multimap<int, std::size_t> readers;  // the network's layer → folded layers that read it
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (plan.convolutions[i].adapter.channels == 0 || folded[i].input == image_tensor) continue;
    samples[i].channels = plan.convolutions[i].adapter.channels;
    readers.emplace(folded[static_cast<std::size_t>(folded[i].input)].output, i);
  }
  ForwardHooks hooks;
  hooks.after = [&](int layer, torch::Tensor& output) {
    const auto [first, last] = readers.equal_range(layer);
    if (first == last) return;
    const torch::Tensor values = output.detach().contiguous();
    const std::int64_t places = values.size(2) * values.size(3);
    for (auto reader = first; reader != last; ++reader) {
      const std::size_t i = reader->second;
      const StoredTensor& tensor = plan.outputs[static_cast<std::size_t>(folded[i].input)];
      for (std::int64_t n = 0; n < values.size(0); ++n) {
        add_image(samples[i], values.data_ptr<float>() + n * values.size(1) * places, places,
                  tensor, plan.convolutions[i]);
      }
    }
  };
  {
    torch::NoGradGuard no_gradient;
    network.set_batch_norm_mode(BatchNormMode::inference);
    for_each_batch(
        data, std::min(count, most_fit_images),
        [&](const torch::Tensor& images) { network.forward(images, hooks); }, done);
  }
  for (std::size_t i = 0; i < folded.size(); ++i) {
    AdapterParameters& adapter = plan.convolutions[i].adapter;
    if (adapter.channels > 0) adapter = fitted_adapter(adapter, samples[i]);
    samples[i] = {};
  }
}

}  // namespace abacus
