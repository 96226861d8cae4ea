#include "sw/cli/shared/json_output.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sw/reading/json_numbers.hpp"

namespace abacus::cli {
namespace {

constexpr int schema = 1;

}  // namespace

CLI::Option* add_json_option(CLI::App& command, bool& json) {
  return command.add_flag("--json", json, "Print the result as JSON, in place of text");
}

void add_file_or_json(CLI::App& command, std::string& out, bool& json) {
  CLI::Option* file = command.add_option("--out", out, "File to write (.csv)");
  add_json_option(command, json)->excludes(file);
}

void require_file_or_json(const std::string& out, bool json) {
  if (out.empty() && !json) throw std::invalid_argument("give --out FILE.csv or --json");
}

void print_json(const std::string& command, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json answer = {{"command", command}, {"schema", schema}};
  answer.update(fields);
  reading::require_finite(answer, "");
  std::printf("%s\n", answer.dump().c_str());
}

double nine_digits(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return std::strtod(text, nullptr);
}

}  // namespace abacus::cli
