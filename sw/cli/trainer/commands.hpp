// The commands of `abacus-train`: their files stand in this folder, they are declared and listed here.
#pragma once

#include "sw/cli/shared/command_line.hpp"

namespace abacus::cli {

void add_train_command(CLI::App& app);
void add_import_command(CLI::App& app);
void add_quantize_command(CLI::App& app);
void add_qat_command(CLI::App& app);
void add_schemes_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_statistics_command(CLI::App& app);
void add_activations_command(CLI::App& app);
void add_levels_command(CLI::App& app);
void add_recipe_command(CLI::App& app);

// In the order of the program's help.
inline constexpr Command commands[] = {{add_train_command},      {add_import_command},
                                       {add_quantize_command},   {add_qat_command},
                                       {add_schemes_command},    {add_evaluate_command},
                                       {add_statistics_command}, {add_activations_command},
                                       {add_levels_command},     {add_recipe_command}};

}  // namespace abacus::cli
