#include "sw/reading/section.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "sw/reading/toml_file.hpp"

namespace abacus::reading {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::string& text, const std::function<void(Section&)>& read) {
  const Node root = parse_toml(text, "f");
  Section section("", {&root});
  try {
    read(section);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

struct Refused {
  const char* value;
  std::function<void(const Value&)> read;
  const char* message;  // after "f:1:5: a: "
};

TEST(Value, EveryGetterRefusesOtherTypesAndValuesOutOfRange) {
  const auto whole = [](const Value& value) { value.integer(2, 8); };
  const auto number = [](const Value& value) { value.number(0.5, 8); };
  const auto more = [](const Value& value) {
    value.number(1, std::numeric_limits<double>::infinity());
  };
  const auto any = [](const Value& value) { value.number(); };
  const auto truth = [](const Value& value) { value.truth(); };
  const auto text = [](const Value& value) { value.text(); };
  const auto any_text = [](const Value& value) { value.any_text(); };
  const auto choice = [](const Value& value) { value.choice({"x", "y"}); };
  const auto list = [](const Value& value) { value.list(); };
  const auto pair = [](const Value& value) { value.integers(2, 0, 9); };
  const auto section = [](const Value& value) { value.section(); };
  const auto option = [](const Value& value) { value.option(); };
  const auto byte = [](const Value& value) { value.whole<std::int8_t>(); };
  const std::vector<Refused> all = {
      {"1", whole, "found 1; allowed: a whole number from 2 to 8"},
      {"9", whole, "found 9; allowed: a whole number from 2 to 8"},
      {"4.0", whole, "found the number 4; allowed: a whole number from 2 to 8"},
      {"true", whole, "found true; allowed: a whole number from 2 to 8"},
      {"128", byte, "found 128; allowed: a whole number from -128 to 127"},
      {"0", number, "found 0; allowed: a number from 0.5 to 8"},
      {"8.5", number, "found the number 8.5; allowed: a number from 0.5 to 8"},
      {"nan", number, "found the number nan; allowed: a number from 0.5 to 8"},
      {"0.5", more, "found the number 0.5; allowed: a number, 1 or more"},
      {"inf", more, "found the number inf; allowed: a number, 1 or more"},
      {"inf", any, "found the number inf; allowed: a number"},
      {"\"1\"", any, "found the text \"1\"; allowed: a number"},
      {"1", truth, "found 1; allowed: true or false"},
      {"\"\"", text, "found the text \"\"; allowed: a text that is not empty"},
      {"[]", text, "found a list; allowed: a text that is not empty"},
      {"3", any_text, "found 3; allowed: a text"},
      {"\"z\"", choice, "found the text \"z\"; allowed: x, y"},
      {"false", choice, "found false; allowed: x, y"},
      {"{}", list, "found a table; allowed: a list"},
      {"[1]", pair, "found a list; allowed: a list of 2 whole numbers from 0 to 9"},
      {"3", section, "found 3; allowed: a table"},
      {"{}", option, "found a table; allowed: a text, a number, true or false"}};
  for (const Refused& one : all) {
    const auto read = [&](Section& top) { one.read(top.value("a")); };
    EXPECT_EQ(error_of("a = " + std::string(one.value), read),
              std::string("f:1:5: a: ") + one.message);
    const std::string message = one.message;
    EXPECT_EQ(error_of("b = 1", read),
              "f:1:1: a: is missing;" + message.substr(message.find("; ") + 1));
  }
  EXPECT_EQ(error_of("a = [1, 10]", [&](Section& top) { pair(top.value("a")); }),
            "f:1:9: a[1]: found 10; allowed: a whole number from 0 to 9");
}

TEST(Value, GivesWhatIsAllowed) {
  const Node root = parse_toml("a = 8\nb = \"\"\nc = [[1], [2, 3]]\nd = 0.1\ne = true\n", "f");
  Section top("", {&root});
  EXPECT_EQ(top.value("a").integer(8, 8), 8);
  EXPECT_EQ(top.value("a").number(8, 8), 8.0);
  EXPECT_EQ(top.value("b").any_text(), "");
  EXPECT_THAT(top.value("c").list()[1].integers(0, 3), ElementsAre(2, 3));
  EXPECT_EQ(top.value("d").option(), "0.10000000000000001");
  EXPECT_EQ(top.value("e").option(), "true");
  EXPECT_EQ(top.integer("none", 7, 0, 1), 7);  // a default is not judged
}

TEST(Section, TheFirstLayerThatHasAKeyDecides) {
  const Node over = parse_toml("t.a = 1\n", "over");
  const Node under = parse_toml("t = { a = 2, b = 3 }\n", "under");
  Section top("", {&over});
  Section table = top.section("t", under.find("t") ? &under.find("t")->value : nullptr);
  EXPECT_EQ(table.integer("a", 0, 0, 9), 1);
  EXPECT_EQ(table.integer("b", 0, 0, 9), 3);
  EXPECT_EQ(table.place_of("b"), "under:1:18");
  EXPECT_EQ(table.place_of("c"), "over:1:1");
  table.refuse_unknown_keys();
}

TEST(Section, UnknownKeysAreRefusedUnlessOthersReadThem) {
  const auto read = [](bool expected) {
    return [expected](Section& top) {
      if (expected) top.expect("t.other");
      Section table = top.section("t");
      table.integer("rows", 1, 1, 9);
      table.refuse_unknown_keys();
      top.refuse_unknown_keys();
    };
  };
  EXPECT_EQ(error_of("t.row = 1", read(true)),
            "f:1:3: unknown key `t.row`; did you mean `rows`? known here: other, rows");
  EXPECT_EQ(error_of("t.other = 1", read(true)), "no error");
  EXPECT_THAT(error_of("t.other = 1", read(false)), HasSubstr("unknown key `t.other`"));
  EXPECT_THAT(error_of("other = 1", read(true)), HasSubstr("unknown key `other`"));
}

TEST(Nearest, FindsMisspellingsAndNothingElse) {
  const std::set<std::string> known{"rows", "columns", "weight_bits"};
  EXPECT_EQ(nearest("row", known), "rows");
  EXPECT_EQ(nearest("colums", known), "columns");
  EXPECT_EQ(nearest("weigth_bits", known), "weight_bits");
  EXPECT_EQ(nearest("temperature", known), "");
}

}  // namespace
}  // namespace abacus::reading
