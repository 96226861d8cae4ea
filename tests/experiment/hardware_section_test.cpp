#include "sw/experiment/hardware/hardware_section.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "sw/experiment/hardware/hardware_json.hpp"
#include "sw/reading/toml_file.hpp"
#include "tlm/dram_devices.hpp"
#include "tlm/hardware_fields.hpp"

namespace abacus::experiment {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path source_folder = ABACUS_SOURCE_FOLDER;

hw::HardwareConfig read(const std::string& text) {
  const reading::Node root = reading::parse_toml(text, "s.toml");
  reading::Section scenario("", {&root});
  reading::Mistakes mistakes;
  ReadFiles files;
  hw::HardwareConfig config = read_hardware(scenario, source_folder, "adder", files, mistakes);
  mistakes.raise();
  return config;
}

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const reading::InputError& error) {
    return error.what();
  }
  return "no error";
}

// A value as TOML, and what the error must say was found.
struct Bad {
  std::string toml;
  std::string found;
};

template <typename Number>
std::string text_of(Number value) {
  std::ostringstream text;
  text.precision(17);
  text << value;
  return text.str();
}

std::vector<Bad> bad_values(const hw::WholeRange& range) {
  return {{text_of(range.lowest - 1), text_of(range.lowest - 1)},
          {text_of(range.highest + 1), text_of(range.highest + 1)},
          {text_of(range.lowest) + ".5", "the number"},
          {"\"4\"", "the text \"4\""},
          {"true", "true"},
          {"[1]", "a list"}};
}
std::vector<Bad> bad_values(const hw::RealRange& range) {
  return {{text_of(range.lowest == 0 ? -1 : range.lowest * 0.99), ""},
          {text_of(range.highest * 1.01), ""},
          {"nan", "the number nan"},
          {"inf", "the number inf"},
          {"\"4\"", "the text \"4\""},
          {"false", "false"},
          {"{}", "a table"}};
}
std::vector<Bad> bad_values(const hw::Truth&) {
  return {{"1", "found 1"}, {"\"true\"", "the text \"true\""}, {"[]", "a list"}};
}
std::vector<Bad> bad_values(const hw::AnyText&) {
  return {{"\"\"", "the text \"\""}, {"3", "found 3"}, {"true", "true"}};
}
template <std::size_t N>
std::vector<Bad> bad_values(const hw::OneOf<N>&) {
  return {{"\"nobody\"", "the text \"nobody\""}, {"3", "found 3"}, {"\"\"", "the text \"\""}};
}
std::vector<Bad> bad_values(const hw::OneOfListed&) { return bad_values(hw::OneOf<0>{}); }
std::vector<Bad> bad_values(const hw::OneOfNames&) { return bad_values(hw::OneOf<0>{}); }
std::vector<Bad> bad_values(const hw::Subtable&) {
  return {{"3", "found 3"}, {"\"x\"", "the text \"x\""}, {"[]", "a list"}};
}

std::string allowed_words(const hw::WholeRange& range) {
  return "a whole number from " + text_of(range.lowest) + " to " + text_of(range.highest);
}
std::string allowed_words(const hw::RealRange&) { return "a number from "; }
std::string allowed_words(const hw::Truth&) { return "true or false"; }
std::string allowed_words(const hw::AnyText&) { return "a text that is not empty"; }
template <std::size_t N>
std::string allowed_words(const hw::OneOf<N>& of) {
  return std::string(of.names.front()) + ", ";
}
std::string allowed_words(const hw::OneOfListed& of) { return of.names().front(); }
std::string allowed_words(const hw::OneOfNames& of) { return of.names().front(); }
std::string allowed_words(const hw::Subtable&) { return "a table"; }

// Calls check(full key, row) for every row of every section.
template <typename Config, typename Check>
void for_each_field(const std::string& section, const Config& config, const Check& check) {
  hw::visit_fields(config, [&](const auto& field, const auto& value) {
    const std::string key = section + '.' + field.key;
    check(key, field);
    if constexpr (std::is_same_v<std::decay_t<decltype(field.allowed)>, hw::Subtable>) {
      for_each_field(key, value, check);
    }
  });
}

TEST(HardwareFields, EveryOneRefusesBadValuesByItsNameAndSaysWhatIsAllowed) {
  int fields = 0;
  for_each_field("hardware", hw::HardwareConfig(), [&](const std::string& key, const auto& field) {
    ++fields;
    for (const Bad& bad : bad_values(field.allowed)) {
      EXPECT_THAT(error_of(key + " = " + bad.toml),
                  AllOf(HasSubstr("s.toml:1:" + text_of(key.size() + 4) + ": " + key + ": found "),
                        HasSubstr(bad.found), HasSubstr(allowed_words(field.allowed))));
    }
  });
  EXPECT_GT(fields, 60);
}

TEST(HardwareFields, EveryOneTakesTheEndsOfItsRange) {
  for_each_field("hardware", hw::HardwareConfig(), [&](const std::string& key, const auto& field) {
    using Allowed = std::decay_t<decltype(field.allowed)>;
    if constexpr (std::is_same_v<Allowed, hw::WholeRange> ||
                  std::is_same_v<Allowed, hw::RealRange>) {
      for (const auto value : {field.allowed.lowest, field.allowed.highest}) {
        // Rules between the values of a DRAM device may refuse one; its row's range must not.
        EXPECT_THAT(error_of(key + " = " + text_of(value)),
                    ::testing::Not(HasSubstr("; allowed: a ")));
      }
    }
  });
}

