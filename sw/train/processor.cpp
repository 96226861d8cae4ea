#include "sw/train/processor.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <malloc.h>
#include <omp.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "sw/kernels/instruction_set.hpp"

namespace abacus::train {
namespace {

// Torch tells it in the text of its configuration alone.
std::string torch_instruction_set() {
  const std::string config = at::show_config();
  const std::string label = "CPU capability usage: ";
  const std::size_t begin = config.find(label);
  if (begin == std::string::npos) return "unknown";
  const std::size_t end = config.find_first_of(", \n", begin + label.size());
  return config.substr(begin + label.size(), end - begin - label.size());
}

int threads_that_start() {
  int started = 0;
#pragma omp parallel
  {
#pragma omp single
    started = omp_get_num_threads();
  }
  return started;
}

}  // namespace

int resolved_threads(int threads) {
  return threads > 0 ? threads
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

void prepare_torch(int threads) {
  threads = resolved_threads(threads);
  omp_set_dynamic(0);
  at::set_num_threads(threads);
  omp_set_num_threads(threads);
  if (const int started = threads_that_start(); started != threads) {
    throw std::runtime_error("--threads: found " + std::to_string(threads) +
                             "; allowed here: at most " + std::to_string(started) +
                             " (OMP_THREAD_LIMIT or the system)");
  }
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

std::string processor_text(int threads) {
  return "threads=" + std::to_string(resolved_threads(threads)) +
         " kernels=" + torch_instruction_set() + "," + kernels::instruction_set();
}

}  // namespace abacus::train
