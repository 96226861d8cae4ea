// `abacus-train recipe`: by which options a package was trained.
#pragma once

namespace CLI {
class App;
}

namespace abacus::cli {

void add_recipe_command(CLI::App& app);

}  // namespace abacus::cli
