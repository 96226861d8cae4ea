#include "sw/quant/schemes/adder_options.hpp"

#include <stdexcept>

#include "sw/quant/options/reconstruction_options.hpp"

namespace abacus::quant {
namespace {

bool reconstructs(const CompletedValues& options) {
  return options.reconstruction != Reconstruction::none;
}
bool reconstructs_blocks(const CompletedValues& options) {
  return options.reconstruction == Reconstruction::block;
}
bool reconstructs_network(const CompletedValues& options) {
  return options.reconstruction == Reconstruction::network;
}

// Different defaults for blocks and for the network.
Usual<QuantizationValues, std::int64_t> by_reconstruction(std::int64_t block,
                                                          std::int64_t network) {
  return {[block, network](const CompletedValues& options) {
            return reconstructs_network(options) ? network : block;
          },
          "block " + option_text(block) + ", network " + option_text(network)};
}

}  // namespace

TakenOptions group_options(int groups) {
  // The more levels, the less there is to gain by giving up the largest activations. Chosen on
  // training images held out from calibration (docs/quantization.md); the paper has 0.999 for all.
  const auto usual_alpha = by_activation_bits<double>(
      option::alpha, {{2, 0.99}, {3, 0.995}, {4, 0.998}, {5, 0.9995}}, 0.9999);
  return {takes(option::groups, groups), takes(option::group_method, GroupMethod::max),
          takes(option::activation_clamp, true),
          takes(option::activation_range, ActivationRange::percentile),
          takes(option::alpha, usual_alpha)};
}

TakenOptions adjustment_options(RangeSearch range_search,
                                Usual<QuantizationValues, Reconstruction> reconstruction) {
  const ReconstructionOptions block;
  const NetworkReconstructionOptions network;
  const std::string any = "--reconstruction block, network";
  return {takes(option::range_search, range_search),
          takes(option::weight_rounding, WeightRounding::nearest),
          takes(option::reconstruction, std::move(reconstruction)),
          takes(option::reconstruction_images, by_reconstruction(block.images, network.images))
              .when(reconstructs, any),
          takes(option::iterations, by_reconstruction(block.iterations, network.iterations))
              .when(reconstructs, any),
          takes(option::temperature, network.temperature)
              .when(reconstructs_network, "--reconstruction network"),
          takes(option::network_iterations, block.network_iterations)
              .when(reconstructs_blocks, "--reconstruction block")};
}

void check_adjustment(const CompletedOptions& options) {
  if (reconstructs_blocks(options)) check(reconstruction_options(options));
  if (!reconstructs_network(options)) return;
  check(network_reconstruction_options(options));
  if (options.batch_norm != BatchNormEstimation::estimated &&
      options.batch_norm != BatchNormEstimation::corrected) {
    throw std::invalid_argument("--bn is " + option::batch_norm.text(options) +
                                "; allowed with --reconstruction network: estimated, corrected");
  }
  // The weights that it learns are rounded to the nearest level at the end.
  if (options.weight_rounding == WeightRounding::output_error) {
    throw std::invalid_argument("--weight-rounding is " + option::weight_rounding.text(options) +
                                "; allowed with --reconstruction network: nearest");
  }
}

}  // namespace abacus::quant
