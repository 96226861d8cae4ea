#include "sw/train/device.hpp"

#include <ATen/Context.h>

#include <stdexcept>

#include "sw/kernels/cuda/adder_cuda.hpp"

namespace abacus::train {

const std::vector<std::string>& device_names() {
  static const std::vector<std::string> names = {"cpu", "cuda"};
  return names;
}

torch::Device device_from_string(const std::string& text) {
  if (text == "cpu") return torch::kCPU;
  if (text != "cuda") {
    throw std::invalid_argument("unknown device \"" + text + "\"; allowed: cpu, cuda");
  }
  if (!kernels::built_with_cuda()) {
    throw std::invalid_argument(
        "device: found cuda, but abacus-train was built without it (CMake option ABACUS_CUDA); "
        "allowed: cpu");
  }
  if (!at::globalContext().hasCUDA()) {
    throw std::invalid_argument("device: found cuda, but libtorch sees no GPU; allowed: cpu");
  }
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  return torch::kCUDA;
}

void check_device(torch::Device device, Precision precision) {
  if (device.is_cpu() || precision == Precision::float32) return;
  throw std::invalid_argument("precision: found " + to_string(precision) +
                              " with device cuda; allowed there: float32");
}

}  // namespace abacus::train
