#include "sw/quant/calibrate/layer_calibration.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "sw/network/graph_folding.hpp"
#include "sw/quant/calibrate/channel_fit.hpp"
#include "sw/quant/layers/adder_quantizer.hpp"
#include "sw/quant/layers/apply_plan.hpp"
#include "sw/quant/plan/adder_grid.hpp"
#include "sw/quant/simulate/simulation.hpp"
#include "sw/quant/weights/adder_rounding.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {
namespace {

constexpr std::int64_t chunk = 200;  // images at a time

// Applies `work` chunk by chunk to tensors whose first dimension is the image.
template <typename Work>
torch::Tensor in_chunks(std::int64_t images, const Work& work) {
  std::vector<torch::Tensor> parts;
  for (std::int64_t first = 0; first < images; first += chunk) {
    parts.push_back(work(first, std::min(images, first + chunk)));
  }
  return torch::cat(parts);
}

torch::Tensor part(const torch::Tensor& tensor, std::int64_t first, std::int64_t last) {
  return tensor.defined() ? tensor.slice(0, first, last) : tensor;
}

// The float network, run layer by layer on all images.
class FloatOutputs {
 public:
  FloatOutputs(const network::Checkpoint& checkpoint, torch::Tensor images)
      : network_(checkpoint.network, checkpoint.tensors),
        walk_(network::reads_of(checkpoint.network), std::move(images)) {
    network_.set_batch_norm_mode(train::BatchNormMode::inference);
  }

  // Of layer `folded`, before its ReLU. Folded layers are asked for in order.
  torch::Tensor before_relu(const network::FoldedLayer& folded) {
    torch::Tensor result;
    while (walk_.layer() <= folded.output) {
      const int layer = walk_.layer();
      const std::vector<torch::Tensor> inputs = walk_.inputs();
      if (folded.relu && layer == folded.output) result = inputs.front();
      walk_.advance(in_chunks(inputs[0].size(0), [&](std::int64_t first, std::int64_t last) {
        std::vector<torch::Tensor> parts;
        for (const torch::Tensor& input : inputs) parts.push_back(part(input, first, last));
        return network_.compute(layer, parts).contiguous();
      }));
    }
    return folded.relu ? result : walk_.tensor(folded.output);
  }

 private:
  train::FloatNetwork network_;
  network::GraphWalk<torch::Tensor> walk_;
};

// What the taps of a convolution read at random places, `each` of every image.
OperandSamples sample_operands(const torch::Tensor& operands, const network::Layer& layer,
                               const std::vector<std::int64_t>& places) {
  const network::Convolution& of = layer.convolution();
  const torch::Tensor padded =
      torch::constant_pad_nd(operands, {of.padding, of.padding, of.padding, of.padding})
          .contiguous();
  const std::int64_t channels = padded.size(1), height = padded.size(2), width = padded.size(3);
  const std::int64_t plane = std::int64_t{layer.output.height} * layer.output.width;
  OperandSamples result;
  result.samples = static_cast<std::int64_t>(places.size());
  result.taps = channels * of.kernel * of.kernel;
  result.values.resize(static_cast<std::size_t>(result.taps * result.samples));
  const float* const from = padded.data_ptr<float>();
  for (std::int64_t s = 0; s < result.samples; ++s) {
    const std::int64_t image = places[static_cast<std::size_t>(s)] / plane;
    const std::int64_t position = places[static_cast<std::size_t>(s)] % plane;
    const std::int64_t y = position / layer.output.width * of.stride;
    const std::int64_t x = position % layer.output.width * of.stride;
    std::int64_t tap = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
      for (int ky = 0; ky < of.kernel; ++ky) {
        for (int kx = 0; kx < of.kernel; ++kx, ++tap) {
          result.values[static_cast<std::size_t>(tap * result.samples + s)] =
              from[((image * channels + c) * height + y + ky) * width + x + kx];
        }
      }
    }
  }
  return result;
}

// What a convolution's accumulators are to become by an affine map a channel.
struct Wanted {
  torch::Tensor target;
  torch::Tensor zero;  // defined before a ReLU: below it, all values are alike
};

