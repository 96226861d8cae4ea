// Where a training computes.
#pragma once

#include <string>
#include <vector>

#include "sw/train/modules.hpp"
#include "sw/train/torch.hpp"

namespace abacus::train {

// "cpu", "cuda".
const std::vector<std::string>& device_names();

// The device of that name, made ready: on a GPU results are the same from run to run, and products
// are rounded as float32's. Throws std::invalid_argument naming the text and what is allowed here:
// "cuda" needs a GPU, a libtorch for it, and our kernels (CMake's ABACUS_CUDA).
torch::Device device_from_string(const std::string& text);

// Throws std::invalid_argument for a precision that trainings on the device do not have.
void check_device(torch::Device device, Precision precision);

}  // namespace abacus::train
