// A program's commands and options as plain values, for what is written about them.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace abacus::cli {

struct OptionText {
  std::vector<std::string> names;  // "--out", or "scenario" of a word without a dash
  bool positional = false;
  bool required = false;
  bool takes_value = false;
  std::string value;                 // "TEXT", "INT in [1 to 1024]"; without the choices
  std::vector<std::string> choices;  // where not every text is allowed
  std::string default_value;         // empty: none
  std::string description;
};

struct CommandText {
  std::string name;  // "explore merge" of a command within one; empty of the program
  std::string group;
  std::string description;
  std::string examples;  // a line each; may be empty
  std::vector<OptionText> options;
};

// The program itself first, then its commands in their order, each before those within it.
std::vector<CommandText> command_tree(const CLI::App& app);

// "abacus simulate [OPTIONS] scenario".
std::string synopsis(const std::string& program, const CommandText& command);

}  // namespace abacus::cli
