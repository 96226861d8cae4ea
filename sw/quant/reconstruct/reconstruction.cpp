#include "sw/quant/reconstruct/reconstruction.hpp"

#include <torch/optim/adam.h>

#include <cmath>
#include <numeric>
#include <stdexcept>

#include "sw/quant/reconstruct/reconstruction_data.hpp"
#include "sw/quant/reconstruct/reconstruction_layers.hpp"
#include "sw/quant/reconstruct/reconstruction_units.hpp"

namespace abacus::quant {
namespace {

// Passes the images through the unit in large batches, and takes their statistics.
void observe_statistics(TrainableUnit& unit, const ReconstructionData& data) {
  torch::NoGradGuard no_gradient;
  unit.set_normalization(NormalizationMode::observe);
  ShuffledBatches batches(data.count(), 256, 0);
  for (std::int64_t seen = 0; seen < data.count(); seen += 256) {
    unit.forward(data.stored(batches.next()));
  }
  unit.use_observed_statistics();
  unit.set_normalization(NormalizationMode::fixed);
}

using Loss = std::function<torch::Tensor(const torch::Tensor& output, const torch::Tensor& target)>;

// Kullback-Leibler divergence of the output's class probabilities from the target's, in nats.
torch::Tensor divergence(const torch::Tensor& output, const torch::Tensor& target) {
  const torch::Tensor wanted = torch::log_softmax(target.flatten(1), 1);
  return (wanted.exp() * (wanted - torch::log_softmax(output.flatten(1), 1))).sum(1).mean();
}

// Adam's, at the start; what has none does not learn.
struct Rates {
  double weight, norm, step;
};

void learn(TrainableUnit& unit, const ReconstructionData& data, double scale, const Loss& loss_of,
           std::int64_t iterations, const Rates& rates, const ReconstructionOptions& options,
           const std::function<void(std::int64_t)>& done) {
  std::vector<torch::Tensor> weights, norms, steps;
  for (TrainableConvolution* convolution : unit.convolutions(true)) {
    if (!convolution->norm_weight.defined()) continue;
    norms.push_back(convolution->norm_weight);
    norms.push_back(convolution->norm_bias);
  }
  const std::vector<TrainableConvolution*> inner = unit.convolutions(false);
  for (TrainableConvolution* convolution : inner) {
    weights.push_back(convolution->weights);
    steps.push_back(convolution->step_ratio);
  }
  struct Group {
    torch::optim::Adam optimizer;
    double rate;
  };
  std::vector<Group> groups;
  const auto add = [&](const std::vector<torch::Tensor>& parameters, double rate) {
    for (torch::Tensor parameter : parameters) parameter.set_requires_grad(rate > 0);
    if (parameters.empty() || rate <= 0) return;
    groups.push_back({torch::optim::Adam(parameters, torch::optim::AdamOptions(rate)), rate});
  };
  add(weights, rates.weight);
  add(norms, rates.norm);
  add(steps, rates.step);
  unit.set_learn_steps(rates.step > 0);
  unit.set_normalization(NormalizationMode::batch);
  ShuffledBatches batches(data.count(), options.batch, options.seed);
  constexpr double pi = 3.14159265358979323846;
  for (std::int64_t i = 0; i < iterations; ++i) {
    const double factor =
        0.5 * (1 + std::cos(pi * static_cast<double>(i) / static_cast<double>(iterations)));
    const torch::Tensor indices = batches.next();
    const torch::Tensor loss =
        loss_of(unit.forward(data.stored(indices)) * scale, data.target(indices));
    for (Group& group : groups) {
      static_cast<torch::optim::AdamOptions&>(group.optimizer.param_groups()[0].options())
          .lr(group.rate * factor);
      group.optimizer.zero_grad();
    }
    loss.backward();
    for (Group& group : groups) group.optimizer.step();
    {
      torch::NoGradGuard no_gradient;
      for (TrainableConvolution* convolution : inner) {
        convolution->weights.clamp_(convolution->lowest_weight, convolution->highest_weight);
      }
    }
    done(i + 1);
  }
}

}  // namespace

std::vector<UnitError> reconstruct(QuantizedNetwork& network, train::FloatNetwork& float_network,
                                   const CalibrationData& data,
                                   const ReconstructionOptions& options,
                                   const ReconstructionProgress& progress) {
  check(options);
  const std::vector<ReconstructionUnit> units = reconstruction_units(network.folded());
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (network.source(i).computes(network::Arithmetic::bnn)) {
      throw std::invalid_argument("layer \"" + network.layers[i].folded.name +
                                  "\": block reconstruction has no gradients for its arithmetic, " +
                                  network::to_string(network::Arithmetic::bnn));
    }
  }
  ReconstructionData images(network, float_network, data, options.images);
  std::vector<UnitError> errors;
  const std::int64_t of_units = static_cast<std::int64_t>(units.size()) * options.iterations;
  const std::int64_t total = of_units + options.network_iterations;
  for (std::size_t u = 0; u < units.size(); ++u) {
    TrainableUnit unit(network, units[u], float_network);
    const QuantizedLayer& last = network.layers[units[u].last];
    UnitError error;
    error.unit = last.folded.name;
    images.advance_target(units[u]);
    unit.set_normalization(NormalizationMode::fixed);
    if (!unit.convolutions(false).empty()) {
      observe_statistics(unit, images);
      error.before = mean_squared_error(unit, images, last.output.scale);
      learn(
          unit, images, last.output.scale,
          [](const torch::Tensor& a, const torch::Tensor& b) { return torch::mse_loss(a, b); },
          options.iterations, {options.weight_rate, options.norm_rate, options.step_rate}, options,
          [&](std::int64_t done) {
            if (progress) {
              progress(static_cast<std::int64_t>(u) * options.iterations + done, total);
            }
          });
      unit.store();
      unit.set_learn_steps(false);
      observe_statistics(unit, images);
      error.after = mean_squared_error(unit, images, last.output.scale);
      errors.push_back(error);
    } else if (!unit.convolutions(true).empty()) {
      observe_statistics(unit, images);
    }
    images.advance_stored(unit);
    if (progress) progress(static_cast<std::int64_t>(u + 1) * options.iterations, total);
  }
  if (options.network_iterations > 0) {
    const ReconstructionUnit all{0, network.layers.size() - 1};
    ReconstructionData whole(network, float_network, data, options.images);
    whole.advance_target(all);
    TrainableUnit unit(network, all, float_network);
    learn(unit, whole, network.layers.back().output.scale, divergence, options.network_iterations,
          {0, options.network_norm_rate, 0}, options, [&](std::int64_t done) {
            if (progress) progress(of_units + done, total);
          });
    unit.store();
    observe_statistics(unit, whole);
  }
  return errors;
}

}  // namespace abacus::quant
