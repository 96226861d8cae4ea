#include "sw/cli/command_line.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/command_exit.hpp"
#include "sw/reading/section.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::cli {
namespace {

constexpr int failed = 1;

std::string did_you_mean(const std::string& text, const std::set<std::string>& known) {
  const std::string near = reading::nearest(text, known);
  return near.empty() ? "" : "; did you mean " + near + '?';
}

// CLI11 takes a command that it does not know for none at all.
void refuse_unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::set<std::string> known;
  for (const CLI::App* command : app.get_subcommands({})) known.insert(command->get_name());
  if (known.count(argv[1]) != 0) return;
  throw std::invalid_argument(
      "there is no command " + std::string(argv[1]) + did_you_mean(argv[1], known) +
      " known: " + reading::joined(std::vector<std::string>(known.begin(), known.end())));
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

// A line each, with the program's name.
int tell(const CLI::App& app, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), line.c_str());
  }
  return failed;
}

int run(CLI::App& app, int argc, char** argv) {
  try {
    refuse_unknown_command(app, argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return tell(app, text_of(app, error));
  } catch (const CommandExit& exit) {
    return exit.code;
  } catch (const support::Stopped&) {
    tell(app, "stopped; older results are as they were");
    return support::kStoppedExitCode;
  } catch (const std::bad_alloc&) {
    return tell(app, "there is not enough memory for this");
  } catch (const std::length_error&) {
    return tell(app, "there is not enough memory for this");
  } catch (const std::filesystem::filesystem_error& error) {
    return tell(app, error.path1().string() + ": " + error.code().message());
  } catch (const nlohmann::json::exception& error) {
    return tell(app, std::string("a fault of the program itself: ") + error.what());
  } catch (const std::exception& error) {
    return tell(app, error.what());
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

int run_command_line(CLI::App& app, int argc, char** argv) {
  const int status = run(app, argc, argv);
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return status;
  const std::string why = flushed ? "" : std::string(": ") + std::strerror(errno);
  tell(app, "cannot write to standard output" + why);
  return status == 0 ? failed : status;
}

}  // namespace abacus::cli
