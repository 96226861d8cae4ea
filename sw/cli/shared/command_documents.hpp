// What is made of a program's commands besides --help: manual page, reference, completion. All of them from
// the same options, so that none can be forgotten.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace abacus::cli {

// For man(1): roff with the macros of man(7). `version`: as it stands in the page's foot.
std::string man_page(const CLI::App& app, const std::string& version);

// A section a command, with a table of its options.
std::string commands_markdown(const CLI::App& app);

// A script that bash reads from share/bash-completion/completions/PROGRAM.
std::string bash_completion(const CLI::App& app);

// A function of zsh, for share/zsh/site-functions/_PROGRAM.
std::string zsh_completion(const CLI::App& app);

}  // namespace abacus::cli
