#include "models/compute/compute_unit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>

#include "tests/models/convolve_case.hpp"
#include "tests/support/sampled.hpp"
#include "tests/tlm/random_element.hpp"

namespace abacus::models {
namespace {

using ::testing::HasSubstr;

struct OpenComputeUnit : ComputeUnit {
  using ComputeUnit::ComputeUnit;
  using ComputeUnit::execute;
};

// A compute unit with its memories, driven without a sequencer.
struct Bench {
  explicit Bench(const hw::HardwareConfig& config,
                 hw::TimingLevel level = hw::TimingLevel::functional,
                 CpuTarget target = best_cpu_target(), const std::string& engine = default_engine)
      : hardware(config),
        context(config, level),
        activation(sc_core::sc_gen_unique_name("activation"), Component::activation_sram,
                   config.activation_sram, context),
        weight(sc_core::sc_gen_unique_name("weight"), Component::weight_sram, config.weight_sram,
               context),
        parameter(sc_core::sc_gen_unique_name("parameter"), Component::parameter_sram,
                  config.parameter_sram, context),
        unit(sc_core::sc_gen_unique_name("compute"), config, context, tokens, activation, weight,
             parameter, target, engine) {}

  void fill(const Memories& memories) {
    std::memcpy(activation.data(), memories.activation.data(), memories.activation.size());
    std::memcpy(weight.data(), memories.weight.data(), memories.weight.size());
    std::memcpy(parameter.data(), memories.parameter.data(), memories.parameter.size());
  }
  std::vector<std::uint8_t> activation_bytes() const {
    return {activation.data(), activation.data() + activation.size()};
  }
  static hw::Command command(const hw::ConvolveFields& fields, int layer = 0) {
    hw::Command command{};
    command.opcode = hw::Opcode::convolve;
    command.layer = static_cast<std::uint16_t>(layer);
    command.convolve = fields;
    return command;
  }
  static hw::Command command(hw::Opcode opcode, const hw::VectorFields& fields) {
    hw::Command command{};
    command.opcode = opcode;
    command.vector = fields;
    return command;
  }
  // The failure's message, empty if it went well. At the functional level.
  std::string run(const hw::Command& command) {
    try {
      unit.execute(command);
    } catch (const CommandError& error) {
      return error.what();
    }
    return {};
  }

