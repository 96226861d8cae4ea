#include "sw/quant/simulate/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sw/quant/fake/quantizer_functions.hpp"
#include "sw/quant/plan/adapter_arithmetic.hpp"
#include "sw/quant/plan/scale_arithmetic.hpp"
#include "sw/quant/plan/unrounded_output.hpp"
#include "sw/quant/simulate/exact_sum.hpp"
#include "sw/support/overloaded.hpp"

namespace abacus::quant {
namespace {

torch::Tensor row(const std::vector<float>& values) {
  return torch::tensor(values).view({1, -1, 1, 1});
}

// Half rounds up, as round_shift does.
torch::Tensor& round_and_clamp(torch::Tensor& values, int lowest, int highest) {
  return values.add_(0.5).floor_().clamp_(lowest, highest);
}

// In double precision the product of a 16-bit multiplier and a 16-bit integer is exact.
// `ratio`: one, or one an image.
torch::Tensor read(const torch::Tensor& stored, const torch::Tensor& ratio,
                   const QuantizedConvolution& convolution) {
  if (convolution.activation_bits == 1 && !convolution.element)
    return torch::where(stored < 0, -1.0F, 1.0F);
  torch::Tensor operands = stored.to(torch::kFloat64) * ratio;
  round_and_clamp(operands,
                  lowest_integer(convolution.activation_bits, convolution.activation_signed),
                  highest_integer(convolution.activation_bits, convolution.activation_signed));
  return operands.to(torch::kFloat32);
}

torch::Tensor ratio_tensor(const network::ReadQuantizer& quantizer) {
  return torch::tensor(ratio(quantizer), torch::kFloat64);
}

// One value an image.
torch::Tensor image_column(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64).view({-1, 1, 1, 1});
}

bool passes_through(const network::ReadQuantizer& quantizer, const network::StoredTensor& stored,
                    const QuantizedConvolution& convolution) {
  return convolution.activation_bits > 1 && quantizer.multiplier == 1 && quantizer.shift == 0 &&
         stored.lowest() >=
             lowest_integer(convolution.activation_bits, convolution.activation_signed) &&
         stored.highest() <=
             highest_integer(convolution.activation_bits, convolution.activation_signed);
}

}  // namespace

Simulation::Simulation(QuantizedNetwork& network, ScaleArithmetic scales)
    : network_(network), prepared_(network.layers.size()) {
  if (scales == ScaleArithmetic::fixed_point) integer_ = to_integer_network(network);
  for (std::size_t i = 0; i < network.layers.size(); ++i) prepare(i);
}

void Simulation::prepare(std::size_t index) {
  const QuantizedLayer& layer = network_.layers[index];
  const network::Layer& source = network_.source(index);
  if (!source.is<network::Convolution>()) return;
  const network::Convolution& from = source.convolution();
  if (layer.convolution.element) {
    prepared_[index].table = std::make_unique<TableAccumulation>(
        layer.convolution, layer.read_quantizers, network_.tensor(layer.folded.input), from.kernel,
        from.stride, from.padding);
    return;
  }
  if (from.arithmetic == network::Arithmetic::adder) {
    prepared_[index].adder = std::make_unique<AdderAccumulation>(
        layer.convolution, layer.read_quantizers, network_.tensor(layer.folded.input), from.kernel,
        from.stride, from.padding);
    return;
  }
  const std::vector<float> weights(layer.convolution.weights.begin(),
                                   layer.convolution.weights.end());
  prepared_[index].weights = torch::tensor(weights).view(
      {source.output.channels, source.input.channels, from.kernel, from.kernel});
  if (layer.convolution.adapter.channels > 0) {
    prepared_[index].adapter =
        integer_adapter(layer.convolution.adapter, network_.tensor(layer.folded.input));
  }
  torch::Tensor& prepared = prepared_[index].weights;
  if (layer.convolution.code.exponents) {
    prepared_[index].exponents =
        std::make_unique<ExponentAccumulation>(layer.convolution, prepared);
  } else if (from.arithmetic != network::Arithmetic::bnn) {
    const QuantizedConvolution& of = layer.convolution;
    const int operand = std::max(-lowest_integer(of.activation_bits, of.activation_signed),
                                 highest_integer(of.activation_bits, of.activation_signed));
    prepared = prepared.to(exact_sum_type(prepared.flatten(1).to(torch::kFloat64).abs() * operand));
  }
}

