#include "sw/quant/reconstruct/brecq.hpp"

#include <torch/optim/adam.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/network/graph_folding.hpp"
#include "sw/quant/reconstruct/adaround.hpp"
#include "sw/quant/reconstruct/reconstruction_data.hpp"
#include "sw/quant/reconstruct/reconstruction_layers.hpp"
#include "sw/quant/reconstruct/reconstruction_units.hpp"

namespace abacus::quant {
namespace {

constexpr double rounding_rate = 1e-3;  // Adam's, as torch's default
constexpr double step_rate = 4e-4;      // of an operand step in real units; half a cosine to 0
constexpr double regularizer_weight = 0.01;
// A step moves by at most this share of itself in an iteration, and stays within this factor of its
// start: Adam's first iterations go their full rate whatever the gradient.
constexpr double largest_step_rate = 0.01;
constexpr double largest_step_factor = 4;
constexpr double paper_iterations = 20000;
constexpr double paper_activation_iterations = 5000;

// Fewer iterations than the paper's take larger steps, up to ten times.
double shortened(double rate, double of_paper, std::int64_t iterations) {
  return rate * std::clamp(of_paper / static_cast<double>(std::max<std::int64_t>(1, iterations)),
                           1.0, 10.0);
}

void set_rate(torch::optim::Adam& optimizer, double rate) {
  static_cast<torch::optim::AdamOptions&>(optimizer.param_groups()[0].options()).lr(rate);
}

// BRECQ's loss: squared error, summed over the channels, mean over all else.
torch::Tensor reconstruction_loss(const torch::Tensor& output, const torch::Tensor& target) {
  return (output - target).square().sum(1).mean();
}

class Brecq {
 public:
  Brecq(QuantizedNetwork& network, train::FloatNetwork& float_network, const CalibrationData& data,
        const BrecqOptions& options, const ReconstructionProgress& progress)
      : network_(network),
        float_network_(float_network),
        data_(data),
        options_(options),
        progress_(progress) {
    units_ = reconstruction_units(network.folded());
    total_ = static_cast<std::int64_t>(units_.size()) *
             (options.iterations + options.activation_iterations);
  }

  std::vector<UnitError> run() {
    pass(0, [&](TrainableUnit& unit, const ReconstructionData& images, std::size_t u) {
      errors_.push_back({network_.layers[units_[u].last].folded.name,
                         mean_squared_error(unit, images, scale(u)), 0});
    });
    pass(options_.iterations, [&](TrainableUnit& unit, const ReconstructionData& images,
                                  std::size_t u) { learn_rounding(unit, images, u); });
    pass(options_.activation_iterations, [&](TrainableUnit& unit, const ReconstructionData& images,
                                             std::size_t u) { learn_steps(unit, images, u); });
    return std::move(errors_);
  }

 private:
  using Learn = std::function<void(TrainableUnit&, const ReconstructionData&, std::size_t)>;

  // Unit after unit, each on what the network makes of the images with the units before it done.
  void pass(std::int64_t iterations, const Learn& learn) {
    ReconstructionData images(network_, float_network_, data_, options_.images);
    for (std::size_t u = 0; u < units_.size(); ++u) {
      TrainableUnit unit(network_, units_[u], float_network_);
      unit.set_normalization(NormalizationMode::fixed);
      images.advance_target(units_[u]);
      const std::int64_t before = done_;
      learn(unit, images, u);
      images.advance_stored(unit);
      done_ = before + iterations;
      if (progress_) progress_(done_, total_);
    }
  }

  double scale(std::size_t u) const { return network_.layers[units_[u].last].output.scale; }

  void iterate(TrainableUnit& unit, const ReconstructionData& images, std::size_t u,
               std::int64_t iterations, const std::function<torch::Tensor(std::int64_t)>& penalty,
               const std::function<void(std::int64_t)>& set_rates,
               std::vector<std::unique_ptr<torch::optim::Adam>>& optimizers) {
    ShuffledBatches batches(images.count(), options_.batch, options_.seed);
    for (std::int64_t i = 0; i < iterations; ++i) {
      set_rates(i);
      const torch::Tensor indices = batches.next();
      torch::Tensor loss = reconstruction_loss(unit.forward(images.stored(indices)) * scale(u),
                                               images.target(indices));
      const torch::Tensor added = penalty(i);
      if (added.defined()) loss = loss + added;
      for (const auto& optimizer : optimizers) optimizer->zero_grad();
      loss.backward();
      for (const auto& optimizer : optimizers) optimizer->step();
      ++done_;
      if (progress_) progress_(done_, total_);
    }
  }