// Up to `most` of the candidates with the least Σ over channels of the best candidate's error:
// greedily, then exchanging one at a time as long as that helps. errors[candidate][channel].
std::vector<std::size_t> best_candidates(const std::vector<std::vector<double>>& errors, int most) {
  const auto total = [&](const std::vector<std::size_t>& chosen) {
    double sum = 0;
    for (std::size_t o = 0; o < errors.front().size(); ++o) {
      double least = errors[chosen.front()][o];
      for (const std::size_t c : chosen) least = std::min(least, errors[c][o]);
      sum += least;
    }
    return sum;
  };
  // The best choice for place `at`, the others as they are.
  const auto improve = [&](std::vector<std::size_t>& chosen, std::size_t at) {
    bool better = false;
    double least = total(chosen);
    std::vector<std::size_t> trial = chosen;
    for (std::size_t c = 0; c < errors.size(); ++c) {
      trial[at] = c;
      const double error = total(trial);
      if (!(error < least)) continue;
      least = error;
      chosen[at] = c;
      better = true;
    }
    return better;
  };
  std::vector<std::size_t> chosen = {0};
  improve(chosen, 0);
  while (static_cast<int>(chosen.size()) < most) {
    chosen.push_back(chosen.back());
    if (!improve(chosen, chosen.size() - 1)) {
      chosen.pop_back();
      break;
    }
    for (bool better = true; better;) {
      better = false;
      for (std::size_t at = 0; at < chosen.size(); ++at) better = improve(chosen, at) || better;
    }
  }
  return chosen;
}

class LayerCalibrator {
 public:
  LayerCalibrator(const network::Checkpoint& checkpoint, QuantizationPlan plan,
                  const torch::Tensor& images, const CompletedOptions& options)
      : checkpoint_(checkpoint),
        options_(options),
        floats_(checkpoint, images),
        network_(apply_plan(checkpoint, plan)),
        plan_(std::move(plan)),
        simulation_(network_),
        walk_(network::reads_of(network_.folded()), simulation_.store_image(images)),
        random_(options.seed) {}

  std::size_t layers() const { return network_.layers.size(); }

  // The next layer.
  void calibrate() {
    const std::size_t index = static_cast<std::size_t>(walk_.layer());
    const network::FoldedLayer folded = network_.layers[index].folded;
    const std::vector<torch::Tensor> stored = walk_.inputs();
    const torch::Tensor& input = stored.front();
    const torch::Tensor residual = stored.size() > 1 ? stored[1] : torch::Tensor();
    Wanted wanted;
    wanted.target = floats_.before_relu(folded);
    if (folded.kind == network::IntegerLayerKind::convolution &&
        folded.batch_norm != network::no_tensor) {
      if (residual.defined()) {
        const torch::Tensor added = residual * network_.tensor(folded.residual).scale;
        wanted.target = wanted.target - added;
        if (folded.relu) wanted.zero = -added;
      } else if (folded.relu) {
        wanted.zero = torch::zeros_like(wanted.target);
      }
      wanted.target = wanted.target.contiguous();
      const network::Layer& from =
          checkpoint_.network.layers[static_cast<std::size_t>(folded.layer)];
      if (from.computes(network::Arithmetic::adder)) {
        if (options_.range_search == RangeSearch::output_error) {
          search_ranges(index, from, input, wanted);
        }
        if (options_.weight_rounding == WeightRounding::output_error) {
          round_weights(index, from, input, wanted);
        }
      }
      fit_batch_norm(index, input, wanted);
    }
    walk_.advance(in_chunks(input.size(0), [&](std::int64_t first, std::int64_t last) {
      return simulation_.run_layer(index, part(input, first, last), part(residual, first, last));
    }));
  }

  LayerCalibration finish() {
    if (options_.batch_norm != BatchNormEstimation::fitted) {
      const QuantizedNetwork original = apply_plan(checkpoint_, plan_);
      for (std::size_t i = 0; i < network_.layers.size(); ++i) {
        network_.layers[i].batch_norm = original.layers[i].batch_norm;
      }
    }
    return {std::move(plan_), std::move(network_)};
  }

 private:
  torch::Tensor accumulate(std::size_t index, const torch::Tensor& input) {
    return in_chunks(input.size(0), [&](std::int64_t first, std::int64_t last) {
      return simulation_.accumulate(index, part(input, first, last)).to(torch::kFloat32);
    });
  }