TEST(HardwareFields, EveryOneHasAUniqueKeyAndAMeaning) {
  std::set<std::string> keys;
  for_each_field("hardware", hw::HardwareConfig(), [&](const std::string& key, const auto& field) {
    EXPECT_TRUE(keys.insert(key).second) << key;
    EXPECT_STRNE(field.meaning, "") << key;
  });
}

// Full keys of the parameters in which two configurations differ.
template <typename Config>
std::vector<std::string> differences(const std::string& section, const Config& a, const Config& b) {
  std::vector<std::string> keys;
  hw::visit_fields(a, [&](const auto& field, const auto& value) {
    const std::string key = section + '.' + field.key;
    if constexpr (std::is_same_v<std::decay_t<decltype(field.allowed)>, hw::Subtable>) {
      for (const std::string& below : differences(key, value, b.*(field.member))) {
        keys.push_back(below);
      }
    } else if (value != b.*(field.member)) {
      keys.push_back(key);
    }
  });
  return keys;
}

TEST(HardwareSection, TheDefaultPresetEqualsTheDefaultHardware) {
  const hw::HardwareConfig built_in;
  EXPECT_EQ(read("").name, built_in.name);
  EXPECT_THAT(differences("hardware", read(""), built_in), ::testing::IsEmpty());
  hw::HardwareConfig other;
  other.dram.t_rp = 14;
  other.array.table.lanes = 2;
  EXPECT_THAT(differences("hardware", other, built_in),
              ::testing::ElementsAre("hardware.array.table.lanes", "hardware.dram.t_rp"));
}

TEST(HardwareSection, WhatResultsSayCanBeReadBack) {
  const hw::HardwareConfig hardware = read(
      "hardware.array = { kind = \"post\", rows = 8, table.lanes = 4 }\n"
      "hardware.dram = { device = \"other\", bytes = 268435456, banks = 8, row_bytes = 2048, "
      "data_bits = 16, burst_length = 8, t_ck = 1.25, t_rcd = 13.75, t_rp = 14.5, t_cl = 13.75, "
      "t_cwl = 10, t_ras = 35, t_wr = 15, t_wtr = 7.5, t_rtp = 7.5, t_rfc = 160, t_refi = 7800 }\n"
      "hardware.weight_sram.bytes = 131072\nhardware.command_queue = 3\n");
  const nlohmann::ordered_json json = hardware_json(hardware);
  EXPECT_EQ(json["array"]["kind"], "post");
  EXPECT_EQ(json["array"]["table"]["lanes"], 4);
  EXPECT_EQ(json["dram"]["t_rp"], 14.5);
  EXPECT_EQ(json["weight_sram"]["bytes"], 131072);
  // JSON's own values, key by key, are TOML.
  std::string text;
  const std::function<void(const std::string&, const nlohmann::ordered_json&)> add =
      [&](const std::string& key, const nlohmann::ordered_json& value) {
        if (!value.is_object()) text += key + " = " + value.dump() + '\n';
        for (const auto& item : value.items()) {
          if (value.is_object()) add(key + '.' + item.key(), item.value());
        }
      };
  add("hardware", json);
  EXPECT_THAT(differences("hardware", read(text), hardware), ::testing::IsEmpty());
}

TEST(HardwareSection, ADevicesNameStandsForItsNumbersAndNotForThePresets) {
  for (const hw::DramDevice& device : hw::dram_devices()) {
    const hw::DramConfig dram = read("hardware.dram.device = \"" + device.name + "\"\n").dram;
    EXPECT_EQ(dram.device, device.name);
    EXPECT_THAT(differences("dram", dram, device.config), ::testing::IsEmpty()) << device.name;
  }
  const hw::DramConfig own =
      read("hardware.dram = { device = \"DDR4-2400\", t_rcd = 20, bandwidth = 9.6 }\n").dram;
  EXPECT_EQ(own.t_rcd, 20);
  EXPECT_EQ(own.bank_groups, 2);
  EXPECT_EQ(own.channels, 2);
}

TEST(HardwareSection, ResultsTellOfADramWhatItsDeviceDoesNot) {
  EXPECT_EQ(hardware_json(read("")).at("dram").size(), 17u);
  const hw::HardwareConfig hardware = read(
      "hardware.dram = { device = \"LPDDR5-6400\", mapping = \"row-bank-column\", t_ccd_l = 0, "
      "controller = \"fr-fcfs\", queue_depth = 100 }\n");
  std::string text;
  const nlohmann::ordered_json json = hardware_json(hardware);
  EXPECT_EQ(json["dram"]["transfers_per_clock"], 8);
  for (const auto& item : json["dram"].items()) {
    text += "hardware.dram." + item.key() + " = " + item.value().dump() + '\n';
  }
  EXPECT_THAT(differences("dram", read(text).dram, hardware.dram), ::testing::IsEmpty()) << text;
}

TEST(HardwareSection, ResultsLeaveOutWhatAnArrayDoesNotHave) {
  hw::HardwareConfig hardware;
  const auto has = [&](const char* key) { return hardware_json(hardware)["array"].contains(key); };
  for (const hw::ProcessingElementRow& row : hw::processing_elements) {
    hardware.array.kind = hw::ProcessingElementKind(row.name);
    const std::string name(row.name);
    EXPECT_EQ(has("table"), name == "post") << name;
    EXPECT_EQ(has("fraction_bits"),
              name == "post" || name == "apot" || name == "shift" || name == "shift-add")
        << name;
    EXPECT_TRUE(has("scale_lanes"));
  }
}

}  // namespace
}  // namespace abacus::experiment
