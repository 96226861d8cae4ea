// The points of a study as a table, and the best of them: `abacus export`, `abacus best`.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sw/study/store.hpp"

namespace abacus::study {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<nlohmann::ordered_json>> rows;  // null: none
};

// A row a point, ascending. Columns: number, axes, status, metrics, reason, hash, package_sha256, unless `columns` says which
// (seconds too, which differ from one execution to the next). Throws std::runtime_error for a column that there is not,
// with the nearest.
Table table_of(const StoredStudy& study, const std::vector<std::string>& columns);

void write_csv(std::ostream& out, const Table& table);
nlohmann::ordered_json to_json(const Table& table);
// In columns, for people; numbers with 6 digits.
std::string to_text(const Table& table);

struct Wish {
  std::vector<Objective> objectives;  // none: the study's
  std::string where;                  // empty: all
  bool pareto = false;                // all that no other one beats in all objectives
  std::size_t top = 1;  // else so many, the best by the first objective, then the next
};

// Of the points that are ok and meet the study's constraints and `where`. Throws InputError for names that there are
// not, and where no point has an objective.
StoredStudy best(const StoredStudy& study, const Wish& wish);

// The study's own objectives, or the wish's.
std::vector<Objective> objectives_of(const StoredStudy& study, const Wish& wish);

}  // namespace abacus::study