torch::Tensor Simulation::accumulate(std::size_t index, const torch::Tensor& input) const {
  const QuantizedLayer& layer = network_.layers[index];
  const network::Convolution& from = network_.source(index).convolution();
  if (const auto& table = prepared_[index].table) {
    const torch::Tensor stored = input.contiguous();
    torch::Tensor accumulators = torch::empty(
        {stored.size(0), table->output_channels(), table->output_height(), table->output_width()},
        torch::kFloat64);
    table->run(stored.size(0), stored.data_ptr<float>(), accumulators.data_ptr<double>());
    return table->fits_float() ? accumulators.to(torch::kFloat32) : accumulators;
  }
  if (const auto& adder = prepared_[index].adder) {
    const torch::Tensor stored = input.contiguous();
    torch::Tensor accumulators = torch::empty(
        {stored.size(0), adder->output_channels(), adder->output_height(), adder->output_width()});
    adder->run(stored.size(0), stored.data_ptr<float>(), accumulators.data_ptr<float>());
    return accumulators;
  }
  const network::ReadQuantizer& quantizer = layer.read_quantizers.front();
  torch::Tensor operands = input;
  if (prepared_[index].adapter.has_value()) {
    std::vector<double> ratios;
    for (const int factor : step_factors_of(index, input)) {
      ratios.push_back(ratio(adapted(quantizer, factor)));
    }
    operands = read(input, image_column(ratios), layer.convolution);
  } else if (!passes_through(quantizer, network_.tensor(layer.folded.input), layer.convolution)) {
    operands = read(input, ratio_tensor(quantizer), layer.convolution);
  }
  if (const auto& exponents = prepared_[index].exponents) {
    return exponents->run(operands, from.stride, from.padding);
  }
  if (from.arithmetic == network::Arithmetic::bnn) {
    const std::int64_t p = from.padding;  // −1 all around: there is no zero
    return torch::conv2d(torch::constant_pad_nd(operands, {p, p, p, p}, -1),
                         prepared_[index].weights, {}, from.stride);
  }
  const torch::Tensor& weights = prepared_[index].weights;
  return torch::conv2d(operands.to(weights.scalar_type()), weights, {}, from.stride, from.padding);
}

torch::Tensor Simulation::operands(std::size_t index, std::size_t group,
                                   const torch::Tensor& input) const {
  const QuantizedLayer& layer = network_.layers[index];
  return read(input, ratio_tensor(layer.read_quantizers.at(group)), layer.convolution) *
         (1 << layer.convolution.activation_shift);
}

std::vector<int> Simulation::step_factors_of(std::size_t index, const torch::Tensor& input) const {
  const std::optional<network::AdapterNetwork>& adapter = prepared_[index].adapter;
  return adapter.has_value() ? integer_step_factors(*adapter, channel_sums(input, 1))
                             : std::vector<int>();
}

