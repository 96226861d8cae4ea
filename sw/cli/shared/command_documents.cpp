#include "sw/cli/shared/command_documents.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

#include "sw/cli/shared/command_tree.hpp"
#include "sw/reading/section.hpp"

namespace abacus::cli {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string between(const std::vector<std::string>& words, const std::string& separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

// The lines of an example, without the footer's heading.
std::vector<std::string> example_lines(const std::string& examples) {
  std::vector<std::string> lines;
  std::istringstream text(examples);
  for (std::string line; std::getline(text, line);) {
    if (line.rfind("  ", 0) == 0) lines.push_back(line.substr(2));
  }
  return lines;
}

// "INT in [1 to 1024]", "smoke, full"; what a table or a page says of an option's value.
std::string allowed(const OptionText& option) {
  return option.choices.empty() ? option.value : between(option.choices, ", ");
}

// --- roff

std::string roff(const std::string& text) {
  std::string safe = replaced(replaced(text, "\\", "\\e"), "-", "\\-");
  safe = replaced(safe, "'", "\\(aq");
  safe = replaced(safe, "…", "...");
  if (!safe.empty() && safe.front() == '.') safe.insert(0, "\\&");
  return safe;
}

void roff_option(const OptionText& option, std::ostream& page) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back("\\fB" + roff(name) + "\\fR");
  page << ".TP\n" << between(names, ", ");
  if (option.takes_value && !option.positional) page << " \\fI" << roff(option.value) << "\\fR";
  page << '\n' << roff(option.description) << '.';
  if (!option.choices.empty()) page << "\nOne of: " << roff(between(option.choices, ", ")) << '.';
  if (!option.default_value.empty()) page << "\nDefault: " << roff(option.default_value) << '.';
  page << '\n';
}

// --- Markdown

std::string cell(const std::string& text) { return replaced(text, "|", "\\|"); }

std::string code(const std::string& text) { return text.empty() ? "" : '`' + cell(text) + '`'; }

// --- shells

std::string quoted(const std::string& text) { return '\'' + replaced(text, "'", "'\\''") + '\''; }

std::vector<std::string> option_names(const CommandText& command) {
  std::vector<std::string> all;
  for (const OptionText& option : command.options) {
    if (!option.positional) all.insert(all.end(), option.names.begin(), option.names.end());
  }
  return all;
}

// Names of the program's own commands.
std::vector<std::string> top_commands(const std::vector<CommandText>& tree) {
  std::vector<std::string> names;
  for (const CommandText& command : tree) {
    if (!command.name.empty() && command.name.find(' ') == std::string::npos) {
      names.push_back(command.name);
    }
  }
  return names;
}

std::string function_name(const std::string& program) { return '_' + replaced(program, "-", "_"); }

// In brackets and before colons zsh has syntax of its own.
std::string zsh_text(const std::string& text) {
  std::string safe = text;
  for (const char* special : {"\\", "[", "]", ":"}) {
    safe = replaced(safe, special, std::string("\\") + special);
  }
  return safe;
}

std::string zsh_action(const OptionText& option) {
  return option.choices.empty() ? "_files" : '(' + between(option.choices, " ") + ')';
}

}  // namespace

std::string man_page(const CLI::App& app, const std::string& version) {
  const std::string& program = app.get_name();
  const std::vector<CommandText> tree = command_tree(app);
  std::ostringstream page;
  page << ".TH " << program << " 1 \"\" \"" << roff(version) << "\" \"User Commands\"\n"
       << ".SH NAME\n"
       << roff(program) << " \\- " << roff(app.get_description()) << '\n'
       << ".SH SYNOPSIS\n.B " << roff(program) << "\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
       << ".SH OPTIONS\n";
  for (const OptionText& option : tree.front().options) roff_option(option, page);
  page << ".SH COMMANDS\n";
  for (const CommandText& command : tree) {
    if (command.name.empty()) continue;
    page << ".SS \"" << roff(synopsis(program, command)) << "\"\n"
         << roff(command.description) << ".\n";
    for (const OptionText& option : command.options) roff_option(option, page);
    const std::vector<std::string> examples = example_lines(command.examples);
    if (examples.empty()) continue;
    page << ".PP\nFor example:\n.PP\n.EX\n";
    for (const std::string& line : examples) page << roff(line) << '\n';
    page << ".EE\n";
  }
  page << ".SH EXIT STATUS\n"
          "0: done, and all that was said has arrived.\n"
          "1: an error, a wrong command line, or a failed check; of some commands another number, "
          "as they say.\n"
          "130: stopped by SIGINT or SIGTERM.\n"
          ".SH ENVIRONMENT\n"
          ".TP\n\\fBABACUS_HOME\\fR\nFolder with scenarios/ and scripts/ of Abacus, in place of "
          "the installed one.\n"
          ".TP\n\\fBABACUS_DATA\\fR\nFolder of the data sets.\n"
          ".TP\n\\fBXDG_CACHE_HOME\\fR\nIn it, in abacus/, integer packages are kept. Default: "
          "~/.cache.\n";
  return page.str();
}

