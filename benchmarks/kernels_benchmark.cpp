// The exact kernels by themselves: taps, weights or elements a second on one core, for each
// instruction set of this processor, operand width and layer shape.
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "models/array/kernels.hpp"
#include "models/read_quantizer/kernels.hpp"
#include "models/scale_unit/kernels.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "models/simd/cpu_target.hpp"

namespace abacus::benchmarks {
namespace {

struct Shape {
  const char* name;
  int size;  // height and width
  int channels;
  int columns;
  int kernel;
};

// The stages of ResNet-20 on 28 × 28 images, a 16-column array; CIFAR's first stage; its
// classifier.
constexpr Shape shapes[] = {{"28x28x16", 28, 16, 16, 3},
                            {"14x14x32", 14, 32, 16, 3},
                            {"7x7x64", 7, 64, 16, 3},
                            {"32x32x16", 32, 16, 16, 3},
                            {"1x1x64", 1, 64, 10, 1}};

template <typename T>
void randomize(T* data, std::size_t count, int below) {
  std::mt19937 random(1);
  for (std::size_t i = 0; i < count; ++i) data[i] = static_cast<T>(random() % below);
}

// A tile with its weights unpacked and random operands.
class Tile {
 public:
  Tile(const models::TapFormat& format, const Shape& shape, models::CpuTarget target)
      : target_(target),
        plan_(models::plan_taps(format, target)),
        weights_{shape.kernel * shape.kernel, shape.channels, shape.columns},
        geometry_{shape.kernel, 1, weights_.channel_groups(), weights_.column_blocks(), shape.size},
        rows_(shape.size) {
    const std::size_t operands =
        static_cast<std::size_t>(geometry_.operand_row()) * (rows_ + shape.kernel - 1);
    const int highest = 1 << format.activation_bits;
    if (plan_.wide()) {
      operands_.reserve(2 * operands);
      randomize(reinterpret_cast<std::int16_t*>(operands_.data()), operands, highest);
    } else {
      randomize(operands_.reserve(operands), operands, highest);
    }
    const std::size_t packed = weights_.packed_bytes(format.weight_bits);
    randomize(packed_.reserve(packed), packed, 256);
    blocks_.reserve(weights_.block_elements() * plan_.operand_bytes());
    corrections_.reserve(static_cast<std::size_t>(weights_.column_blocks()) * 8);
    accumulators_.reserve(static_cast<std::size_t>(rows_) * rows_ * weights_.column_blocks() * 8);
    unpack();
  }
  void unpack() {
    models::unpack_weights(target_, plan_, weights_, packed_.data(), blocks_.data(),
                           corrections_.data());
  }
  void accumulate() {
    abacus::models::accumulate(target_, plan_.kernel, geometry_, rows_, operands_.data(),
                               blocks_.data(), corrections_.data(), accumulators_.data());
  }
  double weights() const {
    return static_cast<double>(weights_.taps) * weights_.channels * weights_.columns;
  }
  double taps() const { return weights() * rows_ * rows_; }

