#include "sw/cli/shared/command_line.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/help_command.hpp"
#include "sw/reading/section.hpp"
#include "sw/support/log.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::cli {
namespace {

constexpr int failed = 1;

std::string did_you_mean(const std::string& text, const std::set<std::string>& known) {
  const std::string near = reading::nearest(text, known);
  return near.empty() ? "" : "; did you mean " + near + '?';
}

// "Examples:", and the lines below it.
std::string example_text(const std::string& examples) {
  std::string text = "Examples:";
  std::istringstream lines(examples);
  for (std::string line; std::getline(lines, line);) text += "\n  " + line;
  return text;
}

// CLI11 takes a command that it does not know for none at all.
void refuse_unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::set<std::string> known;
  for (const CLI::App* command : app.get_subcommands({})) known.insert(command->get_name());
  if (known.count(argv[1]) != 0) return;
  const std::string near = did_you_mean(argv[1], known);
  throw std::invalid_argument(
      "there is no command " + std::string(argv[1]) + near + (near.empty() ? "; " : " ") +
      "known: " + reading::joined(std::vector<std::string>(known.begin(), known.end())));
}

// The command that was given, the program where none was.
const CLI::App& given_command(const CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? app : *given.front();
}

std::string text_of(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = given_command(app);
  std::string text = &command == &app ? "" : command.get_name() + ": ";
  text += error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    std::set<std::string> known;
    for (const CLI::Option* option : command.get_options()) known.insert(option->get_name());
    for (const std::string& extra : command.remaining()) {
      if (extra.rfind("--", 0) == 0) text += did_you_mean(extra.substr(0, extra.find('=')), known);
    }
  }
  return text + "\n--help tells more";
}

// Of the command that was given.
int error_status_of(const CLI::App& app, const std::map<std::string, int>& statuses) {
  const auto found = statuses.find(given_command(app).get_name());
  return found == statuses.end() ? failed : found->second;
}

// A line each. Returns the status.
int tell(const std::string& text, int status) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) support::log_error(line);
  return status;
}

// Of the command, and of those within it.
void add_log_options(CLI::App& command) {
  for (CLI::App* inner : command.get_subcommands({})) add_log_options(*inner);
  CLI::Option* level =
      command
          .add_option_function<std::string>("--log-level", support::set_log_level,
                                            "What is told on standard error: this, and what is "
                                            "worse (default: info)")
          ->check(CLI::IsMember(support::log_level_names()))
          ->group("Messages");
  command
      .add_flag_function(
          "-v,--verbose", [](std::int64_t) { support::set_log_level("debug"); },
          "The same as --log-level debug")
      ->excludes(level)
      ->group("Messages");
}

int run(CLI::App& app, int argc, char** argv, const std::map<std::string, int>& statuses) {
  const auto tell_error = [&](const std::string& text) {
    return tell(text, error_status_of(app, statuses));
  };
  try {
    refuse_unknown_command(app, argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return tell_error(text_of(app, error));
  } catch (const CommandExit& exit) {
    return exit.code;
  } catch (const support::Stopped&) {
    return tell("stopped; older results are as they were", support::kStoppedExitCode);
  } catch (const std::bad_alloc&) {
    return tell_error("there is not enough memory for this");
  } catch (const std::length_error&) {
    return tell_error("there is not enough memory for this");
  } catch (const std::filesystem::filesystem_error& error) {
    return tell_error(error.path1().string() + ": " + error.code().message());
  } catch (const nlohmann::json::exception& error) {
    return tell_error(std::string("a fault of the program itself: ") + error.what());
  } catch (const std::exception& error) {
    return tell_error(error.what());
  }
  return 0;
}

}  // namespace

void open_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest free number is this one.
    static_cast<void>(::open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY));
  }
}

int run_command_line(CLI::App& app, const Command* begin, const Command* end, int argc,
                     char** argv) {
  support::start_log(app.get_name());
  std::map<std::string, int> error_status;
  for (const Command* command = begin; command != end; ++command) {
    command->add(app);
    CLI::App& added = *app.get_subcommands({}).back();
    added.group(command->group);
    add_log_options(added);
    if (*command->examples != '\0') added.footer(example_text(command->examples));
    error_status[added.get_name()] = command->error_status;
  }
  add_help_command(app);
  add_version_command(app);
  const int status = run(app, argc, argv, error_status);
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return status;
  const std::string why = flushed ? "" : std::string(": ") + std::strerror(errno);
  const int failure = error_status_of(app, error_status);
  tell("cannot write to standard output" + why, failure);
  return status == 0 ? failure : status;
}

}  // namespace abacus::cli
