#include "models/step_adapter/step_adapter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

namespace abacus::models {
namespace {

struct Case {
  hw::AdaptFields fields{};
  std::vector<std::int64_t> sums;
  std::vector<std::int64_t> biases;
  std::vector<std::int8_t> first;
  std::vector<std::int8_t> second;

  std::vector<std::uint8_t> parameters() const {
    std::vector<std::uint8_t> bytes(biases.size() * 8);
    if (!bytes.empty()) std::memcpy(bytes.data(), biases.data(), bytes.size());
    for (const auto& weights : {first, second}) {
      for (const std::int8_t w : weights) bytes.push_back(static_cast<std::uint8_t>(w));
    }
    return bytes;
  }
};

Case random_case(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  Case c;
  hw::AdaptFields& f = c.fields;
  f.channels = static_cast<std::uint16_t>(pick(1, 64));
  f.hidden = static_cast<std::uint16_t>(random() % 3 == 0 ? 0 : pick(1, 16));
  f.pool_multiplier = static_cast<std::uint16_t>(pick(0, 65535));
  f.pool_shift = static_cast<std::uint8_t>(pick(8, 24));
  f.first_shift = static_cast<std::uint8_t>(pick(0, 12));
  f.second_shift = static_cast<std::uint8_t>(pick(0, 16));
  f.read_multiplier = static_cast<std::uint16_t>(pick(1, 65535));
  f.second_bias = pick(-1000, 20000) * (std::int64_t{1} << f.second_shift);
  const auto weights = [&](int count) {
    std::vector<std::int8_t> all;
    for (int i = 0; i < count; ++i) all.push_back(static_cast<std::int8_t>(pick(-128, 127)));
    return all;
  };
  for (int i = 0; i < f.channels; ++i) c.sums.push_back(pick(-2000000, 2000000));
  for (int i = 0; i < f.hidden; ++i) c.biases.push_back(pick(-1000000, 1000000));
  c.first = weights(f.hidden * f.channels);
  c.second = weights(f.hidden == 0 ? f.channels : f.hidden);
  return c;
}

// Half rounds up.
std::int64_t rounded(std::int64_t value, int shift) {
  return static_cast<std::int64_t>(
      std::floor(std::ldexp(static_cast<long double>(value), -shift) + 0.5L));
}

TEST(StepAdapter, FollowsItsDefinitionOnRandomNetworks) {
  std::mt19937 random(3);
  StepAdapter adapter{hw::StepAdapterConfig{}};
  StepSaturations all;
  int in_range = 0;
  for (int i = 0; i < 2000; ++i) {
    Case c = random_case(random);
    c.fields.step_register = static_cast<std::uint8_t>(i % 4);
    // Sums come in parts, in any order of channels.
    adapter.begin(hw::ChannelSums::restart);
    for (int channel = 0; channel < c.fields.channels; ++channel) adapter.add(channel, 5);
    adapter.begin(hw::ChannelSums::add);
    for (int channel = c.fields.channels - 1; channel >= 0; --channel) {
      adapter.add(channel, c.sums[static_cast<std::size_t>(channel)] - 5);
    }
    const StepSaturations found = adapter.adapt(c.fields, c.parameters().data());

    std::vector<std::int64_t> values;
    for (const std::int64_t sum : c.sums) {
      values.push_back(std::clamp<std::int64_t>(
          rounded(sum * c.fields.pool_multiplier, c.fields.pool_shift), -32768, 32767));
    }
    if (c.fields.hidden != 0) {
      std::vector<std::int64_t> hidden;
      for (std::size_t j = 0; j < c.fields.hidden; ++j) {
        std::int64_t sum = c.biases[j];
        for (std::size_t k = 0; k < values.size(); ++k) {
          sum += values[k] * c.first[j * values.size() + k];
        }
        hidden.push_back(std::clamp<std::int64_t>(rounded(sum, c.fields.first_shift), 0, 32767));
      }
      values = hidden;
    }
    std::int64_t sum = c.fields.second_bias;
    for (std::size_t k = 0; k < values.size(); ++k) sum += values[k] * c.second[k];
    const std::int64_t factor = rounded(sum, c.fields.second_shift);
    const std::int64_t beta = std::clamp<std::int64_t>(factor, 256, 32768);
    const std::int64_t multiplier =
        (std::int64_t{c.fields.read_multiplier} * 4096 + beta / 2) / beta;

    const AdaptedStep& step = adapter.step(i % 4);
    ASSERT_TRUE(step.set);
    ASSERT_EQ(step.factor, beta) << i;
    ASSERT_EQ(step.read_multiplier, std::clamp<std::int64_t>(multiplier, 1, 65535)) << i;
    ASSERT_EQ(found.read, multiplier < 1 || multiplier > 65535);
    ASSERT_EQ(found.underflows, factor < 256);
    ASSERT_EQ(found.overflows, factor > 32768);
    all += found;
    in_range += found.underflows + found.overflows == 0;
  }
  EXPECT_GT(all.underflows, 0);
  EXPECT_GT(all.overflows, 0);
  EXPECT_GT(all.read, 0);
  EXPECT_GT(in_range, 200);
}

TEST(StepAdapter, DividesToTheNearest) {
  StepAdapter adapter{hw::StepAdapterConfig{}};
  Case c;
  c.fields.channels = 1;
  c.second = {0};
  const auto multiplier = [&](int beta, int base) {
    c.fields.second_bias = beta;
    c.fields.read_multiplier = static_cast<std::uint16_t>(base);
    adapter.adapt(c.fields, c.parameters().data());
    return adapter.step(0).read_multiplier;
  };
  EXPECT_EQ(multiplier(4096, 777), 777);
  EXPECT_EQ(multiplier(8192, 777), 389);  // 388.5
  EXPECT_EQ(multiplier(2048, 777), 1554);
  EXPECT_EQ(multiplier(300, 1), 14);   // 13.65
  EXPECT_EQ(multiplier(32768, 1), 1);  // 0.125
}

TEST(StepAdapter, ScalesMultipliersAndCountsThoseThatDoNotFit) {
  std::int64_t saturations = 0;
  EXPECT_EQ(StepAdapter::scaled(1000, 4096, saturations), 1000);
  EXPECT_EQ(StepAdapter::scaled(-1001, 2048, saturations), -500);  // half rounds up
  EXPECT_EQ(StepAdapter::scaled(16384, 2 * 4096 - 1, saturations), 32764);
  EXPECT_EQ(saturations, 0);
  EXPECT_EQ(StepAdapter::scaled(16384, 2 * 4096, saturations), 32767);
  EXPECT_EQ(StepAdapter::scaled(-30000, 65535, saturations), -32768);
  EXPECT_EQ(saturations, 2);
}

TEST(StepAdapter, TakesTheCyclesOfItsSheet) {
  StepAdapter adapter{hw::StepAdapterConfig{}};
  hw::AdaptFields fields{};
  fields.channels = 64;
  fields.hidden = 16;
  EXPECT_EQ(adapter.cycles(fields), 64 + 256 + 4 + 28 + 4);
  fields.channels = 7;
  fields.hidden = 0;
  EXPECT_EQ(adapter.cycles(fields), 7 + 2 + 28 + 4);
}

// β stays between 1/16 and 8, so that a read multiplier of 12 bits and a scale multiplier of 13 with the sign
// never saturate.
TEST(StepAdapter, KeepsItsFactorWithinItsRange) {
  StepAdapter adapter{hw::StepAdapterConfig{}};
  Case c;
  c.fields.channels = 1;
  c.second = {0};
  c.fields.read_multiplier = 4095;
  const auto adapt = [&](std::int64_t factor) {
    c.fields.second_bias = factor;
    return adapter.adapt(c.fields, c.parameters().data());
  };
  StepSaturations found = adapt(255);
  EXPECT_EQ(found.underflows, 1);
  EXPECT_EQ(found.read, 0);
  EXPECT_EQ(adapter.step(0).factor, 256);
  EXPECT_EQ(adapter.step(0).read_multiplier, 4095 * 16);
  EXPECT_EQ(adapt(256).underflows, 0);
  EXPECT_EQ(adapt(32768).overflows, 0);
  found = adapt(32769);
  EXPECT_EQ(found.overflows, 1);
  EXPECT_EQ(adapter.step(0).factor, 32768);
  std::int64_t saturations = 0;
  EXPECT_EQ(StepAdapter::scaled(-4095, 32768, saturations), -32760);
  EXPECT_EQ(saturations, 0);
}

// 3 channels, 2 hidden values: 6 + 2 weights.
TEST(StepAdapter, CountsTheActionsOfItsSheet) {
  Activity activity;
  hw::AdaptFields fields{};
  fields.channels = 3;
  fields.hidden = 2;
  StepAdapter::count_adapt(activity, 1, fields);
  StepAdapter::count_scaling(activity, 1, 5);
  const auto counted = [&](Action action, int bits, int bits_b = 0) {
    const auto at = activity.counts().find({1, Component::step_adapter, action, bits, bits_b});
    return at == activity.counts().end() ? 0 : at->second;
  };
  EXPECT_EQ(counted(Action::multiply, 16, 8), 4 * 3 + 8);
  EXPECT_EQ(counted(Action::multiply, 32, 16), 0);
  EXPECT_EQ(counted(Action::add, 48), 3 * 3);
  EXPECT_EQ(counted(Action::add, 40), 8);
  EXPECT_EQ(counted(Action::register_read, 32), 3 + 1);
  EXPECT_EQ(counted(Action::register_read, 16), 8);
  EXPECT_EQ(counted(Action::register_write, 16), 3 + 2);
  EXPECT_EQ(counted(Action::register_write, 32), 1);
  EXPECT_EQ(counted(Action::multiply, 16, 16), 5);
}

TEST(StepAdapter, ForgetsBetweenPrograms) {
  StepAdapter adapter{hw::StepAdapterConfig{}};
  Case c;
  c.fields.channels = 1;
  c.fields.pool_multiplier = 1;
  c.second = {1};
  adapter.begin(hw::ChannelSums::add);
  adapter.add(0, 500);
  adapter.adapt(c.fields, c.parameters().data());
  EXPECT_EQ(adapter.step(0).factor, 500);
  adapter.forget();
  EXPECT_FALSE(adapter.step(0).set);
  EXPECT_EQ(adapter.adapt(c.fields, c.parameters().data()).underflows, 1);
}

TEST(StepAdapter, RefusesBadParameters) {
  const auto refuses = [](const hw::StepAdapterConfig& config, const char* message) {
    try {
      const StepAdapter adapter(config);
      ADD_FAILURE() << message;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(message));
    }
  };
  refuses({0, 128, 4, 4}, "step_adapter: channels is 0; allowed: 1 to 32767");
  refuses({512, 0, 4, 4}, "step_adapter: hidden is 0");
  refuses({512, 128, 0, 4}, "step_adapter: lanes is 0");
  refuses({512, 128, 4, 65}, "step_adapter: registers is 65; allowed: 1 to 64");
}

}  // namespace
}  // namespace abacus::models
