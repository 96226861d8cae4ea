#include "sw/cli/shared/command_tree.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

namespace abacus::cli {
namespace {

// CLI11 has choices in the type's name: "TEXT:{smoke,full}".
void read_type(const std::string& type, OptionText& option) {
  const std::size_t open = type.find(":{");
  const std::size_t close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos) {
    option.value = type;
    return;
  }
  option.value = type.substr(0, open);
  std::istringstream names(type.substr(open + 2, close - open - 2));
  for (std::string name; std::getline(names, name, ',');) option.choices.push_back(name);
}

OptionText option_text(const CLI::Option& option) {
  OptionText text;
  text.positional = option.nonpositional() ? false : option.get_positional();
  if (text.positional) {
    text.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) text.names.push_back('-' + name);
    for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  }
  text.required = option.get_required();
  text.takes_value = text.positional || option.get_items_expected_max() != 0;
  if (text.takes_value) read_type(option.get_type_name(), text);
  text.default_value = option.get_default_str();
  text.description = option.get_description();
  return text;
}

void add(const CLI::App& app, const std::string& name, std::vector<CommandText>& tree) {
  CommandText command{name, app.get_group(), app.get_description(), app.get_footer(), {}};
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) command.options.push_back(option_text(*option));
  }
  tree.push_back(std::move(command));
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (inner->get_name().empty() || inner->get_group().empty()) continue;
    add(*inner, name.empty() ? inner->get_name() : name + ' ' + inner->get_name(), tree);
  }
}

}  // namespace

std::vector<CommandText> command_tree(const CLI::App& app) {
  std::vector<CommandText> tree;
  add(app, "", tree);
  return tree;
}

std::string synopsis(const std::string& program, const CommandText& command) {
  std::string text = program;
  if (command.name.empty()) return text + " COMMAND [OPTIONS]";
  text += ' ' + command.name + " [OPTIONS]";
  for (const OptionText& option : command.options) {
    if (!option.positional) continue;
    const std::string& name = option.names.front();
    text += option.required ? ' ' + name : " [" + name + ']';
  }
  return text;
}

}  // namespace abacus::cli
