// What taps that are any function of their operands cost the simulating machine beside products: the
// vector engine on the tiles of ResNet-20's stages (32×32 images, 16 columns, weights as a synthetic
// network draws them), for each kind of exponent weights and a described element without any order, each
// width and instruction set, and beside it, in turns, on the same tiles of a CNN of the same widths.
//
//   kernel_factor  operands taken and accumulated, such taps / CNN (aim for exponent weights: at most 4)
//   load_factor    weights made ready, likewise
//   taps           such taps a second
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "models/array/engine.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "models/simd/cpu_target.hpp"
#include "sw/workload/synthetic_network.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::benchmarks {
namespace {

constexpr int accumulators_at_once = 2048;
constexpr int columns = 16;

// Processor time: other work on the machine does not count.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The taps of a network's layer, as the scheduler asks for them.
models::TapFormat tap_format(const network::IntegerLayer& layer) {
  models::TapFormat format;
  format.kind = layer.arithmetic;
  format.set_operands(layer);
  format.fraction_bits = layer.fraction_bits;
  format.levels = layer.levels;
  if (!layer.first_exponents.empty()) {
    format.terms.fill(hw::no_term);
    int bits = 0;
    while (std::size_t{1} << bits < layer.first_exponents.size()) ++bits;
    format.first_term_bits = bits;
    std::copy(layer.first_exponents.begin(), layer.first_exponents.end(), format.terms.begin());
    std::copy(layer.second_exponents.begin(), layer.second_exponents.end(),
              format.terms.begin() + hw::term_exponents);
  }
  return format;
}

class Tile {
 public:
  Tile(const models::TapFormat& format, int size, int channels, models::CpuTarget target)
      : engine_(models::make_engine("vector", 32, target)) {
    std::mt19937 random(1);
    tile_ = {size, size, 3, channels, columns};
    const models::WeightShape shape = models::weight_shape(tile_);
    geometry_ = {3, 1, shape.channel_groups(), shape.column_blocks(), size};
    packed_.resize(shape.packed_bytes(format.weight_bits));
    // Codes of all levels alike, signs too.
    std::size_t bit = 0;
    for (std::size_t i = 0; i < packed_.size() * 8 / format.weight_bits; ++i) {
      const int levels = format.levels != 0 ? format.levels : (1 << (format.weight_bits - 1)) - 1;
      const int code = static_cast<int>(random() % (2u * levels + 1)) - levels;
      for (int b = 0; b < format.weight_bits; ++b, ++bit) {
        packed_[bit / 8] |= static_cast<std::uint8_t>((code >> b & 1) << bit % 8);
      }
    }
    weights_ = {format, tile_, {}, packed_.data()};
    hw::PeArrayConfig array;
    weights_.order = hw::dataflow(array.dataflow).accumulation_order(array, tile_);
    const models::OperandLayout layout = engine_->layout(format);
    const std::size_t count = static_cast<std::size_t>(geometry_.operand_row()) * (size + 2);
    operands_.reserve(2 * count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto a = static_cast<int>(random() % (1u << format.activation_bits));
      if (layout.wide) {
        reinterpret_cast<std::int16_t*>(operands_.data())[i] = static_cast<std::int16_t>(a);
      } else {
        operands_.data()[i] = static_cast<std::uint8_t>(a + layout.zero);
      }
    }
    taken_ = {operands_.data(), layout, geometry_, size + 2};
    accumulators_.reserve(static_cast<std::size_t>(size) * size * columns);
    load();
  }
  void load() { engine_->load(weights_); }
  void run() {
    engine_->take(taken_);
    const int rows_at_once = std::max(1, accumulators_at_once / (tile_.output_width * columns));
    for (int row = 0; row < tile_.output_height; row += rows_at_once) {
      engine_->accumulate(row, std::min(rows_at_once, tile_.output_height - row),
                          accumulators_.data(), saturations_);
    }
  }
  double taps() const { return static_cast<double>(tile_.taps()); }

