// `abacus keys SUBJECT`: tables of keys and fields in Markdown, for the documents.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace abacus::cli {

void add_keys_command(CLI::App& app);

// `document` with `table` in place of what stands between the comments <!-- abacus keys SUBJECT --> and
// <!-- end of abacus keys SUBJECT -->. Throws std::runtime_error where they are not there.
std::string with_table(const std::string& document, const std::string& subject,
                       const std::string& table);

}  // namespace abacus::cli