  hw::HardwareConfig hardware;
  Context context;
  TokenCounters tokens;
  Sram activation;
  Sram weight;
  Sram parameter;
  OpenComputeUnit unit;
};

hw::HardwareConfig small_memories() {
  hw::HardwareConfig config;
  config.activation_sram.bytes = 512 * 1024;
  config.weight_sram.bytes = 64 * 1024;
  config.parameter_sram.bytes = 1024;
  config.array.columns = 24;
  return config;
}

// Bits of whole tiles, on each processor's kernels.
class ComputeUnitBits : public ::testing::TestWithParam<CpuTarget> {
 protected:
  static void compare(const hw::HardwareConfig& config, bool edge, unsigned seed, int cases,
                      bool must_saturate) {
    Bench bench(config, hw::TimingLevel::functional, GetParam());
    std::mt19937 random(seed);
    std::int64_t all_saturations = 0;
    const int sample = test::sampled(cases);
    for (int i = 0; i < sample; ++i) {
      const ConvolveCase c = random_case(random, config, edge);
      bench.fill(c.memories);
      bench.context.accumulator_saturations = 0;
      ASSERT_EQ(bench.run(Bench::command(c.fields)), "") << "case " << i;
      const Expected wanted = expected(c, edge ? config.edge_array : config.array);
      ASSERT_TRUE(bench.activation_bytes() == wanted.activation)
          << "case " << i << ": " << int{c.fields.input_height} << "x" << int{c.fields.input_width}
          << "x" << int{c.fields.input_channels} << " kernel " << int{c.fields.kernel}
          << " columns " << int{c.fields.columns} << " weight bits " << int{c.fields.weight_bits}
          << " signed " << int{c.fields.weight_signed} << " shift " << int{c.fields.weight_shift}
          << " activation bits " << int{c.fields.activation_bits} << " signed "
          << int{c.fields.activation_signed} << " shift " << int{c.fields.activation_shift}
          << " input bits " << int{c.fields.input_format.bits} << " residual "
          << int{c.fields.has_residual} << " output bits " << int{c.fields.output_format.bits};
      ASSERT_EQ(bench.context.accumulator_saturations, wanted.saturations) << "case " << i;
      all_saturations += wanted.saturations;
    }
    if (sample == cases || !must_saturate) {
      EXPECT_EQ(all_saturations > 0, must_saturate);
    }
  }
};

TEST_P(ComputeUnitBits, AdderTiles) { compare(small_memories(), false, 1, 300, false); }

TEST_P(ComputeUnitBits, MultiplierTiles) {
  hw::HardwareConfig config = small_memories();
  config.array.kind = "mac";
  compare(config, false, 2, 300, false);
}

hw::HardwareConfig binary_array() {
  hw::HardwareConfig config = small_memories();
  config.array.kind = "xnor";
  config.array.weight_bits = config.array.activation_bits = 1;
  return config;
}

TEST_P(ComputeUnitBits, BinaryTiles) { compare(binary_array(), false, 6, 300, false); }

TEST_P(ComputeUnitBits, SaturatingBinaryTiles) {
  hw::HardwareConfig config = binary_array();
  config.array.accumulator_bits = 8;
  config.array.rows = 5;
  compare(config, false, 7, 120, true);
}

// The whole way of a command with another engine behind the arrays.
TEST(ComputeUnit, EveryEngineGivesTheSameBits) {
  for (const char* kind : {"adder", "mac", "apot"}) {
    for (const std::string& engine : engine_names()) {
      hw::HardwareConfig config = small_memories();
      config.array.kind = kind;
      config.array.accumulator_bits = 14;
      Bench bench(config, hw::TimingLevel::functional, best_cpu_target(), engine);
      std::mt19937 random(31);
      for (int i = 0; i < 8; ++i) {
        const ConvolveCase c = random_case(random, config, false);
        bench.fill(c.memories);
        bench.context.accumulator_saturations = 0;
        ASSERT_EQ(bench.run(Bench::command(c.fields)), "") << engine << " " << kind;
        const Expected wanted = expected(c, config.array);
        ASSERT_TRUE(bench.activation_bytes() == wanted.activation) << engine << " " << kind;
        ASSERT_EQ(bench.context.accumulator_saturations, wanted.saturations) << engine;
      }
    }
  }
}

hw::HardwareConfig array_of(hw::ProcessingElementKind kind) {
  hw::HardwareConfig config = small_memories();
  config.array.kind = kind;
  config.array.accumulator_bits = 32;
  return config;
}

TEST_P(ComputeUnitBits, ShiftTiles) { compare(array_of("shift"), false, 8, 300, false); }

TEST_P(ComputeUnitBits, ShiftAndAdderTilesOnTheSameLanes) {
  compare(array_of("shift-add"), false, 9, 300, false);
}

TEST_P(ComputeUnitBits, PostTiles) {
  hw::HardwareConfig config = array_of("post");
  config.array.table = {64, 8, 1, 4};
  compare(config, false, 12, 300, false);
}

TEST_P(ComputeUnitBits, SaturatingPostTiles) {
  hw::HardwareConfig config = array_of("post");
  config.array.accumulator_bits = 15;
  config.array.rows = 6;
  compare(config, false, 13, 120, true);
}

TEST_P(ComputeUnitBits, ApotTiles) { compare(array_of("apot"), false, 14, 300, false); }

TEST_P(ComputeUnitBits, SaturatingApotTiles) {
  hw::HardwareConfig config = array_of("apot");
  config.array.accumulator_bits = 15;
  compare(config, false, 15, 120, true);
}

hw::HardwareConfig array_of_element(std::uint64_t seed) {
  hw::HardwareConfig config = array_of("table");
  const hw::ElementTable element = test::random_element(seed);
  config.array.element = std::make_shared<const hw::ElementTable>(element);
  config.array.weight_bits = element.weight_bits;
  config.array.activation_bits = element.activation_bits;
  return config;
}

TEST_P(ComputeUnitBits, TableTiles) {
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    SCOPED_TRACE(seed);
    const hw::HardwareConfig config = array_of_element(seed);
    if (config.array.element->tap_bits > 17) continue;  // whose sums may pass 32 bits
    compare(config, false, 40 + static_cast<unsigned>(seed), 30, false);
    if (HasFatalFailure()) return;
  }
}

TEST_P(ComputeUnitBits, SaturatingTableTiles) {
  hw::HardwareConfig config = array_of("table");
  config.array.element =
      std::make_shared<const hw::ElementTable>(test::product_element({8, true, 8, true}));
  config.array.accumulator_bits = 13;
  config.array.rows = 5;
  compare(config, false, 60, 120, true);
}

TEST_P(ComputeUnitBits, SaturatingShiftTiles) {
  hw::HardwareConfig config = array_of("shift");
  config.array.accumulator_bits = 14;
  config.array.rows = 5;
  compare(config, false, 10, 120, true);
}

TEST_P(ComputeUnitBits, EdgeArrayTiles) { compare(small_memories(), true, 3, 100, false); }

TEST_P(ComputeUnitBits, SaturatingAdderTiles) {
  hw::HardwareConfig config = small_memories();
  config.array.accumulator_bits = 11;
  config.array.rows = 4;
  compare(config, false, 4, 120, true);
}

TEST_P(ComputeUnitBits, SaturatingMultiplierTiles) {
  hw::HardwareConfig config = small_memories();
  config.array.kind = "mac";
  config.array.accumulator_bits = 13;
  config.array.rows = 5;
  compare(config, false, 5, 120, true);
}

INSTANTIATE_TEST_SUITE_P(Targets, ComputeUnitBits, ::testing::ValuesIn(supported_cpu_targets()),
                         [](const auto& instance) { return to_string(instance.param); });

ConvolveCase some_case(const hw::HardwareConfig& config, unsigned seed = 11) {
  std::mt19937 random(seed);
  ConvolveCase c = random_case(random, config, false);
  while (!c.fields.has_residual || c.fields.kernel != 3 || c.fields.output_height < 2) {
    c = random_case(random, config, false);
  }
  return c;
}

TEST(ComputeUnit, KeepsWeightsInThePes) {
  const hw::HardwareConfig config = small_memories();
  Bench bench(config);
  ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  ASSERT_EQ(bench.run(Bench::command(c.fields)), "");
  // The SRAM holds other bytes now; the PEs still hold the tile's weights.
  const std::vector<std::uint8_t> wanted = bench.activation_bytes();
  bench.fill(c.memories);
  std::memset(bench.weight.data(), 0x5A, bench.weight.size());
  c.fields.keep_weights = 1;
  ASSERT_EQ(bench.run(Bench::command(c.fields)), "");
  EXPECT_TRUE(bench.activation_bytes() == wanted);
  // Without keep_weights they come from the SRAM.
  bench.fill(c.memories);
  std::memset(bench.weight.data(), 0x5A, bench.weight.size());
  c.fields.keep_weights = 0;
  ASSERT_EQ(bench.run(Bench::command(c.fields)), "");
  EXPECT_FALSE(bench.activation_bytes() == wanted);
}

TEST(ComputeUnit, RefusesToKeepOtherWeights) {
  const hw::HardwareConfig config = small_memories();
  Bench bench(config);
  ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  c.fields.keep_weights = 1;
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("keep_weights is 1, but pe_array"));
}

