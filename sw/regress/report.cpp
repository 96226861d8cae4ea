#include "sw/regress/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

namespace abacus::regress {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::array<std::string, 5>;

constexpr std::size_t most_parts = 3;

std::string value_text(const nlohmann::json& value) {
  if (value.is_discarded()) return "–";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Characters on the screen, but for wide ones.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

std::string aligned(const std::vector<Row>& rows, const std::string& indent) {
  std::array<std::size_t, 5> widths{};
  for (const Row& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = indent;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += row[c];
      if (c + 1 < row.size()) line += std::string(widths[c] - width(row[c]) + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

double size(const Mismatch& mismatch) {
  if (!mismatch.golden.is_number() || !mismatch.now.is_number()) {
    return std::numeric_limits<double>::infinity();
  }
  return std::abs(mismatch.now.get<double>() - mismatch.golden.get<double>());
}

// By metric in the order in which they come, the largest change first.
std::vector<std::vector<Mismatch>> by_metric(const std::vector<Mismatch>& all) {
  std::vector<std::vector<Mismatch>> groups;
  std::map<std::string, std::size_t> place;
  for (const Mismatch& mismatch : all) {
    const auto [at, added] = place.emplace(mismatch.metric, groups.size());
    if (added) groups.emplace_back();
    groups[at->second].push_back(mismatch);
  }
  for (std::vector<Mismatch>& group : groups) {
    std::stable_sort(group.begin(), group.end(),
                     [](const Mismatch& a, const Mismatch& b) { return size(a) > size(b); });
  }
  return groups;
}

std::string run_table(const RunVerdict& run) {
  std::vector<Row> rows = {{"metric", "golden", "now", "change", "tolerance"}};
  for (const std::vector<Mismatch>& group : by_metric(run.mismatches)) {
    for (std::size_t i = 0; i < std::min(most_parts, group.size()); ++i) {
      const Mismatch& one = group[i];
      rows.push_back({one.part.empty() ? one.metric : one.metric + '[' + one.part + ']',
                      value_text(one.golden), value_text(one.now), one.change(),
                      one.tolerance.text()});
    }
    if (group.size() > most_parts) {
      rows.push_back(
          {"  and " + std::to_string(group.size() - most_parts) + " smaller", "", "", "", ""});
    }
  }
  std::string text = "  run \"" + run.run + "\"\n" + aligned(rows, "    ");
  if (!run.first_layer.empty()) text += "    first layer: " + run.first_layer + '\n';
  if (!run.first_component.empty()) text += "    first component: " + run.first_component + '\n';
  return text;
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Json value_json(const nlohmann::json& value) {
  return value.is_discarded() ? Json(nullptr) : Json::parse(value.dump());
}

Json mismatch_json(const Mismatch& one) {
  return {{"run", one.run},
          {"metric", one.metric},
          {"part", one.part},
          {"golden", value_json(one.golden)},
          {"now", value_json(one.now)},
          {"tolerance", one.tolerance.text()},
          {"unit", one.unit}};
}

}  // namespace

std::string mismatch_table(const Verdict& verdict) {
  std::string text;
  for (const RunVerdict& run : verdict.runs) text += run_table(run);
  return text;
}

std::string to_text(const std::vector<CaseReport>& reports) {
  std::string text;
  std::size_t passed = 0;
  for (const CaseReport& report : reports) {
    passed += report.passed() ? 1 : 0;
    text += (report.passed()        ? "same     "
             : report.error.empty() ? "differs  "
                                    : "crashed  ") +
            report.of.name + "  " + seconds_text(report.seconds) + '\n';
    if (!report.error.empty()) text += report.error + (report.error.back() == '\n' ? "" : "\n");
    text += mismatch_table(report.verdict);
    if (!report.verdict.added.empty()) {
      text += "  new, not in the golden file: " + joined(report.verdict.added) + '\n';
    }
  }
  return text + std::to_string(passed) + " of " + std::to_string(reports.size()) +
         (reports.size() == 1 ? " case" : " cases") + " the same\n";
}

Json to_json(const Suite& suite, const std::vector<CaseReport>& reports) {
  Json cases = Json::array();
  for (const CaseReport& report : reports) {
    Json mismatches = Json::array();
    Json runs = Json::array();
    for (const RunVerdict& run : report.verdict.runs) {
      for (const Mismatch& one : run.mismatches) mismatches.push_back(mismatch_json(one));
      runs.push_back({{"name", run.run},
                      {"first_layer", run.first_layer},
                      {"first_component", run.first_component}});
    }
    cases.push_back({{"name", report.of.name},
                     {"status", report.passed()        ? "same"
                                : report.error.empty() ? "differs"
                                                       : "crashed"},
                     {"seconds", report.seconds},
                     {"error", report.error},
                     {"runs", runs},
                     {"mismatches", mismatches},
                     {"new", report.verdict.added}});
  }
  return {{"suite", suite.name}, {"cases", cases}};
}

}  // namespace abacus::regress
