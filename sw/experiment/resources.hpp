// Where the program finds what ships with it: presets, energy tables, the report's script, the
// trainer.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace abacus::experiment {

// Folder that holds scenarios/ and scripts/: the environment's ABACUS_HOME if set, else what is installed
// with the program, else the source tree that it was built from. Throws std::runtime_error where there is none.
std::filesystem::path resource_folder();

// A preset by name ("edge-16x16" → folder/edge-16x16.toml of the shipped ones) or, where the text
// has a slash or ends in .toml, by path from `base`. Empty where there is no such file.
std::filesystem::path find_preset(const std::string& text, const std::filesystem::path& folder,
                                  const std::filesystem::path& base);
// Names of the presets in a folder, sorted.
std::vector<std::string> preset_names(const std::filesystem::path& folder);

// The program's own file.
std::filesystem::path own_executable();
// A program of that name beside this one, else on PATH; empty where there is none.
std::filesystem::path find_program(const std::string& name);

// XDG_CACHE_HOME/abacus, else HOME/.cache/abacus, else .cache/abacus here.
std::filesystem::path default_cache_folder();

}  // namespace abacus::experiment