TEST(ComputeUnit, ProgramsFindNoWeights) {
  const hw::HardwareConfig config = small_memories();
  Bench bench(config);
  ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  ASSERT_EQ(bench.run(Bench::command(c.fields)), "");
  c.fields.keep_weights = 1;
  ASSERT_EQ(bench.run(Bench::command(c.fields)), "");
  bench.context.start_program();
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("keep_weights is 1"));
}

// What a depthwise tile must not be; what it computes is tested on whole networks
// (tests/driver/hardware_vs_reference_test.cpp).
TEST(ComputeUnit, RefusesDepthwiseTilesWithoutARowForEachColumn) {
  hw::HardwareConfig config = small_memories();
  config.array.rows = 8;
  config.array.dataflow = "output-stationary";
  Bench bench(config);
  ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  c.fields.input_channels = 20;
  c.fields.columns = 9;
  c.fields.depthwise = 1;
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("columns is 9; allowed: 1 to 8"));
  c.fields.columns = 8;
  c.fields.first_channel = 13;
  EXPECT_THAT(bench.run(Bench::command(c.fields)),
              HasSubstr("first_channel + columns is 21; allowed: 1 to 20"));
  c.fields.depthwise = 0;
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("first_channel is 13; allowed: 0"));
  c.fields.depthwise = 2;
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("depthwise is 2; allowed: 0 to 1"));
}

TEST(ComputeUnit, CountsSaturationsByLayer) {
  hw::HardwareConfig config = small_memories();
  config.array.accumulator_bits = 8;
  Bench bench(config);
  ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  const std::int64_t wanted = expected(c, config.array).saturations;
  ASSERT_GT(wanted, 0);
  ASSERT_EQ(bench.run(Bench::command(c.fields, 3)), "");
  ASSERT_EQ(bench.context.saturations_by_layer.size(), 4u);
  EXPECT_EQ(bench.context.saturations_by_layer[3], wanted);
}

TEST(ComputeUnit, FaultHitsTheWrittenByte) {
  const hw::HardwareConfig config = small_memories();
  Bench bench(config);
  const ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  ASSERT_EQ(bench.run(Bench::command(c.fields)), "");
  const std::vector<std::uint8_t> good = bench.activation_bytes();
  bench.fill(c.memories);
  const std::uint32_t address =
      c.fields.output_address +
      c.records.back().output_channel * (c.fields.output_format.bits <= 8 ? 1u : 2u);
  bench.activation.flip_bit_after_write(address, 2, 0);
  ASSERT_EQ(bench.run(Bench::command(c.fields)), "");
  std::vector<std::uint8_t> bytes = bench.activation_bytes();
  EXPECT_EQ(bytes[address], good[address] ^ 4);
  bytes[address] = good[address];
  EXPECT_TRUE(bytes == good);
}

struct BadField {
  const char* name;
  std::function<void(hw::ConvolveFields&)> spoil;
  const char* message;
};

void PrintTo(const BadField& field, std::ostream* out) { *out << field.name; }

class ComputeUnitRefuses : public ::testing::TestWithParam<BadField> {};

TEST_P(ComputeUnitRefuses, AndChangesNothing) {
  const hw::HardwareConfig config = small_memories();
  Bench bench(config);
  ConvolveCase c = some_case(config);
  GetParam().spoil(c.fields);
  bench.fill(c.memories);
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr(GetParam().message));
  EXPECT_TRUE(bench.activation_bytes() == c.memories.activation);
}

TEST(ComputeUnit, RefusesBinaryTilesOfAnythingButSigns) {
  const hw::HardwareConfig config = binary_array();
  Bench bench(config);
  const ConvolveCase good = some_case(config);
  bench.fill(good.memories);
  const auto error = [&](const std::function<void(hw::ConvolveFields&)>& spoil) {
    hw::ConvolveFields fields = good.fields;
    spoil(fields);
    return bench.run(Bench::command(fields));
  };
  using Fields = hw::ConvolveFields;
  EXPECT_THAT(error([](Fields& f) { f.weight_bits = 2; }),
              HasSubstr("weight_bits is 2; allowed: 1 to 1"));
  EXPECT_THAT(error([](Fields& f) { f.activation_bits = 0; }),
              HasSubstr("activation_bits is 0; allowed: 1 to 1"));
  EXPECT_THAT(error([](Fields& f) { f.weight_signed = 0; }), HasSubstr("weight_signed 0"));
  EXPECT_THAT(error([](Fields& f) { f.activation_signed = 0; }), HasSubstr("activation_signed 0"));
  EXPECT_THAT(error([](Fields& f) { f.weight_shift = 1; }), HasSubstr("weight_shift 1"));
  EXPECT_THAT(error([](Fields& f) { f.read_multiplier = 2; }),
              HasSubstr("read_multiplier is 2; allowed: 1 to 1"));
  EXPECT_THAT(error([](Fields& f) { f.read_shift = 1; }),
              HasSubstr("read_shift is 1; allowed: 0 to 0"));
  EXPECT_THAT(error([](Fields& f) { f.taps = static_cast<hw::TapKind>(7); }),
              HasSubstr("taps is 7; allowed: 0 to 6"));
  EXPECT_THAT(error([](Fields& f) { f.taps = hw::TapKind::absolute_difference; }),
              HasSubstr("taps need adder elements, but pe_array has xnor elements"));
  EXPECT_TRUE(bench.activation_bytes() == good.memories.activation);
  EXPECT_EQ(error([](Fields&) {}), "");
}

