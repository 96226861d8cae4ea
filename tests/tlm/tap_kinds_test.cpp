#include "tlm/tap_kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace abacus::hw {
namespace {

using ::testing::HasSubstr;

TEST(TapKinds, HaveDifferentNamesAndProcessingElementsOfTheirOwn) {
  std::set<std::string_view> arithmetics;
  for (const TapKindRow& row : tap_kinds) {
    EXPECT_TRUE(arithmetics.insert(row.arithmetic).second) << row.arithmetic;
    const ProcessingElementKind element(row.kind);
    EXPECT_TRUE(element.computes(row.kind)) << row.arithmetic;
    EXPECT_EQ(element.has_exponent_weights(), has_exponent_weights(row.kind)) << row.arithmetic;
  }
}

TEST(ProcessingElementKinds, AreFoundByNameAndByWhatTheyCompute) {
  std::set<std::string_view> names;
  for (const ProcessingElementRow& row : processing_elements) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    const ProcessingElementKind kind(row.name);
    EXPECT_EQ(kind.name(), row.name);
    EXPECT_EQ(ProcessingElementKind(row.taps[0], row.taps[1]), kind) << row.name;
  }
  EXPECT_EQ(ProcessingElementKind(TapKind::absolute_difference), "adder");
  EXPECT_EQ(ProcessingElementKind(TapKind::shifted), "shift");
}

TEST(ProcessingElementKinds, LanesWithTwoUnitsComputeTheTapsOfBoth) {
  const ProcessingElementKind both = "shift-add";
  EXPECT_EQ(ProcessingElementKind(TapKind::shifted, TapKind::absolute_difference), both);
  EXPECT_TRUE(both.computes(ProcessingElementKind("shift")));
  EXPECT_TRUE(both.computes(TapKind::absolute_difference));
  EXPECT_FALSE(both.computes(TapKind::product));
  EXPECT_FALSE(ProcessingElementKind("adder").computes(both));
}

TEST(ProcessingElementKinds, UnknownOnesAreRefused) {
  try {
    ProcessingElementKind{"divider"};
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"divider\""));
    EXPECT_THAT(error.what(), HasSubstr("adder, mac, xnor, shift, shift-add, post, apot, table"));
  }
  EXPECT_THROW(ProcessingElementKind(TapKind::product, TapKind::shifted), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::hw
