#include "sw/support/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace abacus::support {
namespace {

using Sink = spdlog::sinks::stderr_color_sink_mt;

spdlog::color_mode colours() {
  const char* no_colour = std::getenv("NO_COLOR");
  return no_colour != nullptr && *no_colour != '\0' ? spdlog::color_mode::never
                                                    : spdlog::color_mode::automatic;
}

spdlog::logger make_logger() {
  const auto sink = std::make_shared<Sink>(colours());
  sink->set_color(spdlog::level::info, sink->reset);
  sink->set_color(spdlog::level::debug, sink->dark);
  spdlog::logger made("abacus", sink);
  made.set_pattern("abacus: %^%v%$");
  return made;
}

// spdlog keeps its loggers in a registry of the process, too; ours needs no name there.
spdlog::logger& logger() {
  static spdlog::logger made = make_logger();
  return made;
}

}  // namespace

const std::vector<std::string>& log_level_names() {
  static const std::vector<std::string> names = {"debug", "info", "warning", "error"};
  return names;
}

void start_log(const std::string& program) { logger().set_pattern(program + ": %^%v%$"); }

void set_log_level(const std::string& name) {
  const std::vector<std::string>& names = log_level_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw std::invalid_argument("there is no log level " + name);
  }
  logger().set_level(name == "error" ? spdlog::level::err : spdlog::level::from_str(name));
}

void log_error(const std::string& text) { logger().log(spdlog::level::err, text); }

void log_warning(const std::string& text) { logger().log(spdlog::level::warn, "warning: " + text); }

void log_info(const std::string& text) { logger().log(spdlog::level::info, text); }

void log_debug(const std::string& text) { logger().log(spdlog::level::debug, text); }

}  // namespace abacus::support
