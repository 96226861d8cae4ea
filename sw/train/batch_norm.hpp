// Batch normalization in training, together with the addition and the ReLU that follow it.
#pragma once

#include "sw/train/torch.hpp"

namespace abacus::train {

struct BatchNormParameters {
  torch::Tensor weight, bias;                    // learned, by channel
  torch::Tensor running_mean, running_variance;  // moved towards the batch's (unbiased variance)
  double momentum = 0.1;
  double epsilon = 1e-5;
};

// BatchNorm(input) with the batch's statistics, + residual if that is defined, then ReLU if asked
// for: as torch::batch_norm, an addition and torch::relu, but for rounding. All float32, N×C×H×W.
torch::Tensor batch_norm_in_training(const torch::Tensor& input,
                                     const BatchNormParameters& parameters,
                                     const torch::Tensor& residual, bool relu);

}  // namespace abacus::train