  void learn_rounding(TrainableUnit& unit, const ReconstructionData& images, std::size_t u) {
    const std::vector<TrainableConvolution*> convolutions = unit.convolutions(true);
    // Activations are not quantized below their storage's width yet.
    unit.set_operand_rounding(false);
    if (!convolutions.empty()) {
      std::vector<AdaptiveRounding> roundings;
      std::vector<torch::Tensor> parameters;
      for (const TrainableConvolution* convolution : convolutions) {
        roundings.emplace_back(convolution->weights, convolution->lowest_weight,
                               convolution->highest_weight);
        parameters.push_back(roundings.back().parameter());
      }
      for (std::size_t c = 0; c < convolutions.size(); ++c) {
        convolutions[c]->rounded_weights = [&roundings, c] { return roundings[c].soft(); };
      }
      std::vector<std::unique_ptr<torch::optim::Adam>> optimizers;
      optimizers.push_back(std::make_unique<torch::optim::Adam>(
          parameters, torch::optim::AdamOptions(
                          shortened(rounding_rate, paper_iterations, options_.iterations))));
      const auto penalty = [&](std::int64_t i) {
        torch::Tensor sum;
        if (!rounding_regularized(i, options_.iterations)) return sum;
        const double beta = rounding_beta(i, options_.iterations);
        for (const AdaptiveRounding& rounding : roundings) {
          const torch::Tensor term = rounding_regularizer(rounding.h(), beta) * regularizer_weight;
          sum = sum.defined() ? sum + term : term;
        }
        return sum;
      };
      iterate(
          unit, images, u, options_.iterations, penalty, [](std::int64_t) {}, optimizers);
      for (std::size_t c = 0; c < convolutions.size(); ++c) {
        convolutions[c]->rounded_weights = [&roundings, c] { return roundings[c].hard(); };
      }
      unit.store();
      // The roundings end here; what the unit computes from now on is what it has learned.
      for (std::size_t c = 0; c < convolutions.size(); ++c) {
        convolutions[c]->rounded_weights = [hard = roundings[c].hard()] { return hard; };
      }
    }
  }

  // Of the operands that are narrower than their stored tensor.
  void learn_steps(TrainableUnit& unit, const ReconstructionData& images, std::size_t u) {
    std::vector<std::unique_ptr<torch::optim::Adam>> optimizers;
    std::vector<double> rates;
    std::vector<torch::Tensor> ratios;  // of each step to its start
    for (std::size_t i = units_[u].first; i <= units_[u].last; ++i) {
      TrainableConvolution* const trainable = unit.convolution(i);
      if (trainable == nullptr) continue;
      const QuantizedConvolution& convolution = network_.layers[i].convolution;
      const torch::Tensor levels =
          torch::tensor(std::vector<float>(convolution.weights.begin(), convolution.weights.end()))
              .view(trainable->weights.sizes());
      trainable->rounded_weights = [levels] { return levels; };
      if (convolution.activation_bits >= network_.tensor(network_.layers[i].folded.input).bits) {
        trainable->step_ratio.set_requires_grad(false);
        continue;
      }
      // The ratio moves as the step itself would at that rate.
      rates.push_back(std::min(largest_step_rate, shortened(step_rate, paper_activation_iterations,
                                                            options_.activation_iterations) /
                                                      convolution.activation_step.front()));
      ratios.push_back(trainable->step_ratio);
      optimizers.push_back(
          std::make_unique<torch::optim::Adam>(std::vector<torch::Tensor>{trainable->step_ratio},
                                               torch::optim::AdamOptions(rates.back())));
    }
    if (!optimizers.empty() && options_.activation_iterations > 0) {
      unit.set_learn_steps(true);
      constexpr double pi = 3.14159265358979323846;
      const auto keep_near_start = [&ratios] {
        torch::NoGradGuard no_gradient;
        for (torch::Tensor& ratio : ratios) {
          ratio.clamp_(1 / largest_step_factor, largest_step_factor);
        }
      };
      const auto set_rates = [&](std::int64_t i) {
        keep_near_start();
        const double factor =
            0.5 * (1 + std::cos(pi * static_cast<double>(i) /
                                static_cast<double>(options_.activation_iterations)));
        for (std::size_t o = 0; o < optimizers.size(); ++o) {
          set_rate(*optimizers[o], rates[o] * factor);
        }
      };
      iterate(
          unit, images, u, options_.activation_iterations,
          [](std::int64_t) { return torch::Tensor(); }, set_rates, optimizers);
      keep_near_start();
      unit.store();
      unit.set_learn_steps(false);
    }
    errors_[u].after = mean_squared_error(unit, images, scale(u));
  }

  QuantizedNetwork& network_;
  train::FloatNetwork& float_network_;
  const CalibrationData& data_;
  const BrecqOptions& options_;
  const ReconstructionProgress& progress_;
  std::vector<ReconstructionUnit> units_;
  std::vector<UnitError> errors_;
  std::int64_t done_ = 0, total_ = 0;
};

}  // namespace

void set_brecq_weight_steps(QuantizationPlan& plan, const network::Checkpoint& checkpoint) {
  const std::vector<network::FoldedLayer> folded = network::fold_graph(checkpoint.network);
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const network::Layer& layer =
        checkpoint.network.layers[static_cast<std::size_t>(folded[i].layer)];
    if (!layer.computes(network::Arithmetic::cnn)) continue;
    ConvolutionPlan& convolution = plan.convolutions.at(i);
    convolution.weight_step =
        weight_steps_of_least_error(checkpoint.tensors.at(layer.name + ".weight").values<float>(),
                                    layer.output.channels, convolution.weight_bits);
  }
}

std::vector<UnitError> brecq(QuantizedNetwork& network, train::FloatNetwork& float_network,
                             const CalibrationData& data, const BrecqOptions& options,
                             const ReconstructionProgress& progress) {
  check(options);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const network::Convolution* const from = network.source(i).if_convolution();
    if (from == nullptr || from->arithmetic == network::Arithmetic::cnn) continue;
    throw std::invalid_argument("layer \"" + network.layers[i].folded.name +
                                "\": BRECQ is for ordinary convolutions, and its arithmetic is " +
                                network::to_string(from->arithmetic));
  }
  return Brecq(network, float_network, data, options, progress).run();
}

}  // namespace abacus::quant
