// `abacus report RESULTS.json`
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

// Has scripts/report make a self-contained HTML page of a results file.
void add_report_command(CLI::App& app);

}  // namespace abacus::cli