 private:
  models::CpuTarget target_;
  models::TapPlan plan_;
  models::WeightShape weights_;
  models::TapGeometry geometry_;
  int rows_;
  models::AlignedBuffer<std::uint8_t> operands_, packed_, blocks_;
  models::AlignedBuffer<std::int32_t> corrections_, accumulators_;
};

using benchmark::Counter;

void report(benchmark::State& state, const char* unit, double items) {
  state.counters[unit] = Counter(items * static_cast<double>(state.iterations()), Counter::kIsRate);
}

void register_tiles(models::CpuTarget target) {
  struct Operands {
    const char* name;
    hw::TapKind kind;
    int bits;
    bool activation_signed;
    bool weight_signed;
    int activation_shift;
  };
  constexpr Operands operands[] = {
      {"adder_u4_s4", hw::TapKind::absolute_difference, 4, false, true, 0},
      {"adder_u8_s8", hw::TapKind::absolute_difference, 8, false, true, 0},
      {"adder_s8_s8", hw::TapKind::absolute_difference, 8, true, true, 0},
      {"adder_u8_shifted", hw::TapKind::absolute_difference, 8, false, true, 1},
      {"mac_u4_s4", hw::TapKind::product, 4, false, true, 0},
      {"mac_u8_s8", hw::TapKind::product, 8, false, true, 0},
      {"mac_s8_s8", hw::TapKind::product, 8, true, true, 0},
      {"mac_u8_u8", hw::TapKind::product, 8, false, false, 0}};
  for (const Operands& o : operands) {
    for (const Shape& shape : shapes) {
      models::TapFormat format;
      format.kind = o.kind;
      format.weight_bits = format.activation_bits = o.bits;
      format.activation_signed = o.activation_signed;
      format.weight_signed = o.weight_signed;
      format.activation_shift = o.activation_shift;
      const std::string name =
          std::string(o.name) + "/" + shape.name + "/" + models::to_string(target);
      benchmark::RegisterBenchmark(("taps/" + name).c_str(), [=](benchmark::State& state) {
        Tile tile(format, shape, target);
        for (auto _ : state) {
          tile.accumulate();
          benchmark::ClobberMemory();
        }
        report(state, "taps", tile.taps());
      });
      benchmark::RegisterBenchmark(("unpack/" + name).c_str(), [=](benchmark::State& state) {
        Tile tile(format, shape, target);
        for (auto _ : state) {
          tile.unpack();
          benchmark::ClobberMemory();
        }
        report(state, "weights", tile.weights());
      });
    }
  }
}

void register_read_quantizer(models::CpuTarget target) {
  for (const Shape& shape : shapes) {
    for (const bool identity : {true, false}) {
      const std::string name = std::string("read_quantizer/") + (identity ? "identity/" : "") +
                               shape.name + "/" + models::to_string(target);
      benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
        models::ReadFormat format;
        if (!identity) {
          format.multiplier = 40000;
          format.shift = 19;
          format.activation_bits = 4;
        }
        const int padding = shape.kernel / 2;
        const models::ReadTile tile{shape.size,     shape.size,
                                    shape.channels, 0,
                                    -padding,       shape.size + 2 * padding,
                                    padding,        shape.size + 2 * padding};
        const std::size_t elements =
            static_cast<std::size_t>(shape.size) * shape.size * shape.channels;
        models::AlignedBuffer<std::uint8_t> input, operands;
        randomize(input.reserve(elements), elements, 256);
        operands.reserve(static_cast<std::size_t>(tile.rows) * tile.operand_width *
                         ((shape.channels + 7) / 8 * 8));
        for (auto _ : state) {
          const models::ReadPlan plan = models::plan_read(
              format, models::plan_taps(models::TapFormat(), target).layout(), target);
          models::read_operands(target, plan, tile, input.data(), operands.data());
          benchmark::ClobberMemory();
        }
        report(state, "elements", static_cast<double>(elements));
      });
    }
  }
}

void register_scale_unit(models::CpuTarget target) {
  struct Case {
    const char* name;
    int accumulator_bits;  // decides whether 32-bit sums suffice
    bool residual;
    bool scattered;
  };
  constexpr Case cases[] = {
      {"narrow", 14, false, false},          {"narrow_residual", 14, true, false},
      {"narrow_scattered", 14, false, true}, {"wide", 20, false, false},
      {"wide_residual", 20, true, false},    {"wide_residual_scattered", 20, true, true}};
  for (const Case& c : cases) {
    const std::string name = std::string("scale_unit/") + c.name + "/" + models::to_string(target);
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      constexpr int columns = 16;
      constexpr int pixels = 28 * 28;
      models::ScaleFormat format;
      format.shift = 22;
      format.relu = true;
      format.has_residual = c.residual;
      format.residual_multiplier = 20000;
      format.residual_shift = 6;
      format.output_channels = c.scattered ? 64 : columns;
      std::vector<hw::ScaleRecord> records(columns);
      for (int i = 0; i < columns; ++i) {
        records[static_cast<std::size_t>(i)] = {
            1000 * i, 30000 - i, static_cast<std::uint16_t>(c.scattered ? (i * 5 + 3) % 64 : i), 0};
      }
      std::vector<std::uint8_t> bytes(records.size() * sizeof(hw::ScaleRecord));
      std::memcpy(bytes.data(), records.data(), bytes.size());
      models::AlignedBuffer<std::int32_t> accumulators;
      models::AlignedBuffer<std::uint8_t> output, residual;
      randomize(accumulators.reserve(pixels * columns), pixels * columns, 1 << c.accumulator_bits);
      const auto elements = static_cast<std::size_t>(pixels) * format.output_channels;
      output.reserve(elements);
      randomize(residual.reserve(elements), elements, 256);
      models::ScalePlan plan;
      for (auto _ : state) {
        plan.prepare(format, bytes.data(), columns, std::int64_t{1} << c.accumulator_bits);
        models::scale(target, plan, pixels, accumulators.data(), columns, output.data(),
                      residual.data());
        benchmark::ClobberMemory();
      }
      report(state, "outputs", pixels * columns);
    });
  }
}

}  // namespace
}  // namespace abacus::benchmarks

int main(int argc, char** argv) {
  for (const abacus::models::CpuTarget target : abacus::models::supported_cpu_targets()) {
    abacus::benchmarks::register_tiles(target);
    abacus::benchmarks::register_read_quantizer(target);
    abacus::benchmarks::register_scale_unit(target);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
