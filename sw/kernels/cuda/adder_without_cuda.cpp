// What stands in for the CUDA kernels where Abacus is built without them.
#include <stdexcept>

#include "sw/kernels/cuda/adder_cuda.hpp"

namespace abacus::kernels {
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

}  // namespace abacus::kernels
