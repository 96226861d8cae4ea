// What stands in for the CUDA kernels where Abacus is built without them.
#include <stdexcept>

#include "sw/kernels/cuda/fake_quantization_cuda.hpp"

namespace abacus::kernels {
namespace {

[[noreturn]] void fail() {
  throw std::runtime_error("found a tensor on a GPU, but abacus-train was built without CUDA");
}

}  // namespace

void cuda_round_to_grid(const float*, float*, std::int64_t, const FakeGrid&) { fail(); }
void cuda_read_to_grid(const float*, float*, std::int64_t, const FakeReader&, const FakeGrid&) {
  fail();
}
void cuda_mask_gradient(const float*, const float*, float*, std::int64_t, const FakeGrid&) {
  fail();
}

}  // namespace abacus::kernels
