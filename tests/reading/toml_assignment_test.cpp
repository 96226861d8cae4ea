#include "sw/reading/toml_assignment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace abacus::reading {
namespace {

using ::testing::StartsWith;

TEST(TomlAssignment, ValuesAreTomlOrTextAndKnowTheirName) {
  const Node dotted = parse_toml_assignment("hardware.array.rows = 8", "--set x");
  const Member* rows = dotted.find("hardware")->value.find("array")->value.find("rows");
  EXPECT_EQ(*rows->value.as<std::int64_t>(), 8);
  EXPECT_EQ(rows->place.text(), "--set x");
  EXPECT_EQ(rows->value.place().text(), "--set x");
  const auto text = [](const std::string& assignment) {
    return *parse_toml_assignment(assignment, "x").find("a")->value.as<std::string>();
  };
  EXPECT_EQ(text("a=adder"), "adder");
  EXPECT_EQ(text("a = two words "), "two words");
  EXPECT_EQ(text("a=\"quoted\""), "quoted");
  EXPECT_EQ(text("a=it's \"so\" = \\"), "it's \"so\" = \\");
  EXPECT_EQ(*parse_toml_assignment("a=0.5", "x").find("a")->value.as<double>(), 0.5);
  EXPECT_EQ(*parse_toml_assignment("a=true", "x").find("a")->value.as<bool>(), true);
  EXPECT_EQ(parse_toml_assignment("a=[3, 8, 8]", "x").find("a")->value.as<Node::List>()->size(),
            3U);
  EXPECT_NE(parse_toml_assignment("a={ b = 1 }", "x").find("a")->value.find("b"), nullptr);
}

TEST(TomlAssignment, AnythingElseIsRefused) {
  for (const char* bad : {"", "a", "=", "=1", "a=", "a= ", "# a = 1", "[a = 1", "a=1\nb=2", "a.=1",
                          "a b = 1", "\"a = 1"}) {
    try {
      parse_toml_assignment(bad, "--set it");
      ADD_FAILURE() << bad;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), StartsWith("--set it: found no KEY=VALUE; allowed: ")) << bad;
    }
  }
}

}  // namespace
}  // namespace abacus::reading
