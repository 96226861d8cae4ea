// A ResNet-20 image (28 × 28, 16-column arrays) through the compute unit at the functional level,
// one command after another, beside the same tap loops alone: what everything around them costs.
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "models/compute/compute_unit.hpp"

namespace abacus::benchmarks {
namespace {

struct Layer {
  int size;  // of the input
  int channels;
  int outputs;
  int kernel;
  int stride;
  bool residual;
  bool edge;
};

std::vector<Layer> resnet20() {
  std::vector<Layer> layers{{28, 1, 16, 3, 1, false, true}};
  int channels = 16;
  int size = 28;
  for (const int width : {16, 32, 64}) {
    for (int block = 0; block < 3; ++block) {
      const int stride = width != 16 && block == 0 ? 2 : 1;
      layers.push_back({size, channels, width, 3, stride, false, false});
      if (stride == 2) layers.push_back({size, channels, width, 1, stride, false, false});
      size = (size - 1) / stride + 1;
      layers.push_back({size, width, width, 3, 1, true, false});
      channels = width;
    }
  }
  layers.push_back({1, 64, 10, 1, 1, false, true});
  return layers;
}

// Input, output and residual have their own third of the activation SRAM.
constexpr std::uint32_t third = 40 * 1024;

std::vector<hw::Command> commands(const std::vector<Layer>& layers, int bits, bool adder) {
  std::vector<hw::Command> list;
  for (const Layer& layer : layers) {
    for (int first = 0; first < layer.outputs; first += 16) {
      hw::Command command{};
      command.opcode = hw::Opcode::convolve;
      hw::ConvolveFields& f = command.convolve;
      f.edge_array = layer.edge;
      f.taps = adder && !layer.edge ? hw::TapKind::absolute_difference : hw::TapKind::product;
      f.kernel = static_cast<std::uint8_t>(layer.kernel);
      f.stride = static_cast<std::uint8_t>(layer.stride);
      f.padding = static_cast<std::uint8_t>(layer.kernel / 2);
      f.input_height = f.input_width = static_cast<std::uint16_t>(layer.size);
      f.output_height = f.output_width =
          static_cast<std::uint16_t>((layer.size - 1) / layer.stride + 1);
      f.input_channels = static_cast<std::uint16_t>(layer.channels);
      f.output_channels = static_cast<std::uint16_t>(layer.outputs);
      f.columns = static_cast<std::uint16_t>(layer.outputs < 16 ? layer.outputs : 16);
      f.weight_bits = f.activation_bits = static_cast<std::uint8_t>(layer.edge ? 8 : bits);
      f.weight_signed = 1;
      f.read_multiplier = 40000;
      f.read_shift = static_cast<std::uint8_t>(23 - f.activation_bits);
      f.shift = 22;
      f.relu = 1;
      f.has_residual = layer.residual;
      f.residual_multiplier = 20000;
      f.residual_shift = 6;
      f.input_format = f.output_format = f.residual_format = {8, 0};
      f.output_address = third;
      f.residual_address = 2 * third;
      f.parameter_address = static_cast<std::uint32_t>(first) * sizeof(hw::ScaleRecord);
      list.push_back(command);
    }
  }
  return list;
}

void compute_unit(benchmark::State& state, models::CpuTarget target, int bits, bool adder) {
  hw::HardwareConfig config;
  if (!adder) config.array.kind = "mac";
  models::Context context(config, hw::TimingLevel::functional);
  models::TokenCounters tokens;
  models::Sram activation(sc_core::sc_gen_unique_name("activation"),
                          models::Component::activation_sram, config.activation_sram, context);
  models::Sram weight(sc_core::sc_gen_unique_name("weight"), models::Component::weight_sram,
                      config.weight_sram, context);
  models::Sram parameter(sc_core::sc_gen_unique_name("parameter"),
                         models::Component::parameter_sram, config.parameter_sram, context);
  struct Open : models::ComputeUnit {
    using models::ComputeUnit::ComputeUnit;
    using models::ComputeUnit::execute;
  } unit(sc_core::sc_gen_unique_name("compute"), config, context, tokens, activation, weight,
         parameter, target);

  std::mt19937 random(1);
  for (models::Sram* sram : {&activation, &weight}) {
    for (std::uint32_t i = 0; i < sram->size(); ++i) {
      sram->data()[i] = static_cast<std::uint8_t>(random());
    }
  }
  for (std::uint16_t channel = 0; channel < 64; ++channel) {
    const hw::ScaleRecord record{1000 * channel, adder ? -30000 : 30000, channel, 0};
    std::memcpy(parameter.data() + channel * sizeof record, &record, sizeof record);
  }
  const std::vector<hw::Command> list = commands(resnet20(), bits, adder);
  for (auto _ : state) {
    for (const hw::Command& command : list) unit.execute(command);
  }
  state.counters["images"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

// The tap loops of the same commands, operands and weights ready.
void taps_alone(benchmark::State& state, models::CpuTarget target, int bits, bool adder) {
  struct Job {
    models::TapPlan plan;
    models::TapGeometry geometry;
    int rows;
    models::AlignedBuffer<std::uint8_t> operands, blocks;
    models::AlignedBuffer<std::int32_t> corrections, accumulators;
  };
  std::vector<Job> jobs;
  std::mt19937 random(1);
  for (const hw::Command& command : commands(resnet20(), bits, adder)) {
    const hw::ConvolveFields& f = command.convolve;
    const models::WeightShape shape{f.kernel * f.kernel, f.input_channels, f.columns};
    Job job{models::plan_taps(models::tap_format(f, {}), target),
            {f.kernel, f.stride, shape.channel_groups(), shape.column_blocks(), f.output_width},
            f.output_height,
            {},
            {},
            {},
            {}};
    const std::size_t operands = static_cast<std::size_t>(job.geometry.operand_row()) *
                                 ((f.output_height - 1) * f.stride + f.kernel);
    job.operands.reserve(operands * job.plan.operand_bytes());
    for (std::size_t i = 0; i < operands; ++i) {
      job.operands.data()[i] = static_cast<std::uint8_t>(random() % (1u << f.activation_bits));
    }
    job.blocks.reserve(shape.block_elements() * job.plan.operand_bytes());
    job.corrections.reserve(static_cast<std::size_t>(shape.column_blocks()) * 8);
    job.accumulators.reserve(static_cast<std::size_t>(f.output_height) * f.output_width *
                             shape.column_blocks() * 8);
    std::vector<std::uint8_t> packed(shape.packed_bytes(f.weight_bits));
    for (auto& byte : packed) byte = static_cast<std::uint8_t>(random());
    models::unpack_weights(target, job.plan, shape, packed.data(), job.blocks.data(),
                           job.corrections.data());
    jobs.push_back(std::move(job));
  }
  for (auto _ : state) {
    for (Job& job : jobs) {
      models::accumulate(target, job.plan.kernel, job.geometry, job.rows, job.operands.data(),
                         job.blocks.data(), job.corrections.data(), job.accumulators.data());
    }
    benchmark::ClobberMemory();
  }
  state.counters["images"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void register_image(models::CpuTarget target, int bits, bool adder) {
  const std::string name = std::string(adder ? "adder/" : "mac/") + std::to_string(bits) +
                           "_bits/" + models::to_string(target);
  const auto add = [&](const char* what, auto* run) {
    benchmark::RegisterBenchmark((what + name).c_str(), [=](benchmark::State& state) {
      run(state, target, bits, adder);
    })->Unit(benchmark::kMicrosecond);
  };
  add("taps_alone/", taps_alone);
  add("compute_unit/", compute_unit);
}

}  // namespace
}  // namespace abacus::benchmarks

// SystemC owns main().
int sc_main(int argc, char** argv) {
  for (const abacus::models::CpuTarget target : abacus::models::supported_cpu_targets()) {
    for (const int bits : {4, 8}) {
      abacus::benchmarks::register_image(target, bits, true);
      abacus::benchmarks::register_image(target, bits, false);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
