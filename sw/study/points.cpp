#include "sw/study/points.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <utility>

namespace abacus::study {
namespace {

constexpr std::int64_t most_grid = std::int64_t{1} << 60;
// Conditions are asked of each.
constexpr std::int64_t most_walked = 20'000'000;

// A table that grows key by key.
class Tree {
 public:
  void set(const std::string& key, const reading::Node& value) {
    const std::size_t dot = key.find('.');
    Tree& child = children_[key.substr(0, dot)];
    child.place_ = value.place();
    if (dot == std::string::npos) {
      child.leaf_ = value;
    } else {
      child.set(key.substr(dot + 1), value);
    }
  }

  reading::Node node() const {
    if (leaf_) return *leaf_;
    reading::Node::Table members;  // ascending, as the map is
    for (const auto& [key, child] : children_) {
      members.push_back({key, child.place_, child.node()});
    }
    return {place_, std::move(members)};
  }

  void place(const reading::Place& place) { place_ = place; }

 private:
  reading::Place place_;
  std::optional<reading::Node> leaf_;
  std::map<std::string, Tree> children_;
};

// Each of 0 … count − 1 as likely, the same everywhere, which std's distributions are not.
std::uint64_t below(std::mt19937_64& generator, std::uint64_t count) {
  const std::uint64_t limit = std::mt19937_64::max() - std::mt19937_64::max() % count;
  std::uint64_t drawn = generator();
  while (drawn >= limit) drawn = generator();
  return drawn % count;
}

template <typename T>
void shuffle(std::vector<T>& values, std::mt19937_64& generator) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[below(generator, i)]);
  }
}

// The base with one of its runs alone.
experiment::ScenarioSource with_run(const experiment::ScenarioSource& base,
                                    const std::string& name) {
  const auto* top = base.root.as<reading::Node::Table>();
  reading::Node::Table members;
  for (const reading::Member& member : *top) {
    const auto* runs = member.value.as<reading::Node::List>();
    if (member.key != run_axis || runs == nullptr) {
      members.push_back(member);
      continue;
    }
    reading::Node::List own;
    for (const reading::Node& run : *runs) {
      const reading::Member* of = run.find("name");
      const auto* text = of == nullptr ? nullptr : of->value.as<std::string>();
      if (text != nullptr && *text == name) own.push_back(run);
    }
    members.push_back({member.key, member.place, {member.value.place(), std::move(own)}});
  }
  return {base.file, base.text, {base.root.place(), std::move(members)}};
}

}  // namespace

experiment::Scenario read_point(const Study& study, const Points& points, std::int64_t number,
                                experiment::ReadFiles& files) {
  const std::vector<reading::Node> settings = {points.settings(number)};
  try {
    return experiment::read_scenario(study.base, settings, files);
  } catch (const reading::UnknownKeys&) {
    throw;
  } catch (const reading::InputError&) {
    const Scalar run = points.value(number, run_axis);
    const auto* name = std::get_if<std::string>(&run);
    if (name == nullptr) throw;
    try {
      return experiment::read_scenario(with_run(study.base, *name), settings, files);
    } catch (const reading::InputError& error) {
      if (std::string(error.what()).find("same_area_as") == std::string::npos) throw;
    }
    throw;
  }
}

Points::Points(const Study& study) : study_(study) {
  for (const Axis& axis : study.axes) {
    const auto count = static_cast<std::int64_t>(axis.values.size());
    if (grid_size_ > most_grid / count) {
      throw reading::InputError(study.file.string() + ": the axes have more than 2^60 points");
    }
    grid_size_ *= count;
  }
}

std::vector<std::size_t> Points::position(std::int64_t number) const {
  std::vector<std::size_t> position(study_.axes.size());
  for (std::size_t a = position.size(); a-- > 0;) {
    const auto count = static_cast<std::int64_t>(study_.axes[a].values.size());
    position[a] = static_cast<std::size_t>(number % count);
    number /= count;
  }
  return position;
}

std::int64_t Points::number(const std::vector<std::size_t>& position) const {
  std::int64_t number = 0;
  for (std::size_t a = 0; a < position.size(); ++a) {
    number = number * static_cast<std::int64_t>(study_.axes[a].values.size()) +
             static_cast<std::int64_t>(position[a]);
  }
  return number;
}

