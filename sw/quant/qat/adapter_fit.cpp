#include "sw/quant/qat/adapter_fit.hpp"

#include <ATen/Parallel.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>

#include "sw/quant/activations/step_ladder.hpp"
#include "sw/quant/fake/fake_quantization.hpp"
#include "sw/quant/fake/quantizer_functions.hpp"

namespace abacus::quant {
namespace {

constexpr int fit_steps = 400;
// Adam moves every parameter by about its rate, so that a sum over more channels moves further.
constexpr double fit_rate = 0.02;
constexpr double channels_of_that_rate = 16;

torch::Tensor matrix(const std::vector<double>& values, std::size_t rows) {
  return torch::tensor(values, torch::kFloat64).view({static_cast<std::int64_t>(rows), -1});
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value);
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// The adapter for means that are `factor` times as large.
AdapterParameters for_scaled_means(AdapterParameters adapter, double factor) {
  // The weights of the layer that reads the means come first.
  const int readers = std::max(adapter.hidden(), 1);
  for (int i = 0; i < readers * adapter.channels; ++i) {
    adapter.parameters[static_cast<std::size_t>(i)] /= factor;
  }
  return adapter;
}

// A hidden unit learns from the images that pass its ReLU alone; at least half of them should.
void turn_idle_units(AdapterParameters& adapter, const AdapterSamples& samples) {
  const auto channels = static_cast<std::size_t>(adapter.channels);
  const auto hidden = static_cast<std::size_t>(adapter.hidden());
  for (std::size_t unit = 0; unit < hidden; ++unit) {
    double* const weights = adapter.parameters.data() + unit * channels;
    double& bias = adapter.parameters[hidden * channels + unit];
    std::size_t passing = 0;
    for (std::size_t n = 0; n < samples.images(); ++n) {
      double sum = bias;
      for (std::size_t c = 0; c < channels; ++c) {
        sum += weights[c] * samples.means[n * channels + c];
      }
      passing += sum > 0;
    }
    if (2 * passing >= samples.images()) continue;
    for (std::size_t c = 0; c < channels; ++c) weights[c] = -weights[c];
    bias = -bias;
  }
}

// Each image's error at its own β, read off between the steps tried.
torch::Tensor mean_error_of(const torch::Tensor& errors, const torch::Tensor& factors) {
  const auto last = static_cast<double>(tried_step_count - 1);
  const torch::Tensor place =
      ((factors.log2() + tried_octaves_below) * tried_steps_an_octave).unsqueeze(1);
  const torch::Tensor below = place.detach().floor().clamp(0, last - 1);
  const torch::Tensor index = below.to(torch::kInt64);
  const torch::Tensor share = place - below;
  return (errors.gather(1, index) * (1 - share) + errors.gather(1, index + 1) * share).mean();
}

void check_samples(const AdapterParameters& adapter, const AdapterSamples& samples) {
  if (samples.channels != adapter.channels) {
    throw std::invalid_argument("an adapter of " + std::to_string(adapter.channels) +
                                " channels was to be fitted to samples of " +
                                std::to_string(samples.channels));
  }
  if (samples.errors.size() != samples.images() * tried_step_count) {
    throw std::invalid_argument("samples of " + std::to_string(samples.images()) + " images have " +
                                std::to_string(samples.errors.size()) + " errors; expected " +
                                std::to_string(samples.images() * tried_step_count));
  }
}

// How often each stored integer occurs in one image's tensor.
std::vector<std::int64_t> integer_counts(const float* stored, std::int64_t elements,
                                         const network::StoredTensor& tensor) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(tensor.highest() - tensor.lowest() + 1),
                                   0);
  for (std::int64_t i = 0; i < elements; ++i) {
    const auto v = static_cast<std::int64_t>(std::lround(stored[i] / tensor.scale));
    ++counts[static_cast<std::size_t>(
        std::clamp<std::int64_t>(v, tensor.lowest(), tensor.highest()) - tensor.lowest())];
  }
  return counts;
}

double sum_of_squares(const std::vector<std::int64_t>& counts, std::int64_t first) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double v = static_cast<double>(first + static_cast<std::int64_t>(i));
    sum += static_cast<double>(counts[i]) * v * v;
  }
  return sum;
}

}  // namespace

double mean_error(const AdapterParameters& adapter, const AdapterSamples& samples) {
  check_samples(adapter, samples);
  if (samples.images() == 0) return 0;
  torch::NoGradGuard no_gradient;
  return mean_error_of(matrix(samples.errors, samples.images()),
                       step_factors(matrix(samples.means, samples.images()),
                                    torch::tensor(adapter.parameters, torch::kFloat64)))
      .item<double>();
}