std::string commands_markdown(const CLI::App& app) {
  const std::string& program = app.get_name();
  std::ostringstream page;
  for (const CommandText& command : command_tree(app)) {
    if (command.name.empty()) continue;
    page << (page.tellp() > 0 ? "\n" : "") << "### `" << program << ' ' << command.name << "`\n\n"
         << command.description << ".\n\n```sh\n"
         << synopsis(program, command) << "\n```\n\n"
         << "| option | value | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const OptionText& option : command.options) {
      page << "| " << code(between(option.names, ", ")) << (option.required ? ", required" : "")
           << " | " << code(allowed(option)) << " | " << code(option.default_value) << " | "
           << cell(option.description) << " |\n";
    }
    const std::vector<std::string> examples = example_lines(command.examples);
    if (examples.empty()) continue;
    page << "\n```sh\n" << between(examples, "\n") << "\n```\n";
  }
  return page.str();
}

std::string bash_completion(const CLI::App& app) {
  const std::string& program = app.get_name();
  const std::vector<CommandText> tree = command_tree(app);
  std::ostringstream script;
  script << "# bash completion for " << program << "\n"
         << function_name(program)
         << "() {\n"
            "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
            "  COMPREPLY=()\n"
            "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
            "    COMPREPLY=($(compgen -W "
         << quoted(between(top_commands(tree), " ") + ' ' +
                   between(option_names(tree.front()), " "))
         << " -- \"$word\"))\n"
            "    return\n"
            "  fi\n"
            "  case ${COMP_WORDS[1]} in\n";
  for (const CommandText& command : tree) {
    if (command.name.empty() || command.name.find(' ') != std::string::npos) continue;
    script << "    " << command.name
           << ")\n      words=" << quoted(between(option_names(command), " "))
           << "\n      case $before in\n";
    for (const OptionText& option : command.options) {
      if (option.choices.empty() || option.positional) continue;
      script << "        " << between(option.names, "|") << ") COMPREPLY=($(compgen -W "
             << quoted(between(option.choices, " ")) << " -- \"$word\")); return ;;\n";
    }
    script << "      esac\n";
    for (const OptionText& option : command.options) {
      if (!option.positional || option.choices.empty()) continue;
      script << "      [ \"$COMP_CWORD\" -ne 2 ] || words+="
             << quoted(' ' + between(option.choices, " ")) << '\n';
    }
    script << "      ;;\n";
  }
  script << "  esac\n"
            "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
            "}\n"
            "complete -o bashdefault -o default -F "
         << function_name(program) << ' ' << program << '\n';
  return script.str();
}

std::string zsh_completion(const CLI::App& app) {
  const std::string& program = app.get_name();
  const std::vector<CommandText> tree = command_tree(app);
  std::ostringstream script;
  script << "#compdef " << program << "\n\nlocal -a commands\ncommands=(\n";
  for (const CommandText& command : tree) {
    if (command.name.empty() || command.name.find(' ') != std::string::npos) continue;
    script << "  " << quoted(command.name + ':' + zsh_text(command.description)) << '\n';
  }
  script
      << ")\nif (( CURRENT == 2 )); then\n  _describe -t commands command commands\n  return\nfi\n"
         "local command=$words[2]\nshift words\n(( CURRENT-- ))\ncase $command in\n";
  for (const CommandText& command : tree) {
    if (command.name.empty() || command.name.find(' ') != std::string::npos) continue;
    script << "  " << command.name << ")\n    _arguments -s";
    for (const OptionText& option : command.options) {
      if (option.positional) {
        script << " \\\n      "
               << quoted(':' + zsh_text(option.names.front()) + ':' + zsh_action(option));
        continue;
      }
      for (const std::string& name : option.names) {
        script << " \\\n      "
               << quoted("*" + name + '[' + zsh_text(option.description) + ']' +
                         (option.takes_value ? ":value:" + zsh_action(option) : ""));
      }
    }
    script << "\n    ;;\n";
  }
  script << "esac\n";
  return script.str();
}

}  // namespace abacus::cli
