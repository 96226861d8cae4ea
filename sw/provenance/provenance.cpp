#include "sw/provenance/provenance.hpp"

#include <gnu/libc-version.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sw/provenance/build_info.hpp"

namespace abacus::provenance {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  const std::string key = "model name";
  for (std::string line; std::getline(in, line);) {
    const std::size_t value = line.find_first_not_of(" \t:", key.size());
    if (line.rfind(key, 0) == 0 && value != std::string::npos) return line.substr(value);
  }
  return "";
}

std::string host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// As the kernel has it: a program changes its own argv.
Json command() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  Json words = Json::array();
  for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
  return words.empty() ? Json(nullptr) : words;
}

std::vector<Library> with_own(std::vector<Library> libraries) {
  libraries.push_back({"GNU C Library", ::gnu_get_libc_version()});
  return libraries;
}

}  // namespace

Json provenance(const std::string& program, const std::vector<Library>& libraries) {
  const BuildInfo& build = build_info();
  Json versions = Json::object();
  for (const Library& library : with_own(libraries)) versions[library.name] = library.version;
  return {{"program", program},
          {"version", build.version},
          {"commit", text_or_null(build.commit)},
          {"dirty", build.dirty},
          {"compiler", build.compiler},
          {"flags", build.flags},
          {"libraries", versions},
          {"processor", text_or_null(processor())},
          {"host", text_or_null(host())},
          {"command", command()}};
}

std::string version_text(const std::string& program, const std::vector<Library>& libraries) {
  const BuildInfo& build = build_info();
  const std::string commit = build.commit;
  std::string text = program + ' ' + build.version + '\n';
  text += "commit    " + (commit.empty() ? "unknown" : commit) +
          (build.dirty ? ", and changes since\n" : "\n");
  text += std::string("compiler  ") + build.compiler + ", " + build.flags + '\n';
  std::string versions;
  for (const Library& library : with_own(libraries)) {
    versions += (versions.empty() ? "" : ", ") + library.name + ' ' + library.version;
  }
  return text + "libraries " + versions;
}

}  // namespace abacus::provenance