TEST(ComputeUnit, RefusesShiftTilesThatItsLanesCannotShift) {
  hw::HardwareConfig config = array_of("shift");
  config.array.fraction_bits = 6;
  Bench bench(config);
  const ConvolveCase good = some_case(config);
  bench.fill(good.memories);
  const auto error = [&](const std::function<void(hw::ConvolveFields&)>& spoil) {
    hw::ConvolveFields fields = good.fields;
    spoil(fields);
    return bench.run(Bench::command(fields));
  };
  using Fields = hw::ConvolveFields;
  EXPECT_THAT(error([](Fields& f) { f.fraction_bits = 7; }),
              HasSubstr("fraction_bits is 7; allowed: 0 to 6"));
  EXPECT_THAT(error([](Fields& f) { f.levels = 0; }), HasSubstr("levels is 0; codes of"));
  EXPECT_THAT(error([](Fields& f) {
                f.weight_bits = 4;
                f.levels = 8;
              }),
              HasSubstr("levels is 8; codes of 4 bits have 1 to 7"));
  EXPECT_THAT(error([](Fields& f) { f.weight_signed = 0; }), HasSubstr("weight_signed 0"));
  EXPECT_THAT(error([](Fields& f) { f.activation_shift = 1; }), HasSubstr("a shifter takes 0"));
  EXPECT_THAT(error([](Fields& f) { f.taps = hw::TapKind::absolute_difference; }),
              HasSubstr("taps need adder elements, but pe_array has shift elements"));
  EXPECT_TRUE(bench.activation_bytes() == good.memories.activation);
  EXPECT_EQ(error([](Fields&) {}), "");
}

TEST(ComputeUnit, RefusesPostTilesThatItsTablesDoNotHold) {
  hw::HardwareConfig config = array_of("post");
  config.array.table.exponents = 3;
  config.array.table.fraction_bits = 5;
  Bench bench(config);
  const ConvolveCase good = some_case(config);
  bench.fill(good.memories);
  const auto error = [&](const std::function<void(hw::ConvolveFields&)>& spoil) {
    hw::ConvolveFields fields = good.fields;
    spoil(fields);
    return bench.run(Bench::command(fields));
  };
  using Fields = hw::ConvolveFields;
  EXPECT_THAT(error([](Fields& f) {
                f.weight_bits = 5;
                f.levels = 8;
              }),
              HasSubstr("odd exponents of levels is 4; allowed: 0 to 3 (the lookup table's)"));
  EXPECT_THAT(error([](Fields& f) { f.fraction_bits = 6; }),
              HasSubstr("fraction_bits is 6; allowed: 0 to 5"));
  EXPECT_THAT(error([](Fields& f) { f.taps = hw::TapKind::twice_shifted; }),
              HasSubstr("taps need apot elements, but pe_array has post elements"));
  EXPECT_EQ(error([](Fields&) {}), "");
}

TEST(ComputeUnit, RefusesTableTilesOfOtherOperands) {
  hw::HardwareConfig config = array_of("table");
  config.array.element =
      std::make_shared<const hw::ElementTable>(test::product_element({3, true, 5, false}));
  Bench bench(config);
  const ConvolveCase good = some_case(config);
  bench.fill(good.memories);
  const auto error = [&](const std::function<void(hw::ConvolveFields&)>& spoil) {
    hw::ConvolveFields fields = good.fields;
    spoil(fields);
    return bench.run(Bench::command(fields));
  };
  using Fields = hw::ConvolveFields;
  EXPECT_THAT(error([](Fields& f) { f.weight_signed = 0; }),
              HasSubstr("3 unsigned bits of weight, 5 unsigned bits of activation; the table of "
                        "element of a test has 3 signed bits of weight"));
  EXPECT_THAT(error([](Fields& f) { f.activation_bits = 4; }), HasSubstr("the table of"));
  EXPECT_THAT(error([](Fields& f) { f.activation_shift = 1; }), HasSubstr("a table takes 0 only"));
  EXPECT_THAT(error([](Fields& f) { f.taps = hw::TapKind::product; }),
              HasSubstr("taps need mac elements, but pe_array has table elements"));
  EXPECT_EQ(error([](Fields&) {}), "");
  // An array of such lanes without a table.
  config.array.element.reset();
  Bench bare(config);
  bare.fill(good.memories);
  EXPECT_THAT(bare.run(Bench::command(good.fields)), HasSubstr("the array has no table of taps"));
}

TEST(ComputeUnit, RefusesTermsThatCodesDoNotHave) {
  const hw::HardwareConfig config = array_of("apot");
  Bench bench(config);
  ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  c.fields.first_term_bits = 0;
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("first_term_bits is 0"));
  c.fields.first_term_bits = 5;
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("first_term_bits is 5"));
}

TEST(ComputeUnit, RefusesFractionsOfOtherTaps) {
  const hw::HardwareConfig config = small_memories();
  Bench bench(config);
  ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  c.fields.fraction_bits = 1;
  EXPECT_THAT(bench.run(Bench::command(c.fields)),
              HasSubstr("fraction_bits is 1; allowed: 0 to 0"));
  c.fields.fraction_bits = 0;
  c.fields.levels = 3;
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("levels is 3; allowed: 0 to 0"));
}

