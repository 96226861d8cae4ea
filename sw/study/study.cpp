#include "sw/study/study.hpp"

#include <limits>
#include <map>
#include <set>
#include <utility>

#include "sw/reading/file_bytes.hpp"
#include "sw/reading/toml_file.hpp"
#include "sw/study/metric_names.hpp"
#include "sw/study/points.hpp"

namespace abacus::study {
namespace {

constexpr std::int64_t most_points = 10'000'000;

void read_base(reading::Section& top, Study& study) {
  const reading::Value file = top.value("scenario");
  const reading::Value inline_base = top.value("base");
  if (file.given() == inline_base.given()) {
    top.refuse("scenario",
               "a study has either `scenario`, a path from the study's folder, or [base], the "
               "scenario itself");
  }
  if (inline_base.given()) {
    inline_base.section();  // a table
    study.base = {study.file, study.text, *inline_base.node()};
    return;
  }
  const std::filesystem::path path = study.file.parent_path() / file.text();
  if (!std::filesystem::is_regular_file(path)) {
    file.refuse("there is no file " + path.string() + " (the path is relative to the study file)");
  }
  study.base = experiment::read_scenario_source(path);
}

// Texts, in a list or alone.
std::vector<reading::Value> texts(const reading::Value& value) {
  if (!value.given()) return {};
  if (value.node()->as<std::string>() != nullptr) return {value};
  std::vector<reading::Value> list = value.list();
  for (const reading::Value& one : list) one.text();
  return list;
}

Expression parse(const reading::Value& value, const std::set<std::string>& names) {
  const std::string text = value.text();
  return {text, value.place().text() + ": " + value.name() + ": ", names};
}

void read_conditions(reading::Section& top, const char* key, const std::set<std::string>& names,
                     std::vector<Expression>& conditions, reading::Mistakes& mistakes) {
  mistakes.collect([&] {
    for (const reading::Value& value : texts(top.value(key))) {
      mistakes.collect([&] { conditions.push_back(parse(value, names)); });
    }
  });
}

void read_constraints(reading::Section& top, const std::set<std::string>& axes, Study& study,
                      reading::Mistakes& mistakes) {
  mistakes.collect([&] {
    for (const reading::Value& value : texts(top.value("constraints"))) {
      mistakes.collect(
          [&] { study.constraints.push_back(parse(value, condition_names(value.text(), axes))); });
    }
  });
}

void read_objectives(reading::Section& top, Study& study, reading::Mistakes& mistakes) {
  for (const bool maximise : {false, true}) {
    mistakes.collect([&] {
      for (const reading::Value& value : texts(top.value(maximise ? "maximise" : "minimise"))) {
        mistakes.collect([&] {
          const std::string metric = metric_of(value.text());
          if (metric.empty()) value.refuse(no_metric(value.text()));
          for (const Objective& earlier : study.objectives) {
            if (earlier.metric == metric) value.refuse("is an objective already");
          }
          study.objectives.push_back({metric, maximise});
        });
      }
    });
  }
}

void read_derived(reading::Section section, std::set<std::string>& names, Study& study,
                  reading::Mistakes& mistakes) {
  section.collect_into(mistakes);
  mistakes.collect([&] {
    std::vector<std::string> keys = read_keys(section);
    const reading::Value value = section.value("value");
    study.derived.push_back({std::move(keys), parse(value, names), value.place()});
  });
  section.expect("value");
  section.refuse_unknown_keys();
  if (study.derived.empty()) return;
  names.insert(study.derived.back().keys.begin(), study.derived.back().keys.end());
}

Method read_method(reading::Section section, std::size_t objectives) {
  static const std::map<std::string, MethodKind> kinds = {
      {"grid", MethodKind::grid},
      {"random", MethodKind::random},
      {"latin-hypercube", MethodKind::latin_hypercube},
      {"nsga2", MethodKind::nsga2}};
  Method method;
  method.kind =
      kinds.at(section.choice("kind", "grid", {"grid", "random", "latin-hypercube", "nsga2"}));
  for (const char* key : {"points", "seed", "population"}) section.expect(key);
  section.refuse_unknown_keys();
  if (method.kind != MethodKind::nsga2 && section.has("population")) {
    section.refuse("population", "goes with kind nsga2");
  }
  if (method.kind == MethodKind::grid) {
    for (const char* key : {"points", "seed"}) {
      if (section.has(key)) section.refuse(key, "goes with kind random, latin-hypercube, nsga2");
    }
    return method;
  }
  if (method.kind == MethodKind::nsga2) {
    constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();  // pagmo's
    method.points = section.value("points").integer(1, most_points);
    method.seed = static_cast<std::uint64_t>(section.integer("seed", 1, 0, most));
    method.population = static_cast<int>(section.integer("population", 40, 8, 10'000));
    if (method.population % 4 != 0) section.refuse("population", "allowed: a multiple of 4");
    if (objectives < 2) {
      section.refuse("kind", "nsga2 needs two objectives (minimise, maximise) at least");
    }
    return method;
  }
  method.points = section.value("points").integer(1, most_points);
  method.seed = static_cast<std::uint64_t>(
      section.integer("seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  return method;
}

SlurmSettings read_engines(reading::Section engines, reading::Mistakes& mistakes) {
  engines.collect_into(mistakes);
  engines.expect("slurm");
  engines.refuse_unknown_keys();
  SlurmSettings settings;
  reading::Section slurm = engines.section("slurm");
  slurm.collect_into(mistakes);
  mistakes.collect([&] { settings.chunk = slurm.integer("chunk", 0, 1, most_points); });
  mistakes.collect([&] {
    for (const reading::Value& option : texts(slurm.value("sbatch"))) {
      if (option.text().empty() || option.text().front() != '-') {
        option.refuse_found("an option of sbatch, such as \"--time=60\"");
      }
      settings.sbatch.push_back(option.text());
    }
  });
  slurm.refuse_unknown_keys();
  return settings;
}

// Two who drive one key: which of them would hold?
class Drivers {
 public:
  void add(const std::vector<std::string>& keys, const std::string& place) {
    for (const std::string& key : keys) {
      for (const auto& [other, where] : places_) {
        const bool above = key.compare(0, other.size() + 1, other + '.') == 0;
        const bool below = other.compare(0, key.size() + 1, key + '.') == 0;
        if (key == other || above || below) {
          throw reading::InputError(place + ": " + key + " is driven twice, also by " + where +
                                    (key == other ? "" : " (" + other + ")") +
                                    "; allowed: one axis or one [[derived]] a key");
        }
      }
      places_[key] = place;
    }
  }

 private:
  std::map<std::string, std::string> places_;
};

// The axis of a scenario's runs, where it has several and no axis chooses some.
void complete_runs(Study& study) {
  const reading::Member* runs = study.base.root.find("run");
  std::vector<std::string> names;
  if (runs != nullptr) {
    if (const auto* list = runs->value.as<reading::Node::List>()) {
      for (const reading::Node& run : *list) {
        const reading::Member* name = run.find("name");
        const auto* text = name == nullptr ? nullptr : name->value.as<std::string>();
        names.push_back(text == nullptr ? "" : *text);
      }
    }
  }
  for (const Axis& axis : study.axes) {
    if (axis.keys != std::vector<std::string>{run_axis}) continue;
    for (const reading::Node& value : axis.values) {
      const auto* text = value.as<std::string>();
      if (text != nullptr && std::set<std::string>(names.begin(), names.end()).count(*text) != 0) {
        continue;
      }
      throw reading::InputError(value.place().text() + ": run: found " + value.described() +
                                "; allowed: the scenario's runs: " + reading::joined(names));
    }
    return;
  }
  if (names.empty()) return;
  Axis axis;
  axis.name = run_axis;
  axis.keys = {run_axis};
  for (const std::string& name : names) {
    axis.values.push_back(node_of(name, runs->place));
  }
  axis.location = runs->place.text();
  study.axes.push_back(std::move(axis));
}

void check_names(const Study& study) {
  std::set<std::string> names;
  for (const Axis& axis : study.axes) {
    if (!names.insert(axis.name).second) {
      throw reading::InputError(axis.location + ": two axes are called \"" + axis.name + '"');
    }
    if (!metric_of(axis.name).empty() || reserved_columns().count(axis.name) != 0) {
      throw reading::InputError(axis.location + ": an axis is called \"" + axis.name +
                                "\", as a column of every table is; give it another `name`");
    }
  }
}

bool reads(const Study& study, const Points& points, std::int64_t number,
           experiment::ReadFiles& files) {
  try {
    read_point(study, points, number, files);
    return true;
  } catch (const reading::InputError&) {
    return false;
  }
}

// By the first point: keys are the same in all. Throws InputError for keys that nobody knows, and where neither
// this point nor two far from it can be.
void check_keys(const Study& study, experiment::ReadFiles& files) {
  const Points points(study);
  try {
    read_point(study, points, 0, files);
  } catch (const reading::UnknownKeys&) {
    throw;
  } catch (const reading::InputError&) {
    // May well do with other values; the point itself tells. Where the scenario says nothing that an axis could mend,
    // no point would do.
    for (std::int64_t number : {points.grid_size() / 3, points.grid_size() - 1}) {
      if (reads(study, points, number, files)) return;
    }
    throw;
  }
}

}  // namespace

Study read_study(const std::filesystem::path& file, experiment::ReadFiles& files) {
  Study study{file,
              "",
              reading::file_bytes(file, reading::most_toml_bytes),
              {{}, "", reading::Node({}, reading::Node::Table())},
              {},
              {},
              {},
              {},
              {},
              {},
              {},
              {}};
  const reading::Node root = reading::parse_toml(study.text, file.string());
  reading::Mistakes mistakes;
  reading::Section top("", {&root});
  top.collect_into(mistakes);
  for (const char* key : {"name", "scenario", "base", "axis", "derived", "where", "skip",
                          "minimise", "maximise", "constraints", "method", "engine"}) {
    top.expect(key);
  }
  top.refuse_unknown_keys();
  study.name = top.text("name", file.stem().string());
  const bool has_base = mistakes.collect([&] { read_base(top, study); });
  Drivers drivers;
  mistakes.collect([&] {
    const reading::Value axes = top.value("axis");
    for (const reading::Value& axis : axes.list()) {
      mistakes.collect([&] {
        study.axes.push_back(read_axis(axis.section(), mistakes));
        drivers.add(study.axes.back().keys, axis.place().text() + ": " + axis.name());
      });
    }
  });
  if (has_base) mistakes.collect([&] { complete_runs(study); });
  mistakes.collect([&] { check_names(study); });
  std::set<std::string> names;
  for (const Axis& axis : study.axes) {
    names.insert(axis.name);
    names.insert(axis.keys.begin(), axis.keys.end());
  }
  mistakes.collect([&] {
    const reading::Value derived = top.value("derived");
    if (!derived.given()) return;
    for (const reading::Value& one : derived.list()) {
      mistakes.collect([&] {
        const std::size_t before = study.derived.size();
        read_derived(one.section(), names, study, mistakes);
        if (study.derived.size() > before) {
          drivers.add(study.derived.back().keys, one.place().text() + ": " + one.name());
        }
      });
    }
  });
  read_conditions(top, "where", names, study.where, mistakes);
  read_conditions(top, "skip", names, study.skip, mistakes);
  read_objectives(top, study, mistakes);
  read_constraints(top, names, study, mistakes);
  mistakes.collect(
      [&] { study.method = read_method(top.section("method"), study.objectives.size()); });
  mistakes.collect([&] { study.slurm = read_engines(top.section("engine"), mistakes); });
  mistakes.raise();
  check_keys(study, files);
  return study;
}

}  // namespace abacus::study
