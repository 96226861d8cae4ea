// --json: a command's result as data on standard output, in place of its text for people.
// docs/command-json.md lists each command's fields.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace abacus::cli {

// The flag; `json` must outlive the parsing.
CLI::Option* add_json_option(CLI::App& command, bool& json);

// Of commands whose result is a table: --out FILE.csv or --json, one of the two.
void add_file_or_json(CLI::App& command, std::string& out, bool& json);
// Throws std::invalid_argument where neither was given.
void require_file_or_json(const std::string& out, bool json);

// One line: {"command": …, "schema": 1}, then the fields.
void print_json(const std::string& command, const nlohmann::ordered_json& fields);

// With the nine significant digits that the CSV files have, all of a float's: what was measured in
// float32 has no more.
double nine_digits(double value);

}  // namespace abacus::cli