using F = hw::ConvolveFields;
INSTANTIATE_TEST_SUITE_P(
    Fields, ComputeUnitRefuses,
    ::testing::Values(
        BadField{"OtherKind", [](F& f) { f.taps = hw::TapKind::product; },
                 "taps need mac elements, but pe_array has adder elements"},
        BadField{"AdderOnEdge", [](F& f) { f.edge_array = 1; }, "edge_array has mac"},
        BadField{"Columns", [](F& f) { f.columns = 25; }, "columns is 25; allowed: 1 to 24"},
        BadField{"NoColumns", [](F& f) { f.columns = 0; }, "columns is 0"},
        BadField{"WeightBits", [](F& f) { f.weight_bits = 9; },
                 "weight_bits is 9; allowed: 2 to 8"},
        BadField{"ActivationBits", [](F& f) { f.activation_bits = 1; }, "activation_bits is 1"},
        BadField{"BothShifts",
                 [](F& f) {
                   f.activation_bits = f.weight_bits = 2;
                   f.activation_shift = f.weight_shift = 1;
                 },
                 "one of them must be 0"},
        BadField{"WideOperands",
                 [](F& f) {
                   f.weight_bits = 8;
                   f.weight_shift = 3;
                   f.activation_shift = 0;
                 },
                 "shifted operands reach"},
        BadField{"NoKernel", [](F& f) { f.kernel = 0; }, "kernel is 0"},
        BadField{"NoStride", [](F& f) { f.stride = 0; }, "stride is 0"},
        BadField{"NoChannels", [](F& f) { f.input_channels = 0; }, "input_channels is 0"},
        BadField{"NoHeight", [](F& f) { f.output_height = 0; }, "output_height is 0"},
        BadField{"Width", [](F& f) { ++f.output_width; }, "(full rows)"},
        BadField{"Height", [](F& f) { f.output_height = 1000; }, "(the output's height)"},
        BadField{"KernelTooLarge",
                 [](F& f) {
                   f.kernel = 101;
                   f.padding = 0;
                 },
                 "kernel is 101; the padded input is"},
        BadField{"InputFormat", [](F& f) { f.input_format.bits = 17; },
                 "input_format.bits is 17; allowed: 2 to 16"},
        BadField{"OutputSign", [](F& f) { f.output_format.is_signed = 2; },
                 "output_format.is_signed is 2"},
        BadField{"ReadMultiplier", [](F& f) { f.read_multiplier = 0; }, "read_multiplier is 0"},
        BadField{"ReadShift", [](F& f) { f.read_shift = 32; }, "read_shift is 32"},
        BadField{"Shift", [](F& f) { f.shift = 47; }, "shift is 47; allowed: 0 to 46"},
        BadField{"ResidualShift", [](F& f) { f.residual_shift = 25; }, "residual_shift is 25"},
        BadField{"MissingRows", [](F& f) { f.first_input_row = 60000; },
                 "(the first row of the tile's windows)"},
        BadField{"InputAddress", [](F& f) { f.input_address = 512 * 1024; },
                 "do not fit the activation SRAM of 524288 bytes"},
        BadField{"OutputAddress", [](F& f) { f.output_address = 512 * 1024 - 1; },
                 "output_address"},
        BadField{"ResidualAddress", [](F& f) { f.residual_address = 0xFFFFFFFF; },
                 "residual_address"},
        BadField{"WeightAddress", [](F& f) { ++f.weight_address; },
                 "do not fit the weight SRAM of 65536 bytes"},
        BadField{"ParameterAddress", [](F& f) { ++f.parameter_address; },
                 "do not fit the parameter SRAM of 1024 bytes"}),
    [](const auto& instance) { return instance.param.name; });

TEST(ComputeUnit, RefusesBadScaleRecords) {
  const hw::HardwareConfig config = small_memories();
  Bench bench(config);
  const ConvolveCase good = some_case(config);
  ConvolveCase c = good;
  c.records.back().multiplier = 32768;
  fill_memories(c);
  bench.fill(c.memories);
  EXPECT_THAT(bench.run(Bench::command(c.fields)),
              HasSubstr("multiplier of a scale record is 32768"));
  c = good;
  c.records.back().output_channel = c.fields.output_channels;
  fill_memories(c);
  bench.fill(c.memories);
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("output_channel of a scale record"));
  c = good;
  c.records.back().bias = (std::int64_t{1} << 46) + 1;
  fill_memories(c);
  bench.fill(c.memories);
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("bias of a scale record"));
}

TEST(ComputeUnit, RefusesCommandsOfOtherUnits) {
  Bench bench(small_memories());
  hw::Command command{};
  command.opcode = hw::Opcode::load;
  EXPECT_THAT(bench.run(command), HasSubstr("opcode 1"));
}

hw::VectorFields some_pool() {
  hw::VectorFields f{};
  f.output_address = 4096;
  f.height = f.width = 3;
  f.channels = 5;
  f.input_width = 6;
  f.kernel = f.stride = 2;
  f.multiplier = 16384;
  f.shift = 16;
  f.input_format = f.output_format = {8, 0};
  return f;
}

TEST(ComputeUnit, PoolsAverage) {
  Bench bench(small_memories());
  for (std::uint32_t i = 0; i < 6 * 6 * 5; ++i) bench.activation.data()[i] = std::uint8_t(i);
  const hw::VectorFields f = some_pool();
  ASSERT_EQ(bench.run(Bench::command(hw::Opcode::pool, f)), "");
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 3; ++x) {
      for (int c = 0; c < 5; ++c) {
        int sum = 0;
        for (int k = 0; k < 4; ++k) sum += ((2 * y + k / 2) * 6 + 2 * x + k % 2) * 5 + c;
        EXPECT_EQ(bench.activation.data()[4096 + (y * 3 + x) * 5 + c], (sum + 2) / 4);
      }
    }
  }
}

