// What a program tells on standard error beside its results, a line each, with its name before it; by spdlog.
// On a terminal errors and warnings have a colour, unless NO_COLOR is set to something (no-color.org).
#pragma once

#include <string>
#include <vector>

namespace abacus::support {

// "debug", "info", "warning", "error": each tells what those behind it do, and more.
const std::vector<std::string>& log_level_names();

// The program's name, before anything is told.
void start_log(const std::string& program);
// From now on. Throws std::invalid_argument where it is none of the names; "info" until then.
void set_log_level(const std::string& name);

void log_error(const std::string& text);
void log_warning(const std::string& text);  // "warning: " goes before it
void log_info(const std::string& text);
void log_debug(const std::string& text);

}  // namespace abacus::support