  // Of the accumulators to what is wanted. Before a ReLU fit and acceptable targets are found in
  // turn.
  static ChannelFit fit(const torch::Tensor& accumulators, const Wanted& wanted) {
    const std::size_t channels = static_cast<std::size_t>(wanted.target.size(1));
    ChannelFit result(channels);
    result.add(accumulators, wanted.target);
    if (!wanted.zero.defined()) return result;
    constexpr int rounds = 4;
    for (int round = 0; round < rounds; ++round) {
      const torch::Tensor gains = torch::empty({1, wanted.target.size(1), 1, 1});
      const torch::Tensor offsets = torch::empty_like(gains);
      for (std::size_t o = 0; o < channels; ++o) {
        const AffineFit channel = result.channel(o);
        gains.data_ptr<float>()[o] = static_cast<float>(channel.gain);
        offsets.data_ptr<float>()[o] =
            static_cast<float>(channel.target_mean - channel.gain * channel.input_mean);
      }
      const torch::Tensor value = torch::minimum(accumulators * gains + offsets, wanted.zero);
      result = ChannelFit(channels);
      result.add(accumulators, torch::where(wanted.target > wanted.zero, wanted.target, value));
    }
    return result;
  }

  void set_convolution(std::size_t index, const ConvolutionPlan& plan) {
    QuantizedLayer& layer = network_.layers[index];
    set_operands(checkpoint_, plan, network_.tensor(layer.folded.input), layer);
    simulation_.prepare(index);
  }

  // Tries ranges on the whole layer, then gives each channel the best of up to `groups` of them.
  void search_ranges(std::size_t index, const network::Layer& from, const torch::Tensor& all_inputs,
                     const Wanted& all_wanted) {
    constexpr std::int64_t most_images = 128;
    const std::int64_t count = std::min(most_images, all_inputs.size(0));
    const torch::Tensor input = part(all_inputs, 0, count);
    const Wanted wanted = {part(all_wanted.target, 0, count), part(all_wanted.zero, 0, count)};
    const network::StoredTensor& read = network_.tensor(network_.layers[index].folded.input);
    const OperandGrid grid = plan_.convolutions[index].grid;
    const std::vector<float> weights =
        checkpoint_.tensors.at(from.name + ".weight").values<float>();
    const double largest = input.abs().max().item<double>() * read.scale;
    if (!(largest > 0)) return;
    AdderQuantizerOptions one_group = adder_quantizer_options(options_, grid);
    one_group.groups = 1;
    constexpr int candidates = 25, candidates_an_octave = 5;
    std::vector<ConvolutionPlan> plans;
    std::vector<std::vector<double>> errors;  // candidate, channel
    for (int i = 0; i < candidates; ++i) {
      const double range = largest * std::exp2(-static_cast<double>(i) / candidates_an_octave);
      plans.push_back(plan_adder_layer(weights, from.output.channels, range, one_group));
      if (i > 0 && plans.back().range == plans[plans.size() - 2].range) {
        plans.pop_back();  // the weights' range is the smaller
        continue;
      }
      set_convolution(index, plans.back());
      const ChannelFit found = fit(accumulate(index, input), wanted);
      errors.emplace_back();
      for (std::size_t o = 0; o < found.channels(); ++o) {
        errors.back().push_back(found.channel(o).residual);
      }
    }
    const std::vector<std::size_t> chosen = best_candidates(errors, options_.groups);
    ConvolutionPlan plan = plans[chosen.front()];
    plan.range.clear();
    for (const std::size_t c : chosen) plan.range.push_back(plans[c].range.front());
    for (std::size_t o = 0; o < plan.group.size(); ++o) {
      std::size_t best = 0;
      for (std::size_t g = 1; g < chosen.size(); ++g) {
        if (errors[chosen[g]][o] < errors[chosen[best]][o]) best = g;
      }
      plan.group[o] = static_cast<std::int32_t>(best);
    }
    plan_.convolutions[index] = plan;
    set_convolution(index, plan);
  }

