// Training speed: one step (forward and backward, 256 images) of ResNet-20 as adder network and as
// CNN in the same process, and the adder kernels alone. The steps' times compare as epochs do.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "sw/kernels/adder_grid_kernels.hpp"
#include "sw/kernels/adder_kernels.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/optimizer.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/torch.hpp"

namespace abacus::benchmarks {
namespace {

constexpr std::int64_t kBatch = 256;

void train_step(benchmark::State& state, network::Arithmetic arithmetic, train::Precision precision,
                const network::Shape& image) {
  train::FloatNetwork network(network::make_network("resnet20", arithmetic, image, 10), 1);
  network.set_precision(precision);
  train::Optimizer optimizer(network, {});
  const torch::Tensor images = torch::randn({kBatch, image.channels, image.height, image.width})
                                   .contiguous(at::MemoryFormat::ChannelsLast);
  const torch::Tensor labels = torch::randint(10, {kBatch}, torch::kInt64);
  const auto step = [&] {
    optimizer.clear_gradients();
    torch::cross_entropy_loss(network.forward(images), labels).backward();
    optimizer.step(0.01);
  };
  step();  // the first one fetches memory and builds oneDNN's code
  for (auto _ : state) step();
  state.counters["images/s"] = benchmark::Counter(static_cast<double>(kBatch * state.iterations()),
                                                  benchmark::Counter::kIsRate);
  state.counters["threads"] = at::get_num_threads();
}

const network::Shape kFashion{1, 28, 28};
const network::Shape kCifar{3, 32, 32};

BENCHMARK_CAPTURE(train_step, adder_float32_28x28, network::Arithmetic::adder,
                  train::Precision::float32, kFashion)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(train_step, adder_int8_28x28, network::Arithmetic::adder, train::Precision::int8,
                  kFashion)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(train_step, cnn_float32_28x28, network::Arithmetic::cnn,
                  train::Precision::float32, kFashion)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(train_step, cnn_bfloat16_28x28, network::Arithmetic::cnn,
                  train::Precision::bfloat16, kFashion)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(train_step, adder_float32_32x32, network::Arithmetic::adder,
                  train::Precision::float32, kCifar)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(train_step, adder_int8_32x32, network::Arithmetic::adder, train::Precision::int8,
                  kCifar)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(train_step, cnn_float32_32x32, network::Arithmetic::cnn,
                  train::Precision::float32, kCifar)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(train_step, cnn_bfloat16_32x32, network::Arithmetic::cnn,
                  train::Precision::bfloat16, kCifar)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Arguments: channels in and out, side, stride.
kernels::AdderShape layer(const benchmark::State& state) {
  const auto channels = static_cast<int>(state.range(0)), side = static_cast<int>(state.range(1));
  const auto stride = static_cast<int>(state.range(2));
  return {kBatch, channels, side, side, channels * stride, 3, stride, 1};
}

struct LayerData {
  explicit LayerData(const kernels::AdderShape& s)
      : input(torch::randn({s.batch, s.input_height, s.input_width, s.input_channels})),
        weight(torch::randn({s.output_channels, s.input_channels, s.kernel, s.kernel})),
        output(torch::randn({s.batch, s.output_height(), s.output_width(), s.output_channels})),
        input_gradient(torch::empty_like(input)) {}
  torch::Tensor input, weight, output, input_gradient;
};

void count_taps(benchmark::State& state, const kernels::AdderShape& shape) {
  state.counters["taps/s"] = benchmark::Counter(
      static_cast<double>(shape.taps()) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}

void forward_kernel(benchmark::State& state) {
  const kernels::AdderShape shape = layer(state);
  LayerData data(shape);
  for (auto _ : state) {
    kernels::adder_forward(shape, data.input.data_ptr<float>(), data.weight.data_ptr<float>(),
                           data.output.data_ptr<float>());
  }
  count_taps(state, shape);
}

void input_gradient_kernel(benchmark::State& state) {
  const kernels::AdderShape shape = layer(state);
  LayerData data(shape);
  for (auto _ : state) {
    kernels::adder_input_gradient(shape, data.input.data_ptr<float>(),
                                  data.weight.data_ptr<float>(), data.output.data_ptr<float>(),
                                  data.input_gradient.data_ptr<float>());
  }
  count_taps(state, shape);
}

// Operands of the byte kernels: activations 0..255, weights around them.
struct GridData {
  explicit GridData(const kernels::AdderShape& s)
      : input(torch::randint(256, {s.batch, s.input_height, s.input_width, s.input_channels},
                             torch::kUInt8)),
        weight(torch::randint(-80, 80, {s.output_channels, s.input_channels, s.kernel, s.kernel},
                              torch::kInt32)) {}
  torch::Tensor input, weight;
};
constexpr float kUnit = 1.0F / 32;

void grid_forward_kernel(benchmark::State& state) {
  const kernels::AdderShape shape = layer(state);
  LayerData data(shape);
  GridData grid(shape);
  for (auto _ : state) {
    kernels::adder_grid_forward(shape, grid.input.data_ptr<std::uint8_t>(),
                                grid.weight.data_ptr<std::int32_t>(), kUnit,
                                data.output.data_ptr<float>());
  }
  count_taps(state, shape);
}

void grid_input_gradient_kernel(benchmark::State& state) {
  const kernels::AdderShape shape = layer(state);
  LayerData data(shape);
  GridData grid(shape);
  for (auto _ : state) {
    kernels::adder_grid_input_gradient(
        shape, grid.input.data_ptr<std::uint8_t>(), grid.weight.data_ptr<std::int32_t>(), kUnit,
        data.output.data_ptr<float>(), data.input_gradient.data_ptr<float>());
  }
  count_taps(state, shape);
}

void grid_weight_gradient_kernel(benchmark::State& state) {
  const kernels::AdderShape shape = layer(state);
  LayerData data(shape);
  GridData grid(shape);
  torch::Tensor gradient = torch::empty(grid.weight.sizes());
  if (!kernels::has_byte_kernels()) return state.SkipWithError("no AVX-512 VNNI");
  for (auto _ : state) {
    kernels::adder_grid_weight_gradient(shape, grid.input.data_ptr<std::uint8_t>(),
                                        grid.weight.data_ptr<std::int32_t>(), kUnit,
                                        data.output.data_ptr<float>(), gradient.data_ptr<float>());
  }
  count_taps(state, shape);
}

void layers(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"channels", "side", "stride"});
  for (const int side : {28, 32}) {
    benchmark->Args({16, side, 1})->Args({16, side, 2});
    benchmark->Args({32, side / 2, 1})->Args({64, side / 4, 1});
  }
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(forward_kernel)->Apply(layers);
BENCHMARK(grid_forward_kernel)->Apply(layers);
BENCHMARK(input_gradient_kernel)->Apply(layers);
BENCHMARK(grid_input_gradient_kernel)->Apply(layers);
BENCHMARK(grid_weight_gradient_kernel)->Apply(layers);

}  // namespace
}  // namespace abacus::benchmarks

int main(int argc, char** argv) {
  abacus::train::prepare_torch(0);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