torch::Tensor Simulation::scale(std::size_t index, const torch::Tensor& input,
                                const torch::Tensor& residual) const {
  const network::IntegerLayer& layer = integer_->layers[index];
  const torch::Tensor accumulators = accumulate(index, input);
  const std::vector<int> factors = step_factors_of(index, input);
  if (factors.empty()) return scale_convolution(layer, accumulators, residual);
  network::IntegerLayer image = layer;
  image.weights.clear();
  std::vector<torch::Tensor> outputs;
  for (std::size_t n = 0; n < factors.size(); ++n) {
    for (std::size_t o = 0; o < image.multipliers.size(); ++o) {
      image.multipliers[o] = adapted(layer.multipliers[o], factors[n]);
    }
    const auto part = [&](const torch::Tensor& of) {
      return of.defined() ? of.narrow(0, static_cast<std::int64_t>(n), 1) : of;
    };
    outputs.push_back(scale_convolution(image, part(accumulators), part(residual)));
  }
  return torch::cat(outputs);
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

torch::Tensor Simulation::convolve(std::size_t index, const torch::Tensor& input,
                                   const torch::Tensor& residual) {
  const QuantizedLayer& layer = network_.layers[index];
  torch::Tensor values = accumulate(index, input).to(torch::kFloat32);
  const std::vector<int> factors = step_factors_of(index, input);
  if (!factors.empty()) {
    std::vector<double> steps;
    for (const int factor : factors)
      steps.push_back(std::ldexp(factor, -network::step_factor_bits));
    values.mul_(image_column(steps).to(torch::kFloat32));
  }
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

torch::Tensor Simulation::store_image(const torch::Tensor& images) const {
  // In double precision, as quantize_pixel() does it: each of the 256 pixel values must become the
  // input table's integer.
  torch::Tensor image = images.contiguous().to(torch::kFloat64) / network_.image.scale;
  round_and_clamp(image, network_.image.lowest(), network_.image.highest());
  return image.to(torch::kFloat32);
}

torch::Tensor Simulation::run_on_integers(std::size_t index, const torch::Tensor& input,
                                          const torch::Tensor& residual) const {
  const network::IntegerLayer& scales = integer_->layers[index];
  return std::visit(
      support::Overloaded{
          [&](const network::Convolution&) { return scale(index, input, residual); },
          [&](const network::Add&) { return scale_addition(scales, input, residual); },
          [&](const network::AveragePool& of) {
            return scale_pool(scales, torch::avg_pool2d(input, of.kernel, of.stride, 0,
                                                        /*ceil_mode=*/false,
                                                        /*count_include_pad=*/true,
                                                        /*divisor_override=*/1));
          },
          [&](const network::MaxPool& of) {
            return scale_pool(scales, torch::max_pool2d(input, of.kernel, of.stride));
          },
          [](const network::BatchNorm&) -> torch::Tensor { network::throw_folded_away(); },
          [](const network::Relu&) -> torch::Tensor { network::throw_folded_away(); }},
      network_.source(index).kind);
}

torch::Tensor Simulation::run_layer(std::size_t index, const torch::Tensor& input,
                                    const torch::Tensor& residual) {
  torch::NoGradGuard no_gradient;
  if (integer_.has_value()) return run_on_integers(index, input, residual);
  const QuantizedLayer& layer = network_.layers[index];
  torch::Tensor output = unrounded_output(network_, index, input, residual,
                                          [&] { return convolve(index, input, residual); });
  if (layer.folded.relu) output.clamp_min_(0);
  return round_and_clamp(output, layer.output.lowest(), layer.output.highest());
}

torch::Tensor Simulation::forward(const torch::Tensor& images) {
  torch::NoGradGuard no_gradient;
  if (re_estimating_) ++batches_;
  network::GraphWalk<torch::Tensor> walk(network::reads_of(network_.folded()), store_image(images));
  while (!walk.done()) {
    const std::vector<torch::Tensor> inputs = walk.inputs();
    walk.advance(run_layer(static_cast<std::size_t>(walk.layer()), inputs[0],
                           inputs.size() > 1 ? inputs[1] : torch::Tensor()));
  }
  const int last = static_cast<int>(network_.layers.size()) - 1;
  return walk.tensor(last).flatten(1) * network_.layers.back().output.scale;
}

void Simulation::begin_re_estimation() {
  if (integer_.has_value()) {
    throw std::logic_error("BatchNorm re-estimation needs real scales, not fixed-point ones");
  }
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

}  // namespace abacus::quant
