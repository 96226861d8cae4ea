#include "sw/network/value_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace abacus::network {
namespace {

using ::testing::HasSubstr;

TEST(ValueRules, NumbersAreWhatTheirNamesSay) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  for (const char* name : {"conv1.weight", "bn1.running_var", "a.square", "output scale",
                           "plan activation step", "layer1.0.conv1.range"}) {
    EXPECT_FALSE(wrong_value<double>(name, {1, 1e30, 1e-30})) << name;
    EXPECT_FALSE(wrong_value<double>(name, {})) << name;
    for (const double bad : {infinite, -infinite, none}) {
      const auto wrong = wrong_value<double>(name, {1, bad});
      ASSERT_TRUE(wrong) << name;
      EXPECT_EQ(wrong->index, 1U);
      EXPECT_THAT(wrong->expected, HasSubstr("finite numbers"));
    }
  }
  EXPECT_FALSE(wrong_value<float>("conv1.weight", {-1, 0}));
  for (const char* variance : {"bn1.running_var", "a.square"}) {
    EXPECT_FALSE(wrong_value<float>(variance, {0, 1}));
    EXPECT_EQ(wrong_value<float>(variance, {0, -1e-30F})->index, 1U);
  }
  for (const char* above : {"output scale", "plan activation step", "layer1.0.conv1.range"}) {
    EXPECT_EQ(wrong_value<double>(above, {1, 1, 0})->index, 2U);
    EXPECT_EQ(wrong_value<double>(above, {-2, 0})->value, -2);
  }
}

}  // namespace
}  // namespace abacus::network
