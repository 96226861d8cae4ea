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

inline constexpr const char* train_group = "Train";
inline constexpr const char* quantize_group = "Quantize";
inline constexpr const char* look_up_group = "Look into networks";

// In the order of the program's help.
inline constexpr Command commands[] = {
    {add_train_command, 1, train_group,
     "abacus-train train --network resnet20 --arithmetic adder --dataset fashion-mnist \\\n"
     "  --epochs 10 --out adder.safetensors"},
    {add_import_command, 1, train_group,
     "abacus-train import --from ResNet20-AdderNet.pth --network resnet20 --dataset cifar10 \\\n"
     "  --out authors.safetensors"},
    {add_evaluate_command, 1, train_group, "abacus-train evaluate --checkpoint adder.safetensors"},
    {add_quantize_command, 1, quantize_group,
     "abacus-train quantize --checkpoint adder.safetensors --scheme adderquant-ptq \\\n"
     "  --weight-bits 4 --activation-bits 4 --out adder-4.safetensors"},
    {add_qat_command, 1, quantize_group,
     "abacus-train qat --checkpoint cnn.safetensors --scheme uniform --weight-bits 4 \\\n"
     "  --activation-bits 4 --epochs 4 --out cnn-4.safetensors"},
    {add_schemes_command, 1, quantize_group, "abacus-train schemes"},
    {add_recipe_command, 1, look_up_group, "abacus-train recipe --package adder-4.safetensors"},
    {add_levels_command, 1, look_up_group, "abacus-train levels --bits 4"},
    {add_statistics_command, 1, look_up_group},
    {add_activations_command, 1, look_up_group}};

}  // namespace abacus::cli
