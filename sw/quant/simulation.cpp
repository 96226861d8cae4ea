#include "sw/quant/simulation.hpp"

#include <algorithm>
#include <stdexcept>

namespace abacus {
namespace {

torch::Tensor row(const std::vector<float>& values) {
  return torch::tensor(values).view({1, -1, 1, 1});
}

// Half rounds up, as round_shift does.
torch::Tensor& round_and_clamp(torch::Tensor& values, int lowest, int highest) {
  return values.add_(0.5).floor_().clamp_(lowest, highest);
}

torch::Tensor read(const torch::Tensor& stored, const ReadQuantizer& quantizer,
                   const QuantizedConvolution& convolution) {
  // A multiplier of 16 bits times an integer of 8 is exact in a float.
  torch::Tensor operands = stored * ratio(quantizer);
  round_and_clamp(operands,
                  lowest_integer(convolution.activation_bits, convolution.activation_signed),
                  highest_integer(convolution.activation_bits, convolution.activation_signed));
  return operands;
}

bool passes_through(const ReadQuantizer& quantizer, const StoredTensor& stored,
                    const QuantizedConvolution& convolution) {
  return quantizer.multiplier == 1 && quantizer.shift == 0 &&
         stored.lowest() >=
             lowest_integer(convolution.activation_bits, convolution.activation_signed) &&
         stored.highest() <=
             highest_integer(convolution.activation_bits, convolution.activation_signed);
}

}  // namespace

Simulation::Simulation(QuantizedNetwork& network)
    : network_(network), prepared_(network.layers.size()) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const QuantizedLayer& layer = network.layers[i];
    if (layer.folded.kind != IntegerLayerKind::convolution) continue;
    const Layer& from = network.network.layers[static_cast<std::size_t>(layer.folded.layer)];
    if (from.arithmetic == Arithmetic::adder) {
      prepared_[i].adder = std::make_unique<AdderAccumulation>(
          layer.convolution, layer.read_quantizers, network.tensor(layer.folded.input), from.kernel,
          from.stride, from.padding);
      continue;
    }
    const std::vector<float> weights(layer.convolution.weights.begin(),
                                     layer.convolution.weights.end());
    prepared_[i].weights = torch::tensor(weights).view(
        {from.output.channels, from.input.channels, from.kernel, from.kernel});
  }
}

torch::Tensor Simulation::accumulate(std::size_t index, const torch::Tensor& stored) const {
  const QuantizedLayer& layer = network_.layers[index];
  const Layer& from = network_.network.layers[static_cast<std::size_t>(layer.folded.layer)];
  if (const auto& adder = prepared_[index].adder) {
    const torch::Tensor input = stored.contiguous();
    torch::Tensor accumulators = torch::empty(
        {input.size(0), adder->output_channels(), adder->output_height(), adder->output_width()});
    adder->run(input.size(0), input.data_ptr<float>(), accumulators.data_ptr<float>());
    return accumulators;
  }
  const ReadQuantizer& quantizer = layer.read_quantizers.front();
  const torch::Tensor operands =
      passes_through(quantizer, network_.tensor(layer.folded.input), layer.convolution)
          ? stored
          : read(stored, quantizer, layer.convolution);
  return torch::conv2d(operands, prepared_[index].weights, {}, from.stride, from.padding);
}

void Simulation::observe(std::size_t index, const torch::Tensor& accumulators) {
  QuantizedLayer& layer = network_.layers[index];
  const double count = static_cast<double>(accumulators.numel() / accumulators.size(1));
  const auto [mean, variance] = at::batch_norm_update_stats(accumulators, {}, {}, 0.1);
  const torch::Tensor means = mean.to(torch::kFloat64), variances = variance.to(torch::kFloat64);
  Statistics& sums = statistics_[index];
  for (std::size_t o = 0; o < layer.batch_norm.weight.size(); ++o) {
    const double step = layer.convolution.accumulator_step[o];
    const double batch_mean = step * means.data_ptr<double>()[o] + layer.convolution.offset[o];
    const double batch_variance = step * step * variances.data_ptr<double>()[o];
    layer.batch_norm.mean[o] = batch_mean;
    layer.batch_norm.variance[o] = batch_variance;
    sums.mean[o] += batch_mean;
    sums.variance[o] += batch_variance * count / std::max(1.0, count - 1);
  }
}