 private:
  std::unique_ptr<models::Engine> engine_;
  hw::ArrayTile tile_{};
  models::TapGeometry geometry_{};
  std::vector<std::uint8_t> packed_;
  models::TileWeights weights_{};
  models::TileOperands taken_{};
  models::AlignedBuffer<std::uint8_t> operands_;
  models::AlignedBuffer<std::int32_t> accumulators_;
  std::int64_t saturations_ = 0;
};

struct Times {
  double run = 0;
  double load = 0;
};

Times measure(std::vector<Tile>& tiles) {
  constexpr int rounds = 4;
  Times times;
  const double start = processor_seconds();
  for (int i = 0; i < rounds; ++i) {
    for (Tile& tile : tiles) tile.run();
  }
  const double ran = processor_seconds();
  for (int i = 0; i < rounds; ++i) {
    for (Tile& tile : tiles) tile.load();
  }
  return {(ran - start) / rounds, (processor_seconds() - ran) / rounds};
}

// As often as ResNet-20 has such tiles: 6 layers of each stage, 1, 2 and 4 column tiles.
std::vector<Tile> tiles(const models::TapFormat& format, models::CpuTarget target) {
  std::vector<Tile> all;
  for (const auto& [size, channels, times] : {std::array{32, 16, 1}, {16, 32, 2}, {8, 64, 4}}) {
    for (int i = 0; i < times; ++i) all.emplace_back(format, size, channels, target);
  }
  return all;
}

models::TapFormat resnet20_format(network::Arithmetic arithmetic, int bits) {
  workload::SyntheticOptions options;
  options.arithmetic = arithmetic;
  options.weight_bits = options.activation_bits = bits;
  const network::IntegerNetwork resnet = workload::synthetic_network(options);
  const auto layer = std::find_if(resnet.layers.begin(), resnet.layers.end(), [](const auto& l) {
    return l.kind == network::IntegerLayerKind::convolution && !l.edge;
  });
  return tap_format(*layer);
}

// A described element without any order, of the CNN's widths: each tap is looked up.
hw::ElementTable element(int bits) {
  std::mt19937 random(1);
  hw::ElementTable table;
  table.weight_bits = table.activation_bits = bits;
  table.tap_bits = 2 * bits;
  std::uniform_int_distribution<std::int32_t> tap(table.lowest_tap(), table.highest_tap());
  for (int i = 0; i < table.rows() * table.columns(); ++i) table.taps.push_back(tap(random));
  return table;
}

void compare(benchmark::State& state, network::Arithmetic arithmetic, int bits,
             models::CpuTarget target) {
  const bool described = arithmetic == network::Arithmetic::table;
  const hw::ElementTable table = element(bits);
  models::TapFormat format =
      resnet20_format(described ? network::Arithmetic::cnn : arithmetic, bits);
  if (described) {
    format.kind = hw::TapKind::tabulated;
    format.element = &table;
  }
  std::vector<Tile> exponents = tiles(format, target);
  std::vector<Tile> products = tiles(resnet20_format(network::Arithmetic::cnn, bits), target);
  measure(exponents);
  measure(products);
  Times of_exponents;
  Times of_products;
  for (auto _ : state) {
    const Times e = measure(exponents);
    const Times p = measure(products);
    of_exponents.run += e.run;
    of_exponents.load += e.load;
    of_products.run += p.run;
    of_products.load += p.load;
    state.SetIterationTime(e.run);
  }
  double taps = 0;
  for (const Tile& tile : exponents) taps += tile.taps();
  using benchmark::Counter;
  state.counters["kernel_factor"] = Counter(of_exponents.run / of_products.run);
  state.counters["load_factor"] = Counter(of_exponents.load / of_products.load);
  state.counters["taps"] =
      Counter(taps * static_cast<double>(state.iterations()) / of_exponents.run);
}

void add(const std::string& name, network::Arithmetic arithmetic) {
  for (const models::CpuTarget target : models::supported_cpu_targets()) {
    for (const int bits : {8, 4}) {
      const std::string full =
          name + "/" + std::to_string(bits) + "_bits/" + models::to_string(target);
      benchmark::RegisterBenchmark(
          full.c_str(), [=](benchmark::State& state) { compare(state, arithmetic, bits, target); })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace
}  // namespace abacus::benchmarks

int main(int argc, char** argv) {
  using abacus::benchmarks::add;
  using abacus::network::Arithmetic;
  add("shift", Arithmetic::shift);
  add("post", Arithmetic::post);
  add("apot", Arithmetic::apot);
  add("table", Arithmetic::table);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
