#include "sw/experiment/resources.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#ifndef ABACUS_RESOURCE_FOLDER
#error "ABACUS_RESOURCE_FOLDER must be the folder that holds scenarios/ and scripts/"
#endif

namespace abacus::experiment {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool is_program(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

bool has_scenarios(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_directory(folder / "scenarios", ignored);
}

}  // namespace

std::filesystem::path resource_folder() {
  const std::string home = environment("ABACUS_HOME");
  if (!home.empty()) {
    if (has_scenarios(home)) return home;
    throw std::runtime_error("ABACUS_HOME: " + home +
                             ": there is no folder scenarios in it; allowed: a folder with "
                             "scenarios/ and scripts/ of Abacus");
  }
  // Installed: PREFIX/bin/abacus and PREFIX/share/abacus, wherever the prefix has been moved to.
  const std::filesystem::path installed =
      own_executable().parent_path().parent_path() / "share" / "abacus";
  if (has_scenarios(installed)) return installed;
  const std::filesystem::path source = ABACUS_RESOURCE_FOLDER;
  if (has_scenarios(source)) return source;
  throw std::runtime_error("there is no folder scenarios in " + installed.string() + " or " +
                           source.string() +
                           "; allowed: a folder with scenarios/ and scripts/ of Abacus, named by "
                           "ABACUS_HOME");
}

std::filesystem::path find_preset(const std::string& text, const std::filesystem::path& folder,
                                  const std::filesystem::path& base) {
  const std::filesystem::path as_path(text);
  const bool is_path = text.find('/') != std::string::npos || as_path.extension() == ".toml";
  const std::filesystem::path file = is_path ? base / as_path : folder / (text + ".toml");
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) ? file : std::filesystem::path();
}

std::vector<std::string> preset_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::filesystem::path own_executable() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

std::filesystem::path find_program(const std::string& name) {
  const std::filesystem::path beside = own_executable().parent_path() / name;
  if (is_program(beside)) return beside;
  std::istringstream folders(environment("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.empty()) continue;
    const std::filesystem::path file = std::filesystem::path(folder) / name;
    if (is_program(file)) return file;
  }
  return {};
}

std::filesystem::path default_cache_folder() {
  const std::string xdg = environment("XDG_CACHE_HOME");
  if (!xdg.empty()) return std::filesystem::path(xdg) / "abacus";
  const std::string home = environment("HOME");
  return (home.empty() ? std::filesystem::path(".") : std::filesystem::path(home)) / ".cache" /
         "abacus";
}

}  // namespace abacus::experiment
