#include "sw/study/expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace abacus::study {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::map<std::string, Scalar> values = {{"rows", 8.0},
                                              {"columns", 16.0},
                                              {"hardware.array.kind", std::string("mac")},
                                              {"gated", true},
                                              {"accuracy_percent", std::monostate()}};

Expression parse(const std::string& text) {
  std::set<std::string> names;
  for (const auto& [name, value] : values) names.insert(name);
  return {text, "s.toml:3:9: where: ", names};
}

Scalar value_of(const std::string& text) {
  return parse(text).value([](const std::string& name) { return values.at(name); });
}

bool holds(const std::string& text) {
  return parse(text).holds([](const std::string& name) { return values.at(name); });
}

std::string error_of(const std::string& text) {
  try {
    holds(text);
  } catch (const reading::InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Expression, ComputesAndCompares) {
  EXPECT_EQ(value_of("rows * columns + 2"), Scalar(130.0));
  EXPECT_EQ(value_of("floor(columns / 5) + ceil(rows / 5) + mod(rows, 3)"), Scalar(7.0));
  EXPECT_EQ(value_of("max(rows, columns) ^ 2"), Scalar(256.0));
  EXPECT_TRUE(holds("rows * columns <= 128 and columns > rows"));
  EXPECT_FALSE(holds("rows < 8 or hardware.array.kind != \"mac\""));
  EXPECT_TRUE(holds("gated && hardware.array.kind == \"mac\""));
}

TEST(Expression, ValuesOfOnePointDoNotStayForTheNext) {
  const Expression rows = parse("rows");
  for (const double wanted : {1.0, 5.0, 2.0}) {
    EXPECT_EQ(rows.value([&](const std::string&) { return Scalar(wanted); }), Scalar(wanted));
  }
}

TEST(Expression, AConditionOverAValueThatIsNoneIsFalse) {
  EXPECT_FALSE(holds("accuracy_percent > 90"));
  EXPECT_FALSE(holds("accuracy_percent <= 90"));
}

TEST(Expression, ErrorsNameTheColumn) {
  EXPECT_THAT(error_of("rows * columnz > 3"),
              AllOf(StartsWith("s.toml:3:9: where: column 8 of \"rows * columnz > 3\""),
                    HasSubstr("did you mean `columns`?")));
  EXPECT_THAT(error_of("rows ** 2 > 3"), HasSubstr("column 7 of"));
  EXPECT_THAT(error_of("(rows > 3"), HasSubstr("column "));
  EXPECT_THAT(error_of("rows >"), HasSubstr("column "));
  EXPECT_THAT(error_of("rows = 8"), AllOf(HasSubstr("column 6 of"), HasSubstr("== compares")));
  EXPECT_THAT(error_of("rows + 1"), HasSubstr("is no condition"));
  EXPECT_THAT(error_of("rows < \"a\""), HasSubstr("s.toml:3:9: where: "));
  EXPECT_THAT(error_of(" "), HasSubstr("is empty"));
}

}  // namespace
}  // namespace abacus::study
