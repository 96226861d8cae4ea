#include "models/post_lut/post_lut.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "models/post_lut/post_lut_entry.hpp"

namespace abacus::models {
namespace {

TEST(PostLut, EntriesAreTheNearestToTheSquareRootsMultiples) {
  for (int fraction = 2; fraction <= 8; ++fraction) {
    for (int index = 0; index < 64; ++index) {
      for (int magnitude = 0; magnitude <= 255; ++magnitude) {
        const double value = std::ldexp(magnitude, fraction) * std::exp2(-(2 * index + 1) / 2.0);
        ASSERT_EQ(post_lut_entry(magnitude, index, fraction), std::lround(value))
            << magnitude << " " << index << " " << fraction;
      }
    }
  }
}

// The paper's example: 3-bit operands, a table of 8 × 4.
TEST(PostLut, HasTheSizeOfThePapersExample) {
  const PostLut table({4, 8, 1, 1}, "array");
  EXPECT_EQ(table.entries(3), 8 * 4);
  EXPECT_EQ(table.entries(8), 256 * 4);
  EXPECT_EQ(hw::post_table_exponents(8), 4);  // n = 1, 3, 5, 7 of 0 … 7
  EXPECT_EQ(hw::post_table_exponents(7), 3);
  EXPECT_EQ(hw::post_table_exponents(1), 0);
}

TEST(PostLut, RefusesBadParameters) {
  const auto refuses = [](const hw::PostTableConfig& config, const char* message) {
    try {
      const PostLut table(config, "pe_array");
      ADD_FAILURE() << message;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(message));
    }
  };
  refuses({0, 8, 1, 1}, "pe_array: table.exponents is 0; allowed: 1 to 64");
  refuses({4, 1, 1, 1}, "pe_array: table.fraction_bits is 1; allowed: 2 to 8");
  refuses({4, 9, 1, 1}, "table.fraction_bits is 9");
  refuses({4, 8, 0, 1}, "table.ports is 0");
  refuses({4, 8, 1, 0}, "table.lanes is 0");
}

}  // namespace
}  // namespace abacus::models