TEST(ComputeUnit, RefusesBadVectorCommands) {
  Bench bench(small_memories());
  hw::VectorFields f = some_pool();
  f.input_width = 5;
  EXPECT_THAT(bench.run(Bench::command(hw::Opcode::pool, f)), HasSubstr("input_width is 5"));
  f = some_pool();
  f.kernel = 0;
  EXPECT_THAT(bench.run(Bench::command(hw::Opcode::pool, f)), HasSubstr("kernel is 0"));
  f = some_pool();
  f.relu = 1;
  EXPECT_THAT(bench.run(Bench::command(hw::Opcode::pool, f)), HasSubstr("relu is 1"));
  f = some_pool();
  f.input_address = 512 * 1024 - 10;
  EXPECT_THAT(bench.run(Bench::command(hw::Opcode::pool, f)), HasSubstr("input_address"));
  f = some_pool();
  f.second_format = {8, 0};
  f.left_shift = 25;
  EXPECT_THAT(bench.run(Bench::command(hw::Opcode::add, f)), HasSubstr("left_shift is 25"));
  f.left_shift = 0;
  f.second_format = {1, 0};
  EXPECT_THAT(bench.run(Bench::command(hw::Opcode::add, f)), HasSubstr("second_format.bits is 1"));
  f.second_format = {8, 0};
  f.channels = 0;
  EXPECT_THAT(bench.run(Bench::command(hw::Opcode::add, f)), HasSubstr("channels is 0"));
}

// Time -------------------------------------------------------------------------------------------

hw::ConvolveFields authors_kernel() {
  hw::ConvolveFields f{};
  f.input_height = f.input_width = f.output_height = f.output_width = 28;
  f.input_channels = f.output_channels = f.columns = 16;
  f.kernel = 3;
  f.stride = f.padding = 1;
  f.taps = hw::TapKind::absolute_difference;
  f.weight_bits = f.activation_bits = 8;
  f.weight_signed = 1;
  f.read_multiplier = 1;
  f.shift = 10;
  f.input_format = f.output_format = {8, 0};
  f.output_address = 16 * 1024;
  return f;
}

// Runs one command at the timed level and gives its timeline entry.
TimelineEntry timed(Bench& bench, const hw::Command& command) {
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bench.unit.push(command, 0);
  sc_core::sc_start();
  EXPECT_FALSE(bench.unit.failure());
  return bench.context.timeline.at(0);
}

double cycles(const Bench& bench, const sc_core::sc_time& time) {
  return time / bench.context.cycle();
}

std::int64_t counted(const Bench& bench, Component component, Action action) {
  std::int64_t sum = 0;
  for (const auto& [key, times] : bench.context.activity.counts()) {
    if (key.component == component && key.action == action) sum += times;
  }
  return sum;
}

TEST(ComputeUnitTime, AuthorsKernel) {
  hw::HardwareConfig config;
  config.activation_sram.latency_cycles = 0;
  Bench bench(config, hw::TimingLevel::approximate);
  const ComputeTime time = compute_time(authors_kernel(), config, 0);
  EXPECT_EQ(time.phases[0].cycles, 18);  // 2,304 bytes of weights, 128 a cycle
  EXPECT_EQ(time.phases[0].latency, 0);
  EXPECT_EQ(time.phases[1].cycles, 7056);
  EXPECT_EQ(time.phases[1].latency, 6);
  const TimelineEntry entry = timed(bench, Bench::command(authors_kernel()));
  EXPECT_EQ(entry.unit, Unit::compute_array);
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 18 + 7062);
  EXPECT_EQ(entry.stalled, sc_core::SC_ZERO_TIME);
}

TEST(ComputeUnitTime, CountsWhatItDid) {
  Bench bench(hw::HardwareConfig{}, hw::TimingLevel::approximate);
  timed(bench, Bench::command(authors_kernel()));
  const std::int64_t taps = 7056 * 256;
  EXPECT_EQ(counted(bench, Component::pe_array, Action::absolute_difference), taps);
  // 15 in the tree and 1 in the accumulator for 16 taps.
  EXPECT_EQ(counted(bench, Component::pe_array, Action::add), taps);
  EXPECT_EQ(counted(bench, Component::pe_array, Action::multiply), 0);
  EXPECT_EQ(counted(bench, Component::scale_unit, Action::multiply), 28 * 28 * 16);
  EXPECT_EQ(counted(bench, Component::read_quantizer, Action::multiply), 0);
  // One access a window position inside the image, one a result pixel, the weights once.
  EXPECT_EQ(counted(bench, Component::activation_sram, Action::sram_read), 82 * 82);
  EXPECT_EQ(counted(bench, Component::activation_sram, Action::sram_write), 28 * 28);
  EXPECT_EQ(counted(bench, Component::weight_sram, Action::sram_read), 2304 / 64);
  EXPECT_EQ(counted(bench, Component::parameter_sram, Action::sram_read), 16);
}

// Codes 1, 2, 3, 4 by turns over the input channels: every second one reads a table.
hw::ConvolveFields post_kernel(Bench& bench) {
  hw::ConvolveFields f = authors_kernel();
  f.taps = hw::TapKind::half_shifted;
  f.weight_bits = 4;
  f.levels = 7;
  f.fraction_bits = 6;
  const std::uint8_t codes[4] = {0x21, 0x43, 0x21, 0x43};
  for (std::size_t i = 0; i < 9u * 2 * 16 * 4; ++i) bench.weight.data()[i] = codes[i % 4];
  return f;
}

struct SharedTable {
  int lanes;
  int ports;
  int waits;  // cycles, for each of the array's own
};

class TableWaits : public ::testing::TestWithParam<SharedTable> {};

TEST_P(TableWaits, LanesThatShareATableWaitForItsPorts) {
  hw::HardwareConfig config;
  config.array.kind = "post";
  config.array.table.lanes = GetParam().lanes;
  config.array.table.ports = GetParam().ports;
  Bench bench(config, hw::TimingLevel::approximate);
  const TimelineEntry entry = timed(bench, Bench::command(post_kernel(bench)));
  EXPECT_EQ(cycles(bench, entry.stalled), GetParam().waits * 7056);
  EXPECT_EQ(cycles(bench, entry.end - entry.start - entry.stalled), 16 + 1 + 7062);
  const std::int64_t taps = 7056 * 256;
  EXPECT_EQ(counted(bench, Component::pe_array, Action::table_read), taps / 2);
  EXPECT_EQ(counted(bench, Component::pe_array, Action::shift), taps / 2);
  EXPECT_EQ(counted(bench, Component::pe_array, Action::multiply), 0);
}

