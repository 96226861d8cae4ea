#include "sw/cli/shared/help_command.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/shared/command_documents.hpp"
#include "sw/reading/section.hpp"

namespace abacus::cli {
namespace {

struct Options {
  std::string command;
  std::string format = "text";
};

const CLI::App& named(const CLI::App& app, const std::string& name) {
  std::set<std::string> known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == name) return *command;
    known.insert(command->get_name());
  }
  const std::string near = reading::nearest(name, known);
  throw std::invalid_argument(
      "help: there is no command " + name +
      (near.empty() ? "; " : "; did you mean " + near + "? ") +
      "known: " + reading::joined(std::vector<std::string>(known.begin(), known.end())));
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void help(CLI::App& app, const Options& options) {
  if (options.format == "man") {
    std::cout << man_page(app, first_line(app.version()));
  } else if (options.format == "markdown") {
    std::cout << commands_markdown(app);
  } else if (options.format == "bash") {
    std::cout << bash_completion(app);
  } else if (options.format == "zsh") {
    std::cout << zsh_completion(app);
  } else if (options.command.empty()) {
    std::cout << app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal);
  } else {
    const CLI::App& command = named(app, options.command);
    std::cout << command.get_formatter()->make_help(
        &command, app.get_name() + ' ' + command.get_name(), CLI::AppFormatMode::Normal);
  }
}

}  // namespace

void add_help_command(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("help", "Tell about a command")->group("Help");
  command->add_option("command", options->command,
                      "Which one; default: all of them in a line each");
  command
      ->add_option("--format", options->format,
                   "All commands as a manual page, as Markdown, or for completion in a shell")
      ->check(CLI::IsMember({"text", "man", "markdown", "bash", "zsh"}))
      ->capture_default_str();
  command->callback([options, &app] { help(app, *options); });
}

void add_version_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("version", "Tell version, commit, compiler and libraries")->group("Help");
  command->callback([&app] { std::cout << app.version() << '\n'; });
}

}  // namespace abacus::cli