torch::Tensor Simulation::convolve(std::size_t index, const torch::Tensor& stored,
                                   const torch::Tensor& residual) {
  const QuantizedLayer& layer = network_.layers[index];
  torch::Tensor values = accumulate(index, stored);
  if (re_estimating_ && !layer.batch_norm.weight.empty()) observe(index, values);
  std::vector<float> gains, offsets;
  for (const AffineChannel& channel : affine_channels(layer)) {
    gains.push_back(static_cast<float>(channel.gain));
    offsets.push_back(static_cast<float>(channel.offset - channel.gain * channel.center));
  }
  values.mul_(row(gains)).add_(row(offsets));
  if (residual.defined()) {
    values.add_(residual, network_.tensor(layer.folded.residual).scale / layer.output.scale);
  }
  return values;
}

torch::Tensor Simulation::forward(const torch::Tensor& images) {
  torch::NoGradGuard no_gradient;
  if (re_estimating_) ++batches_;
  torch::Tensor image = images.contiguous() / network_.image.scale;
  round_and_clamp(image, network_.image.lowest(), network_.image.highest());
  std::vector<torch::Tensor> tensors(network_.layers.size());
  const auto tensor = [&](int index) {
    if (index == no_tensor) return torch::Tensor();
    return index == image_tensor ? image : tensors[static_cast<std::size_t>(index)];
  };
  // Each tensor is dropped after its last use.
  std::vector<int> last_use(network_.layers.size(), -1);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    for (const int from : {network_.layers[i].folded.input, network_.layers[i].folded.residual}) {
      if (from >= 0) last_use[static_cast<std::size_t>(from)] = static_cast<int>(i);
    }
  }
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const QuantizedLayer& layer = network_.layers[i];
    const Layer& from = network_.network.layers[static_cast<std::size_t>(layer.folded.layer)];
    const torch::Tensor input = tensor(layer.folded.input);
    const torch::Tensor residual = tensor(layer.folded.residual);
    const double gain = network_.tensor(layer.folded.input).scale / layer.output.scale;
    torch::Tensor output;
    switch (layer.folded.kind) {
      case IntegerLayerKind::convolution:
        output = convolve(i, input, residual);
        break;
      case IntegerLayerKind::add:
        output = input * gain +
                 residual * (network_.tensor(layer.folded.residual).scale / layer.output.scale);
        break;
      case IntegerLayerKind::average_pool:
        output = torch::avg_pool2d(input, from.kernel, from.stride) * gain;
        break;
      case IntegerLayerKind::max_pool:
        output = torch::max_pool2d(input, from.kernel, from.stride) * gain;
        break;
    }
    if (layer.folded.relu) output.clamp_min_(0);
    round_and_clamp(output, layer.output.lowest(), layer.output.highest());
    tensors[i] = output;
    for (const int used : {layer.folded.input, layer.folded.residual}) {
      if (used >= 0 && last_use[static_cast<std::size_t>(used)] == static_cast<int>(i)) {
        tensors[static_cast<std::size_t>(used)] = torch::Tensor();
      }
    }
  }
  return tensors.back().flatten(1) * network_.layers.back().output.scale;
}

void Simulation::begin_re_estimation() {
  re_estimating_ = true;
  batches_ = 0;
  statistics_.assign(network_.layers.size(), {});
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const std::size_t channels = network_.layers[i].batch_norm.weight.size();
    statistics_[i].mean.assign(channels, 0.0);
    statistics_[i].variance.assign(channels, 0.0);
  }
}

void Simulation::end_re_estimation() {
  re_estimating_ = false;
  if (batches_ == 0) throw std::logic_error("BatchNorm re-estimation without a batch");
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    BatchNormChannels& norm = network_.layers[i].batch_norm;
    for (std::size_t o = 0; o < norm.mean.size(); ++o) {
      norm.mean[o] = statistics_[i].mean[o] / batches_;
      norm.variance[o] = statistics_[i].variance[o] / batches_;
    }
  }
}

}  // namespace abacus