// Every second lane of 16 rows reads.
INSTANTIATE_TEST_SUITE_P(Tables, TableWaits,
                         ::testing::Values(SharedTable{1, 1, 0}, SharedTable{2, 1, 0},
                                           SharedTable{4, 1, 1}, SharedTable{16, 1, 7},
                                           SharedTable{16, 3, 2}, SharedTable{16, 8, 0}));

// Priced at the layer's widths, as all its taps are, not at the array's.
TEST(ComputeUnitTime, ATableReadHasTheLayersOwnWordAndRows) {
  hw::HardwareConfig config;  // lanes of 8 bits, tables of 4 columns
  config.array.kind = "post";
  Bench bench(config, hw::TimingLevel::approximate);
  hw::ConvolveFields f = post_kernel(bench);
  f.activation_bits = 4;
  timed(bench, Bench::command(f));
  int found = 0;
  for (const auto& [key, times] : bench.context.activity.counts()) {
    if (key.action != Action::table_read) continue;
    EXPECT_EQ(key.bits_a, 4 + 6);
    EXPECT_EQ(key.bits_b, 16 * 4);
    ++found;
  }
  EXPECT_EQ(found, 1);
}

TEST(ComputeUnitTime, PointwiseWaitsForTheScaleUnit) {
  hw::HardwareConfig config;
  config.array.scale_lanes = 4;
  Bench bench(config, hw::TimingLevel::approximate);
  hw::ConvolveFields f = authors_kernel();
  f.kernel = 1;
  f.padding = 0;
  const TimelineEntry entry = timed(bench, Bench::command(f));
  // 784 positions, but 12,544 results at 4 a cycle; 16 parameters of 16 bytes first; SRAM
  // latency 1. With as many scale lanes as columns it would wait for nothing.
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 16 + 1 + 3136 + 6);
}

TEST(ComputeUnitTime, ReadQuantizerAddsItsLatency) {
  Bench bench(hw::HardwareConfig{}, hw::TimingLevel::approximate);
  hw::ConvolveFields f = authors_kernel();
  f.activation_bits = 4;
  f.read_multiplier = 4096;
  f.read_shift = 16;
  const TimelineEntry entry = timed(bench, Bench::command(f));
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 18 + 1 + 2 + 7062);
  EXPECT_EQ(counted(bench, Component::read_quantizer, Action::multiply), 82 * 82 * 16);
}

TEST(ComputeUnitTime, StreamedWeightsStallOnANarrowPort) {
  hw::HardwareConfig config;
  config.array.weights_per_pe = 8;  // of 9
  config.array.accumulators = 1;
  Bench bench(config, hw::TimingLevel::approximate);
  const TimelineEntry entry = timed(bench, Bench::command(authors_kernel()));
  // 256 bytes a cycle through ports of 128: twice the issue cycles. No fill but the parameters'.
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 16 + 1 + 2 * 7056 + 6);
  EXPECT_EQ(cycles(bench, entry.stalled), 7056);
  EXPECT_EQ(counted(bench, Component::weight_sram, Action::sram_read), 784 * 2304 / 64);
}

TEST(ComputeUnitTime, AWeightServesAsManyOutputsAsThereAreAccumulators) {
  hw::HardwareConfig config;
  config.array.weights_per_pe = 8;  // of 9
  config.array.accumulators = 16;
  Bench bench(config, hw::TimingLevel::approximate);
  const TimelineEntry entry = timed(bench, Bench::command(authors_kernel()));
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 16 + 1 + 7056 + 6);
  EXPECT_EQ(entry.stalled, sc_core::SC_ZERO_TIME);
  EXPECT_EQ(counted(bench, Component::weight_sram, Action::sram_read), 784 / 16 * 2304 / 64);
}

// Inputs, residual and results through one port: as long as all their accesses, not one after the other.
TEST(ComputeUnitTime, StreamsOfACommandAddUp) {
  hw::HardwareConfig config;
  config.activation_sram = {128 * 1024, 1, 32, 1};
  Bench bench(config, hw::TimingLevel::approximate);
  hw::ConvolveFields f = authors_kernel();
  f.has_residual = 1;
  f.residual_format = {8, 0};
  f.residual_multiplier = 1;
  f.residual_address = 3 * 16 * 1024;
  const TimelineEntry entry = timed(bench, Bench::command(f));
  const int accesses = 82 * 82 + 784 + 784;
  EXPECT_GT(accesses, 7056);
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 18 + 1 + accesses + 6);
  EXPECT_EQ(cycles(bench, entry.stalled), accesses - 7056);
}

// Takes two accesses every 40 cycles.
class Dma : public sc_core::sc_module {
 public:
  Dma(const sc_core::sc_module_name& name, Bench& bench, int bursts)
      : sc_module(name), bench_(bench), bursts_(bursts) {
    SC_HAS_PROCESS(Dma);
    SC_THREAD(run);
  }

 private:
  void run() {
    for (int i = 0; i < bursts_; ++i) {
      wait(bench_.context.cycles(40));
      bench_.activation.burst(2);
    }
  }
  Bench& bench_;
  int bursts_;
};

// DMA that takes ports while a command runs costs it these accesses, where it has none to spare.
class BurstsMeanwhile : public ::testing::TestWithParam<int> {};

TEST_P(BurstsMeanwhile, CostACommandTheirAccesses) {
  hw::HardwareConfig config;
  config.activation_sram = {128 * 1024, 1, 32, 1};
  Bench bench(config, hw::TimingLevel::approximate);
  Dma dma("dma", bench, GetParam());
  const TimelineEntry entry = timed(bench, Bench::command(authors_kernel()));
  const int accesses = 82 * 82 + 784;
  // All bursts are over when it ends.
  EXPECT_EQ(cycles(bench, entry.stalled), accesses + 2 * GetParam() - 7056);
}

