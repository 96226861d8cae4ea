// What of the processor decides the bits of a training: into how many parts sums are cut, and the
// instruction set of the float kernels.
#pragma once

#include <string>

namespace abacus::train {

// Sums in float depend on the number of parts that they are cut into, so it is a constant, however
// many processors there are, and part of every recipe.
inline constexpr int default_threads = 2;

// One a processor where threads is 0.
int resolved_threads(int threads);

// Sets torch's, OpenMP's and so OpenBLAS's threads, and keeps freed memory in the process:
// activations are allocated anew for every batch, and fetching their pages from the kernel each
// time costs as much as the arithmetic. Call once, before the first tensor. Throws
// std::runtime_error where the system allows fewer threads.
void prepare_torch(int threads);

// For recipes, such as "threads=2 kernels=AVX512,AVX3_ZEN4": torch's float kernels, then ours.
std::string processor_text(int threads);

}  // namespace abacus::train
