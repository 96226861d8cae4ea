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

inline constexpr const char* run_group = "Run a scenario";
inline constexpr const char* compare_group = "Compare results";
inline constexpr const char* study_group = "Explore a design space";
inline constexpr const char* look_up_group = "Look up";

// In the order of the program's help.
inline constexpr Command commands[] = {
    {add_simulate_command, 1, run_group,
     "abacus simulate scenarios/first.toml --check --out results/first\n"
     "abacus simulate scenarios/first.toml --set hardware.array.rows=32 --out results/wide"},
    {add_report_command, 1, run_group, "abacus report results/first/results.json"},
    {add_explain_command, 1, run_group,
     "abacus explain scenarios/first.toml --run AdderNet --layer layer3.0.conv1"},
    {add_trace_command, 1, run_group,
     "abacus trace scenarios/first.toml --run AdderNet --out results/image.pftrace"},
    {add_describe_command, 1, run_group,
     "abacus describe --network resnet20 --arithmetic adder --dataset cifar10"},
    {add_diff_command, 2, compare_group, "abacus diff results/first results/wide --top 3"},
    {add_regress_command, 3, compare_group,
     "abacus regress scenarios/regressions/shipped.toml --tier smoke"},
    {add_explore_command, 1, study_group,
     "abacus explore scenarios/studies/array-shapes.toml --dry-run\n"
     "abacus explore scenarios/studies/array-shapes.toml --out results/array-shapes"},
    {add_export_command, 1, study_group,
     "abacus export results/array-shapes --csv --out points.csv"},
    {add_best_command, 1, study_group,
     "abacus best results/array-shapes --pareto --where \"area_um2 < 1.5e6\""},
    {add_keys_command, 1, look_up_group, "abacus keys hardware"},
    {add_energy_command, 1, look_up_group, "abacus energy horowitz-45nm --bits 4,8"}};

}  // namespace abacus::cli
