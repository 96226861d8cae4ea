#include "sw/reading/json_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sw/reading/section.hpp"

namespace abacus::reading {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(const std::string& text) {
  try {
    parse_json(text, "f.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ParseJson, EveryKindOfValueIsRead) {
  const Node root = parse_json(
      R"({"z": [1, -2], "a": {"t": true, "f": 2.5, "s": "x", "n": null}, "whole": 9223372036854775807})",
      "f.json");
  Section top("", {&root});
  EXPECT_THAT(top.keys(), ElementsAre("a", "whole", "z"));
  EXPECT_THAT(top.value("z").integers(-9, 9), ElementsAre(1, -2));
  EXPECT_EQ(top.value("whole").whole<std::int64_t>(), 9223372036854775807);
  Section a = top.section("a");
  EXPECT_TRUE(a.value("t").truth());
  EXPECT_EQ(a.value("f").number(), 2.5);
  EXPECT_EQ(a.value("s").text(), "x");
  EXPECT_TRUE(a.value("n").given());
}

TEST(ParseJson, ErrorsNameTheValueInFull) {
  const Node root =
      parse_json(R"({"layers": [{}, {"kernel": [3]}], "huge": 18446744073709551615})", "f.json");
  const auto error = [&](const auto& read) {
    try {
      Section top("", {&root});
      read(top);
    } catch (const InputError& refused) {
      return std::string(refused.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error([](Section& top) {
              top.value("layers").list()[1].section().value("kernel").integer(1, 7);
            }),
            "f.json: layers[1].kernel: found a list; allowed: a whole number from 1 to 7");
  EXPECT_EQ(error([](Section& top) {
              top.value("layers").list()[0].section().value("kernel").integer(1, 7);
            }),
            "f.json: layers[0].kernel: is missing; allowed: a whole number from 1 to 7");
  EXPECT_EQ(error([](Section& top) { top.section("huge"); }),
            "f.json: huge: found the number 1.84467e+19; allowed: an object");
  EXPECT_EQ(
      error([](Section& top) { top.value("layers").list()[1].section().refuse_unknown_keys(); }),
      "f.json: unknown key `layers[1].kernel` known here: ");
}

TEST(ParseJson, WhatIsNoJsonIsRefusedWithItsByte) {
  EXPECT_THAT(error_of("{\"a\": 1, }"), StartsWith("f.json: no valid JSON at byte 10: "));
  for (const char* text : {"", "{", "[1 2]", "{\"a\" 1}", "{} x", "nan", "'a'", "{\"a\": 1e999}"}) {
    EXPECT_THAT(error_of(text), HasSubstr("f.json: no valid JSON")) << text;
  }
}

TEST(ParseJson, AKeyThatStandsTwiceIsRefused) {
  EXPECT_THAT(error_of(R"({"a": {"b": 1, "c": 2, "b": 3}})"), HasSubstr("\"b\" stands twice"));
  EXPECT_EQ(error_of(R"({"a": {"b": 1}, "b": 3})"), "no error");
}

TEST(ParseJson, DepthAndCountAreBounded) {
  const auto nested = [](int levels) {
    const auto count = static_cast<std::size_t>(levels);
    return std::string(count, '[') + std::string(count, ']');
  };
  EXPECT_EQ(error_of(nested(most_levels)), "no error");
  EXPECT_THAT(error_of(nested(most_levels + 1)), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(error_of(std::string(1'000'000, '[')), HasSubstr("nested deeper than 64 levels"));
  std::string list = "[0";
  for (std::size_t i = 2; i < most_values; ++i) list += ",0";
  EXPECT_EQ(error_of(list + "]"), "no error");
  EXPECT_THAT(error_of(list + ",0,0]"), AllOf(HasSubstr("more than 1000000 values")));
}

}  // namespace
}  // namespace abacus::reading
