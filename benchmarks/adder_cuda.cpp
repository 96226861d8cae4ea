// Adder layers of ResNet-20 on a GPU, 128 images: taps a second of the forward pass and of both
// gradients.
#include "sw/kernels/cuda/adder_cuda.hpp"

#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <stdexcept>
#include <vector>

namespace {

using abacus::kernels::AdderShape;

void require(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

class DeviceFloats {
 public:
  explicit DeviceFloats(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    unsigned state = 1;
    for (float& value : values) {
      state = state * 1664525U + 1013904223U;
      value = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1;
    }
    require(cudaMalloc(&data_, values.size() * sizeof(float)));
    require(
        cudaMemcpy(data_, values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice));
  }
  ~DeviceFloats() { cudaFree(data_); }
  DeviceFloats(const DeviceFloats&) = delete;
  DeviceFloats& operator=(const DeviceFloats&) = delete;
  float* data() { return data_; }

 private:
  float* data_ = nullptr;
};

enum Pass { forward, input_gradient, weight_gradient, sign_gradient };

void adder_layer(benchmark::State& state) {
  const int channels = static_cast<int>(state.range(0)), side = 512 / channels;
  const auto pass = static_cast<Pass>(state.range(1));
  const AdderShape shape{128, channels, side, side, channels, 3, 1, 1};
  const std::int64_t values = shape.batch * channels * side * side;
  DeviceFloats x(values), y(values), w(channels * channels * 9), dw(channels * channels * 9);
  DeviceFloats scratch(abacus::kernels::cuda_adder_scratch(shape));
  const abacus::kernels::CudaAdderOperands operands{x.data(), w.data(),
                                                    pass == sign_gradient ? 0.01F : 0};
  const auto run = [&] {
    switch (pass) {
      case forward:
        abacus::kernels::cuda_adder_forward(shape, operands, y.data());
        break;
      case input_gradient:
        abacus::kernels::cuda_adder_input_gradient(shape, operands, 1, y.data(), x.data());
        break;
      case weight_gradient:
        abacus::kernels::cuda_adder_weight_gradient(shape, operands,
                                                    abacus::kernels::CudaWeightGradient::difference,
                                                    y.data(), scratch.data(), dw.data());
        break;
      case sign_gradient:
        abacus::kernels::cuda_adder_weight_gradient(shape, operands,
                                                    abacus::kernels::CudaWeightGradient::sign,
                                                    y.data(), scratch.data(), dw.data());
        break;
    }
  };
  constexpr int repeats = 20;
  cudaEvent_t start, end;
  require(cudaEventCreate(&start));
  require(cudaEventCreate(&end));
  run();
  for (auto _ : state) {
    require(cudaEventRecord(start));
    for (int i = 0; i < repeats; ++i) run();
    require(cudaEventRecord(end));
    require(cudaEventSynchronize(end));
    float milliseconds = 0;
    require(cudaEventElapsedTime(&milliseconds, start, end));
    state.SetIterationTime(static_cast<double>(milliseconds) / 1000 / repeats);
  }
  state.counters["taps"] = benchmark::Counter(static_cast<double>(shape.taps()),
                                              benchmark::Counter::kIsIterationInvariantRate);
  cudaEventDestroy(start);
  cudaEventDestroy(end);
}

}  // namespace

BENCHMARK(adder_layer)
    ->ArgNames({"channels", "pass"})
    ->ArgsProduct({{16, 32, 64}, {forward, input_gradient, weight_gradient, sign_gradient}})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
