// The commands of `abacus`: their files stand in this folder, they are declared and listed here.
#pragma once

#include "sw/cli/shared/command_line.hpp"

namespace abacus::cli {

void add_simulate_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_diff_command(CLI::App& app);
void add_regress_command(CLI::App& app);
void add_explore_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_best_command(CLI::App& app);
void add_describe_command(CLI::App& app);
void add_explain_command(CLI::App& app);
void add_trace_command(CLI::App& app);
void add_keys_command(CLI::App& app);
void add_energy_command(CLI::App& app);

// In the order of the program's help.
inline constexpr Command commands[] = {
    {add_simulate_command}, {add_report_command}, {add_diff_command, 2}, {add_regress_command, 3},
    {add_explore_command},  {add_export_command}, {add_best_command},    {add_describe_command},
    {add_explain_command},  {add_trace_command},  {add_keys_command},    {add_energy_command}};

}  // namespace abacus::cli
