#include "sw/reading/toml_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sw/reading/section.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::reading {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

template <typename Read>
std::string error_of(const Read& read) {
  try {
    read();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ReadToml, ValuesAndKeysKnowTheirPlace) {
  const Node root = parse_toml("a = 1\n[b]\nc.d = [ 1, \"x\" ]\nwhen = 2020-01-01\n", "f.toml");
  EXPECT_EQ(root.find("a")->place.text(), "f.toml:1:1");
  EXPECT_EQ(root.find("a")->value.place().text(), "f.toml:1:5");
  const Node& list = root.find("b")->value.find("c")->value.find("d")->value;
  EXPECT_EQ((*list.as<Node::List>())[1].place().text(), "f.toml:3:12");
  EXPECT_EQ(root.find("b")->value.find("when")->value.described(), "a date or time");
  EXPECT_EQ(root.find("c"), nullptr);
}

TEST(ReadToml, WhatIsNoTomlIsRefusedWithItsPlace) {
  EXPECT_THAT(error_of([] { parse_toml("a = 1\nb = \n", "f.toml"); }), StartsWith("f.toml:2:"));
  EXPECT_THAT(error_of([] { parse_toml("a = 1\na = 2\n", "f.toml"); }), StartsWith("f.toml:2:"));
  EXPECT_THAT(error_of([] { read_toml("/nowhere/f.toml"); }),
              StartsWith("/nowhere/f.toml: cannot read the file"));
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "f.toml";
  test::write_text(file, "\n\nx y\n");
  EXPECT_THAT(error_of([&] { read_toml(file); }), StartsWith(file.string() + ":3:"));
}

TEST(ReadToml, DepthIsBounded) {
  const auto nested = [](std::size_t lists) {
    return "a = " + std::string(lists, '[') + std::string(lists, ']') + "\n";
  };
  EXPECT_EQ(error_of([&] { parse_toml(nested(most_levels - 1), "f"); }), "no error");
  EXPECT_THAT(error_of([&] { parse_toml(nested(most_levels), "f"); }),
              HasSubstr("nested deeper than 64 levels"));
  // Deep enough to end a parser, or its result's destructor, that calls itself for each level.
  std::string dotted = "a";
  for (int i = 1; i < most_levels; ++i) dotted += ".a";
  const std::string tables = "[" + dotted + "]\n";
  EXPECT_THAT(error_of([&] { parse_toml("x = 1\n" + dotted + ".a = 1\n", "f"); }),
              StartsWith("f:2:"));
  for (const std::string& text :
       {std::string(100'000, '['), "a = " + std::string(100'000, '['),
        "a = " + std::string(100'000, '{'), "a" + std::string(100'000, '.')}) {
    EXPECT_THAT(error_of([&] { parse_toml(text, "f"); }), HasSubstr("nested deeper")) << text[4];
  }
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += i % 2 == 0 ? ".a" : " . \"b\"";
  for (const std::string& text : {deep + " = 1", "[" + deep + "]", "[[" + deep + "]]"}) {
    EXPECT_THAT(error_of([&] { parse_toml(text, "f"); }), HasSubstr("nested deeper"));
  }
  EXPECT_THAT(error_of([&] { parse_toml(tables, "f"); }), HasSubstr("nested deeper"));
}

// Dots and brackets in texts, comments and lists of numbers are no levels.
TEST(ReadToml, OnlyLevelsCountAsDepth) {
  const std::string marks = std::string(200, '.') + std::string(200, '[');
  std::string numbers;
  for (int i = 0; i < 200; ++i) numbers += "1.5, ";
  for (const std::string& text :
       {"# " + marks + "\na = 1", "a = \"\\\"" + marks + "\"", "a = '" + marks + "'",
        "a = \"\"\"\n\"" + marks + "\\\"\"\"\"", "a = '''\n'" + marks + "'''",
        "a = [" + numbers + "]", "\"" + marks + "\" = 1"}) {
    EXPECT_EQ(error_of([&] { parse_toml(text, "f"); }), "no error") << text.substr(0, 12);
  }
}

}  // namespace
}  // namespace abacus::reading