Scalar Points::value(std::int64_t number, const std::string& name) const {
  const std::vector<std::size_t> at = position(number);
  for (std::size_t a = 0; a < study_.axes.size(); ++a) {
    const Axis& axis = study_.axes[a];
    if (axis.name == name || std::count(axis.keys.begin(), axis.keys.end(), name) != 0) {
      return scalar_of(axis.values[at[a]]);
    }
  }
  for (const Derived& derived : study_.derived) {
    if (std::count(derived.keys.begin(), derived.keys.end(), name) == 0) continue;
    return derived.value.value([&](const std::string& other) { return value(number, other); });
  }
  return std::monostate();
}

bool Points::is_wanted(std::int64_t number) const {
  const auto values = [&](const std::string& name) { return value(number, name); };
  const auto holds = [&](const Expression& condition) { return condition.holds(values); };
  return std::all_of(study_.where.begin(), study_.where.end(), holds) &&
         std::none_of(study_.skip.begin(), study_.skip.end(), holds);
}

reading::Node Points::settings(std::int64_t number) const {
  Tree tree;
  tree.place(
      {std::make_shared<const reading::Source>(reading::Source{study_.file.string(), "a table"}), 0,
       0});
  const std::vector<std::size_t> at = position(number);
  for (std::size_t a = 0; a < study_.axes.size(); ++a) {
    for (const std::string& key : study_.axes[a].keys) {
      if (key != run_axis) tree.set(key, study_.axes[a].values[at[a]]);
    }
  }
  for (const Derived& derived : study_.derived) {
    const Scalar found =
        derived.value.value([&](const std::string& name) { return value(number, name); });
    for (const std::string& key : derived.keys) tree.set(key, node_of(found, derived.place));
  }
  return tree.node();
}

std::string Points::text(std::int64_t number) const {
  std::string text;
  const std::vector<std::size_t> at = position(number);
  for (std::size_t a = 0; a < study_.axes.size(); ++a) {
    const Axis& axis = study_.axes[a];
    const reading::Value value(axis.name, &axis.values[at[a]], {});
    text += (text.empty() ? "" : ", ") + axis.name + '=' + value.option();
  }
  return text;
}

std::vector<std::int64_t> Points::chosen() const {
  const Method& method = study_.method;
  std::vector<std::int64_t> numbers;
  std::mt19937_64 generator(method.seed);
  if (method.kind == MethodKind::latin_hypercube) {
    const auto count = static_cast<std::size_t>(method.points);
    std::vector<std::vector<std::size_t>> positions(count);
    for (const Axis& axis : study_.axes) {
      std::vector<std::size_t> strata(count);
      std::iota(strata.begin(), strata.end(), std::size_t{0});
      shuffle(strata, generator);
      for (std::size_t i = 0; i < count; ++i) {
        // A place in the stratum, in 2^-20ths of it.
        constexpr std::uint64_t parts = std::uint64_t{1} << 20;
        const double at = (static_cast<double>(strata[i]) +
                           static_cast<double>(below(generator, parts)) / parts) /
                          static_cast<double>(count);
        positions[i].push_back(
            static_cast<std::size_t>(at * static_cast<double>(axis.values.size())));
      }
    }
    std::set<std::int64_t> drawn;
    for (const std::vector<std::size_t>& position : positions) drawn.insert(number(position));
    for (const std::int64_t one : drawn) {
      if (is_wanted(one)) numbers.push_back(one);
    }
  } else if (method.kind == MethodKind::grid || grid_size_ <= 16 * method.points) {
    if (grid_size_ > most_walked) {
      throw reading::InputError(
          study_.file.string() + ": the grid has " + std::to_string(grid_size_) +
          " points; allowed: " + std::to_string(most_walked) + "; method.kind random takes some");
    }
    for (std::int64_t one = 0; one < grid_size_; ++one) {
      if (is_wanted(one)) numbers.push_back(one);
    }
    if (method.kind != MethodKind::grid &&
        static_cast<std::int64_t>(numbers.size()) > method.points) {
      shuffle(numbers, generator);
      numbers.resize(static_cast<std::size_t>(method.points));
    }
  } else {
    std::set<std::int64_t> drawn;
    // Conditions may leave very few.
    for (std::int64_t tries = 0; tries < most_walked; ++tries) {
      if (static_cast<std::int64_t>(drawn.size()) == method.points) break;
      const auto one =
          static_cast<std::int64_t>(below(generator, static_cast<std::uint64_t>(grid_size_)));
      if (drawn.count(one) == 0 && is_wanted(one)) drawn.insert(one);
    }
    numbers.assign(drawn.begin(), drawn.end());
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.empty()) {
    throw reading::InputError(study_.file.string() + ": where and skip leave no point");
  }
  return numbers;
}

}  // namespace abacus::study