  void round_weights(std::size_t index, const network::Layer& from, const torch::Tensor& input,
                     const Wanted& wanted) {
    constexpr std::int64_t most_samples = 16384;
    const std::int64_t plane = std::int64_t{from.output.height} * from.output.width;
    const std::int64_t count = std::min(most_samples, input.size(0) * plane);
    std::vector<std::int64_t> places;
    std::uniform_int_distribution<std::int64_t> anywhere(0, input.size(0) * plane - 1);
    for (std::int64_t s = 0; s < count; ++s) places.push_back(anywhere(random_));

    QuantizedConvolution& convolution = network_.layers[index].convolution;
    const std::int64_t channels = wanted.target.size(1);
    const std::int64_t taps = static_cast<std::int64_t>(convolution.weights.size()) / channels;
    const WeightLevels levels{lowest_integer(convolution.weight_bits, convolution.weight_signed),
                              highest_integer(convolution.weight_bits, convolution.weight_signed),
                              convolution.weight_shift};
    const auto sample = [&](const torch::Tensor& values, std::int64_t channel) {
      std::vector<float> result;
      if (!values.defined()) return result;
      for (const std::int64_t place : places) {
        result.push_back(
            values.data_ptr<float>()[(place / plane * channels + channel) * plane + place % plane]);
      }
      return result;
    };
    const torch::Tensor zero = wanted.zero.defined() ? wanted.zero.contiguous() : wanted.zero;
    for (std::size_t g = 0; g < convolution.activation_step.size(); ++g) {
      const OperandSamples operands =
          sample_operands(simulation_.operands(index, g, input), from, places);
#pragma omp parallel for schedule(dynamic)
      for (std::int64_t o = 0; o < channels; ++o) {
        if (convolution.group[static_cast<std::size_t>(o)] != static_cast<std::int32_t>(g))
          continue;
        round_channel(operands, sample(wanted.target, o), sample(zero, o), levels,
                      convolution.weights.data() + o * taps);
      }
    }
    simulation_.prepare(index);
  }

  // Fit, acceptable targets and weights in turn.
  static void round_channel(const OperandSamples& operands, const std::vector<float>& target,
                            const std::vector<float>& zero, const WeightLevels& levels,
                            std::int16_t* weights) {
    constexpr int rounds = 4;
    std::vector<float> nearest = target;
    for (int round = 0; round < rounds; ++round) {
      const std::vector<float> sums = accumulate_samples(operands, weights, levels.shift);
      AffineFit line = fit_line(sums, nearest);
      for (std::size_t i = 0; i < zero.size(); ++i) {
        const double value =
            line.gain * (static_cast<double>(sums[i]) - line.input_mean) + line.target_mean;
        nearest[i] = acceptable(target[i], zero[i], static_cast<float>(value));
      }
      if (!zero.empty()) line = fit_line(sums, nearest);
      if (!round_to_output(operands, nearest, line.gain, levels, 1, weights)) break;
    }
  }

  void fit_batch_norm(std::size_t index, const torch::Tensor& input, const Wanted& wanted) {
    const ChannelFit found = fit(accumulate(index, input), wanted);
    QuantizedLayer& layer = network_.layers[index];
    for (std::size_t o = 0; o < layer.batch_norm.weight.size(); ++o) {
      const AffineFit channel = found.channel(o);
      const double step = layer.convolution.accumulator_step[o];
      layer.batch_norm.mean[o] = step * channel.input_mean + layer.convolution.offset[o];
      layer.batch_norm.variance[o] = step * step * channel.input_variance;
      layer.batch_norm.weight[o] =
          channel.gain / step *
          std::sqrt(layer.batch_norm.variance[o] + BatchNormChannels::epsilon);
      layer.batch_norm.bias[o] = channel.target_mean;
    }
  }

  const network::Checkpoint& checkpoint_;
  const CompletedOptions& options_;
  FloatOutputs floats_;
  QuantizedNetwork network_;
  QuantizationPlan plan_;
  Simulation simulation_;
  network::GraphWalk<torch::Tensor> walk_;  // over the stored tensors of all images
  std::mt19937_64 random_;
};

}  // namespace

bool needs_layer_calibration(const CompletedOptions& options) {
  return options.batch_norm == BatchNormEstimation::fitted ||
         options.range_search == RangeSearch::output_error ||
         options.weight_rounding == WeightRounding::output_error;
}

LayerCalibration calibrate_layers(const network::Checkpoint& checkpoint, QuantizationPlan plan,
                                  const CalibrationData& data, const CompletedOptions& options,
                                  const QuantizationProgress& progress) {
  torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> batches;
  for_each_batch(data, options.calibration_images,
                 [&](const torch::Tensor& images) { batches.push_back(images.contiguous()); }, {});
  LayerCalibrator calibrator(checkpoint, std::move(plan), torch::cat(batches), options);
  batches.clear();
  const std::int64_t layers = static_cast<std::int64_t>(calibrator.layers());
  for (std::int64_t i = 0; i < layers; ++i) {
    calibrator.calibrate();
    if (progress) progress("layer by layer", i + 1, layers);
  }
  return calibrator.finish();
}

}  // namespace abacus::quant
