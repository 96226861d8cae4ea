#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sw/compare/difference.hpp"

namespace abacus::compare {
namespace {

using Json = nlohmann::ordered_json;

const char* unit_of(const Change& change) {
  return change.metric == nullptr ? "" : change.metric->unit.c_str();
}

std::string with_unit(const Change& change) {
  const std::string unit = unit_of(change);
  const std::string relative = relative_text(change);
  return (unit.empty() ? "" : ' ' + unit) + (relative.empty() ? "" : " (" + relative + ')');
}

std::string from_to(const Change& change) {
  return value_text(change.a) + " → " + value_text(change.b) + with_unit(change);
}

std::string told(const std::vector<Value>& values, const std::string& name) {
  for (const Value& value : values) {
    if (value.name == name && !value.value.is_null()) return value_text(value.value);
  }
  return "";
}

// What made a file, in words.
std::string maker(const ResultsValues& results) {
  std::string text = "schema " + std::to_string(results.schema);
  const std::string version = told(results.provenance, "provenance.version");
  const std::string commit = told(results.provenance, "provenance.commit");
  if (!version.empty()) text += ", abacus " + version;
  if (!commit.empty()) text += ", commit " + commit.substr(0, 12);
  if (told(results.provenance, "provenance.dirty") == "true") text += " with changes";
  return text;
}

// A scenario's text is long.
std::string told_scenario(const Change& change) {
  return change.name == "scenario.text" ? "differs" : from_to(change);
}

// The metric's changes from `at` on.
std::size_t parts_from(const std::vector<Change>& all, std::size_t at) {
  std::size_t end = at;
  while (end < all.size() && all[end].name == all[at].name) ++end;
  return end - at;
}

std::string count_text(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

std::string verdict(const Difference& difference) {
  if (difference.same()) return "same";
  std::string text = "differs: " + count_text(difference.runs.size(), "run", "runs");
  if (!difference.only_a.empty() || !difference.only_b.empty()) {
    text += ", and " +
            count_text(difference.only_a.size() + difference.only_b.size(), "run", "runs") +
            " in one of them alone";
  }
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// In a table of Markdown.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

void add_row(const Change& change, std::string& text) {
  text += "| " + cell(change.name) + " | " + cell(change.part) + " | " +
          cell(value_text(change.a)) + " | " + cell(value_text(change.b)) + " | " +
          relative_text(change) + " | " + unit_of(change) + " |\n";
}

Json change_json(const Change& change) {
  const auto value = [](const Json& json) { return json.is_discarded() ? Json(nullptr) : json; };
  Json json = {{"name", change.name}, {"part", change.part}};
  json["a"] = value(change.a);
  json["b"] = value(change.b);
  json["only_in"] = change.in_both() ? Json(nullptr) : Json(change.a.is_discarded() ? "b" : "a");
  if (change.metric != nullptr) {
    json["unit"] = change.metric->unit;
    json["kind"] = to_string(change.metric->kind);
  }
  if (change.is_number()) {
    json["change"] = change.change();
    json["relative"] = std::isfinite(change.relative()) ? Json(change.relative()) : Json(nullptr);
  }
  return json;
}

Json changes_json(const std::vector<Change>& changes) {
  Json list = Json::array();
  for (const Change& change : changes) list.push_back(change_json(change));
  return list;
}

Json file_json(const ResultsValues& results) {
  return {{"file", results.file.string()}, {"schema", results.schema}};
}

}  // namespace

std::string relative_text(const Change& change) {
  if (!change.is_number()) return "";
  if (!std::isfinite(change.relative())) return "from 0";
  char text[40];
  std::snprintf(text, sizeof text, "%+.3g %%", 100 * change.relative());
  return text;
}

std::string value_text(const Json& value) {
  if (value.is_discarded()) return "–";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    char text[40];
    std::snprintf(text, sizeof text, "%.10g", value.get<double>());
    return text;
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const Difference& difference, std::size_t most) {
  std::string text = "A  " + difference.a.file.string() + "  (" + maker(difference.a) + ")\nB  " +
                     difference.b.file.string() + "  (" + maker(difference.b) + ")\n";
  for (const Change& change : difference.provenance) {
    if (change.name.rfind("provenance.command", 0) == 0) continue;
    text += "   " + change.name + ": " + from_to(change) + '\n';
  }
  for (const Change& change : difference.scenario) {
    text += "   " + change.name + ": " + told_scenario(change) + '\n';
  }
  if (!difference.not_compared.empty()) {
    text +=
        "   not compared, since one schema does not have them: " + joined(difference.not_compared) +
        '\n';
  }
  for (const std::string& run : difference.only_a) text += "run \"" + run + "\": only in A\n";
  for (const std::string& run : difference.only_b) text += "run \"" + run + "\": only in B\n";
  for (const RunDifference& run : difference.runs) {
    text += "run \"" + run.name + "\"\n";
    if (!run.inputs.empty()) text += "  inputs\n";
    for (const Change& change : run.inputs)
      text += "    " + change.name + ": " + from_to(change) + '\n';
    if (!run.outcomes.empty()) text += "  outcomes\n";
    for (std::size_t at = 0; at < run.outcomes.size();) {
      const std::size_t count = parts_from(run.outcomes, at);
      const Change& first = run.outcomes[at];
      if (count == 1 && first.part.empty()) {
        text += "    " + first.name + ": " + from_to(first) + '\n';
      } else {
        text += "    " + first.name + ", " + count_text(count, "part", "parts") + '\n';
        const std::size_t shown = most == 0 ? count : std::min(most, count);
        for (std::size_t i = at; i < at + shown; ++i) {
          const Change& change = run.outcomes[i];
          text += "      " + change.part + ": " + from_to(change) + '\n';
        }
        if (shown < count) text += "      and " + std::to_string(count - shown) + " smaller\n";
      }
      at += count;
    }
  }
  return text + verdict(difference) + '\n';
}

std::string to_markdown(const Difference& difference, std::size_t most) {
  std::string text = "| | A | B |\n| --- | --- | --- |\n| file | " +
                     cell(difference.a.file.string()) + " | " + cell(difference.b.file.string()) +
                     " |\n| made by | " + maker(difference.a) + " | " + maker(difference.b) +
                     " |\n";
  for (const Change& change : difference.scenario) {
    text += "\n" + change.name + ": " + cell(told_scenario(change)) + '\n';
  }
  if (!difference.not_compared.empty()) {
    text +=
        "\nNot compared, since one schema does not have them: " + joined(difference.not_compared) +
        '\n';
  }
  for (const std::string& run : difference.only_a) text += "\n## " + run + "\n\nonly in A\n";
  for (const std::string& run : difference.only_b) text += "\n## " + run + "\n\nonly in B\n";
  for (const RunDifference& run : difference.runs) {
    text +=
        "\n## " + run.name +
        "\n\n| value | part | A | B | change | unit |\n| --- | --- | ---: | ---: | ---: | --- |\n";
    for (const Change& change : run.inputs) add_row(change, text);
    std::string left_out;
    for (std::size_t at = 0; at < run.outcomes.size();) {
      const std::size_t count = parts_from(run.outcomes, at);
      const std::size_t shown = most == 0 ? count : std::min(most, count);
      for (std::size_t i = at; i < at + shown; ++i) add_row(run.outcomes[i], text);
      if (shown < count) {
        left_out += (left_out.empty() ? "\nSmaller ones left out: " : ", ") +
                    std::to_string(count - shown) + " of " + run.outcomes[at].name;
      }
      at += count;
    }
    if (!left_out.empty()) text += left_out + '\n';
  }
  return text + '\n' + verdict(difference) + '\n';
}

Json to_json(const Difference& difference) {
  Json runs = Json::array();
  for (const RunDifference& run : difference.runs) {
    runs.push_back({{"name", run.name},
                    {"inputs", changes_json(run.inputs)},
                    {"outcomes", changes_json(run.outcomes)}});
  }
  return {{"a", file_json(difference.a)},
          {"b", file_json(difference.b)},
          {"same", difference.same()},
          {"provenance", changes_json(difference.provenance)},
          {"scenario", changes_json(difference.scenario)},
          {"not_compared", difference.not_compared},
          {"only_in_a", difference.only_a},
          {"only_in_b", difference.only_b},
          {"runs", runs}};
}

}  // namespace abacus::compare
