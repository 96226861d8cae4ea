// What stands in for the CUDA kernels where Abacus is built without them.
#include <stdexcept>

#include "sw/train/cuda/adder_cuda.hpp"
#include "sw/train/cuda/fake_quantization_cuda.hpp"

namespace abacus {
namespace {

[[noreturn]] void fail() {
  throw std::runtime_error("found a tensor on a GPU, but abacus-train was built without CUDA");
}

}  // namespace

bool built_with_cuda() { return false; }

void cuda_adder_forward(const AdderShape&, const CudaAdderOperands&, float*) { fail(); }
void cuda_adder_input_gradient(const AdderShape&, const CudaAdderOperands&, float, const float*,
                               float*) {
  fail();
}
std::int64_t cuda_adder_scratch(const AdderShape&) { fail(); }
void cuda_adder_weight_gradient(const AdderShape&, const CudaAdderOperands&, CudaWeightGradient,
                                const float*, float*, float*) {
  fail();
}

void cuda_round_to_grid(const float*, float*, std::int64_t, const CudaGrid&) { fail(); }
void cuda_read_to_grid(const float*, float*, std::int64_t, float, float, const CudaGrid&) {
  fail();
}
void cuda_mask_gradient(const float*, const float*, float*, std::int64_t, const CudaGrid&) {
  fail();
}

}  // namespace abacus