INSTANTIATE_TEST_SUITE_P(Bursts, BurstsMeanwhile, ::testing::Values(0, 1, 100, 180));

hw::AdaptFields some_adapter() {
  hw::AdaptFields f{};
  f.channels = 16;
  f.hidden = 4;
  f.pool_multiplier = 1;
  f.read_multiplier = 1;
  f.second_bias = 4096;
  return f;
}

hw::Command adapt_command(const hw::AdaptFields& fields) {
  hw::Command command{};
  command.opcode = hw::Opcode::adapt;
  command.layer = 1;
  command.adapt = fields;
  return command;
}

TEST(ComputeUnit, RefusesBadAdaptersAndStepsThatNobodySet) {
  Bench bench(small_memories());
  const auto error = [&](const std::function<void(hw::AdaptFields&)>& spoil) {
    hw::AdaptFields fields = some_adapter();
    spoil(fields);
    return bench.run(adapt_command(fields));
  };
  using Fields = hw::AdaptFields;
  EXPECT_THAT(error([](Fields& f) { f.channels = 513; }),
              HasSubstr("adapt: channels is 513; allowed: 1 to 512 (the step adapter's)"));
  EXPECT_THAT(error([](Fields& f) { f.hidden = 129; }), HasSubstr("hidden is 129"));
  EXPECT_THAT(error([](Fields& f) { f.step_register = 4; }),
              HasSubstr("step_register is 4; allowed: 0 to 3"));
  EXPECT_THAT(error([](Fields& f) { f.read_multiplier = 0; }), HasSubstr("read_multiplier is 0"));
  EXPECT_THAT(error([](Fields& f) { f.second_shift = 47; }), HasSubstr("second_shift is 47"));
  EXPECT_THAT(error([](Fields& f) { f.second_bias = std::int64_t{1} << 41; }),
              HasSubstr("second_bias is"));
  EXPECT_THAT(error([](Fields& f) { f.address = 4; }), HasSubstr("multiples of 8"));
  EXPECT_THAT(error([](Fields& f) { f.address = 64 * 1024 - 8; }),
              HasSubstr("do not fit the weight SRAM of 65536 bytes"));

  hw::HardwareConfig config = small_memories();
  ConvolveCase c = some_case(config);
  bench.fill(c.memories);
  c.fields.step_register = 2;
  EXPECT_THAT(bench.run(Bench::command(c.fields)),
              HasSubstr("step_register is 2, but no adapt command has set that step"));
  c.fields.step_register = 5;
  EXPECT_THAT(bench.run(Bench::command(c.fields)),
              HasSubstr("step_register is 5; allowed: 0 to 4"));
  c.fields.step_register = 0;
  c.fields.channel_sums = static_cast<hw::ChannelSums>(3);
  EXPECT_THAT(bench.run(Bench::command(c.fields)), HasSubstr("channel_sums is 3; allowed: 0 to 2"));
  c.fields.channel_sums = hw::ChannelSums::none;
  c.fields.first_sum_channel = 16;
  EXPECT_THAT(bench.run(Bench::command(c.fields)),
              HasSubstr("first_sum_channel is 16; allowed: 0"));
  c.fields.channel_sums = hw::ChannelSums::restart;
  c.fields.first_sum_channel = 512;
  EXPECT_THAT(bench.run(Bench::command(c.fields)),
              HasSubstr("channels whose sums are gathered is " +
                        std::to_string(512 + c.fields.output_channels) + "; allowed: 1 to 512"));
}

// Its time is what the next layer waits, with a row of its own.
TEST(ComputeUnitTime, StepAdapter) {
  Bench bench(hw::HardwareConfig{}, hw::TimingLevel::approximate);
  const TimelineEntry entry = timed(bench, adapt_command(some_adapter()));
  EXPECT_EQ(entry.unit, Unit::step_adapter);
  EXPECT_EQ(entry.layer, 1);
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 16 + 16 + 1 + 28 + 4);
  EXPECT_EQ(entry.stalled, sc_core::SC_ZERO_TIME);
  EXPECT_EQ(counted(bench, Component::step_adapter, Action::multiply), 4 * 16 + 64 + 4);
  EXPECT_EQ(counted(bench, Component::weight_sram, Action::sram_read), 2);  // 100 bytes of 64
}

// Gathering sums takes no time; an adapted step takes the read quantizer's, whatever β is.
TEST(ComputeUnitTime, GatheringSumsIsFree) {
  Bench bench(hw::HardwareConfig{}, hw::TimingLevel::approximate);
  hw::ConvolveFields f = authors_kernel();
  f.channel_sums = hw::ChannelSums::restart;
  const TimelineEntry entry = timed(bench, Bench::command(f));
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 18 + 1 + 7062);
  EXPECT_EQ(counted(bench, Component::step_adapter, Action::add), 28 * 28 * 16);
}

TEST(ComputeUnitTime, VectorCommands) {
  Bench bench(hw::HardwareConfig{}, hw::TimingLevel::approximate);
  hw::VectorFields f = some_pool();
  f.multiplier = 1;
  f.second_multiplier = 1;
  f.second_format = {8, 0};
  f.second_address = 8192;
  f.height = f.width = 28;
  f.channels = 16;
  f.output_address = 3 * 16384;
  const TimelineEntry entry = timed(bench, Bench::command(hw::Opcode::add, f));
  EXPECT_EQ(entry.unit, Unit::compute_vector);
  EXPECT_EQ(cycles(bench, entry.end - entry.start), 784 + 4 + 1);
}

}  // namespace
}  // namespace abacus::models
