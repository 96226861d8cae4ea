// `abacus report RESULTS.json`
#pragma once

#include <CLI/CLI.hpp>

namespace abacus {

// Has scripts/report.py make a self-contained HTML page of a results file.
void add_report_command(CLI::App& app);

}  // namespace abacus
