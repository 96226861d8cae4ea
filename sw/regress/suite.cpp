#include "sw/regress/suite.hpp"

#include <fnmatch.h>

#include <limits>
#include <set>
#include <utility>

#include "sw/reading/toml_file.hpp"

namespace abacus::regress {
namespace {

// A file is called after it.
void check_name(const reading::Value& value) {
  if (value.text().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
          std::string::npos &&
      value.text().front() != '.') {
    return;
  }
  value.refuse_found("small letters, digits, -, _ and ., in front no .");
}

Case read_case(reading::Section section, const std::filesystem::path& base,
               const Tolerances& tolerances, reading::Mistakes& mistakes) {
  section.collect_into(mistakes);
  Case read;
  mistakes.collect([&] {
    const reading::Value name = section.value("name");
    check_name(name);
    read.name = name.text();
  });
  mistakes.collect([&] {
    const reading::Value scenario = section.value("scenario");
    read.scenario = base / scenario.text();
    if (!std::filesystem::is_regular_file(read.scenario)) {
      scenario.refuse("there is no file " + read.scenario.string() +
                      " (the path is relative to the suite's file)");
    }
  });
  read.smoke = section.choice("tier", "smoke", {"smoke", "full"}) == "smoke";
  mistakes.collect([&] {
    const reading::Value set = section.value("set");
    if (!set.given()) return;
    for (const reading::Value& setting : set.list()) read.settings.push_back(setting.text());
  });
  mistakes.collect([&] {
    const reading::Value images = section.value("images");
    if (images.given()) read.images = images.integer(0, std::numeric_limits<std::int32_t>::max());
  });
  mistakes.collect([&] { read.tolerances = tolerances.with(section.section("tolerance")); });
  section.refuse_unknown_keys();
  return read;
}

}  // namespace

Suite read_suite(const std::filesystem::path& file, const std::filesystem::path& goldens) {
  const reading::Node root = reading::read_toml(file);
  const std::filesystem::path base = file.parent_path();
  reading::Mistakes mistakes;
  reading::Section top("", {&root});
  top.collect_into(mistakes);
  Suite suite;
  suite.file = file;
  suite.name = top.text("name", file.stem().string());
  const std::filesystem::path folder =
      goldens.empty() ? base / top.text("goldens", "goldens") : goldens;
  top.expect("goldens");
  Tolerances tolerances = Tolerances::defaults();
  mistakes.collect([&] { tolerances = tolerances.with(top.section("tolerance")); });
  std::set<std::string> names;
  mistakes.collect([&] {
    const reading::Value cases = top.value("case");
    for (const reading::Value& one : cases.list()) {
      Case read = read_case(one.section(), base, tolerances, mistakes);
      if (!read.name.empty() && !names.insert(read.name).second) {
        mistakes.collect([&] { one.refuse("two cases are called \"" + read.name + '"'); });
      }
      read.golden = folder / (read.name + ".json");
      suite.cases.push_back(std::move(read));
    }
    if (suite.cases.empty()) cases.refuse("has no case; allowed: [[case]], one a case");
  });
  top.refuse_unknown_keys();
  mistakes.raise();
  return suite;
}

std::vector<Case> chosen(const Suite& suite, bool smoke_alone, const std::string& pattern) {
  std::vector<Case> cases;
  const std::string anywhere = '*' + pattern + '*';
  for (const Case& one : suite.cases) {
    if (smoke_alone && !one.smoke) continue;
    if (::fnmatch(anywhere.c_str(), one.name.c_str(), 0) == 0) cases.push_back(one);
  }
  return cases;
}

}  // namespace abacus::regress