AdapterParameters fitted_adapter(const AdapterParameters& start, const AdapterSamples& samples) {
  if (samples.images() == 0) return start;
  check_samples(start, samples);
  const double size = mean_of(samples.means);
  if (size == 0) return start;
  // Means of about 1, so that the fit goes alike whatever the tensor's scale is.
  AdapterSamples scaled = samples;
  for (double& mean : scaled.means) mean /= size;
  AdapterParameters adapter = start;
  turn_idle_units(adapter, scaled);
  const torch::Tensor means = matrix(scaled.means, scaled.images());
  const torch::Tensor errors = matrix(scaled.errors, scaled.images());
  torch::Tensor parameters = torch::tensor(adapter.parameters, torch::kFloat64);
  parameters.set_requires_grad(true);
  const double rate = fit_rate * std::min(1.0, channels_of_that_rate / adapter.channels);
  torch::optim::Adam optimizer({parameters}, torch::optim::AdamOptions(rate));
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step < fit_steps; ++step) {
    optimizer.zero_grad();
    const torch::Tensor error = mean_error_of(errors, step_factors(means, parameters));
    if (error.item<double>() < least) {
      least = error.item<double>();
      const auto* const now = parameters.data_ptr<double>();
      adapter.parameters.assign(now, now + parameters.numel());
    }
    error.backward();
    const double cosine = 0.5 * (1 + std::cos(std::acos(-1.0) * step / fit_steps));
    static_cast<torch::optim::AdamOptions&>(optimizer.param_groups()[0].options())
        .lr(rate * cosine);
    optimizer.step();
  }
  return for_scaled_means(std::move(adapter), size);
}

AdapterFit fit_adapters(QuantizationPlan& plan, train::FloatNetwork& network,
                        const std::vector<network::FoldedLayer>& folded,
                        const CalibrationData& data, std::int64_t count, const ImagesDone& done) {
  std::vector<AdapterSamples> samples(folded.size());
  std::map<int, std::vector<std::size_t>> readers;  // by the network's layer: folded layers
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (plan.convolutions[i].adapter.channels == 0 || folded[i].input == network::image_tensor)
      continue;
    samples[i].channels = plan.convolutions[i].adapter.channels;
    readers[folded[static_cast<std::size_t>(folded[i].input)].output].push_back(i);
  }
  train::ForwardHooks hooks;
  hooks.after = [&](int layer, torch::Tensor& output) {
    const auto found = readers.find(layer);
    if (found == readers.end()) return;
    const std::vector<std::size_t>& of = found->second;
    const network::StoredTensor& tensor =
        plan.outputs[static_cast<std::size_t>(folded[of[0]].input)];
    const torch::Tensor stored =
        fake_quantize(output.detach().contiguous(), tensor.scale,
                      {static_cast<int>(tensor.lowest()), static_cast<int>(tensor.highest())})
            .contiguous();
    const torch::Tensor means =
        channel_means(stored, tensor.scale, channel_sums(stored, tensor.scale)).contiguous();
    const std::int64_t images = stored.size(0), elements = stored.numel() / images;
    for (const std::size_t i : of) {
      samples[i].means.insert(samples[i].means.end(), means.data_ptr<double>(),
                              means.data_ptr<double>() + means.numel());
      samples[i].errors.resize(samples[i].images() * tried_step_count);
    }
    at::parallel_for(0, images, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const std::vector<std::int64_t> counts =
            integer_counts(stored.data_ptr<float>() + n * elements, elements, tensor);
        const double square = sum_of_squares(counts, tensor.lowest());
        for (const std::size_t i : of) {
          const ConvolutionPlan& to = plan.convolutions[i];
          const std::vector<double> tried =
              errors_of_tried_steps(counts, tensor.lowest(), to.activation_step / tensor.scale,
                                    lowest_integer(to.activation_bits, to.activation_signed),
                                    highest_integer(to.activation_bits, to.activation_signed));
          const auto row = samples[i].errors.end() -
                           (images - n) * static_cast<std::ptrdiff_t>(tried_step_count);
          std::transform(tried.begin(), tried.end(), row,
                         [&](double error) { return square > 0 ? error / square : 0; });
        }
      }
    });
  };
  {
    torch::NoGradGuard no_gradient;
    network.set_batch_norm_mode(train::BatchNormMode::inference);
    for_each_batch(
        data, count, [&](const torch::Tensor& images) { network.forward(images, hooks); }, done);
  }
  AdapterFit result;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (samples[i].channels == 0) continue;
    AdapterParameters& adapter = plan.convolutions[i].adapter;
    ++result.adapters;
    result.before += mean_error(adapter, samples[i]);
    adapter = fitted_adapter(adapter, samples[i]);
    result.after += mean_error(adapter, samples[i]);
    samples[i] = {};
  }
  if (result.adapters > 0) {
    result.before /= result.adapters;
    result.after /= result.adapters;
  }
  return result;
}

}  // namespace abacus::quant
