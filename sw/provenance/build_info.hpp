// What the program was built from, and how. The one generated source (cmake/BuildInfo.cmake): a new commit
// compiles it alone.
#pragma once

namespace abacus::provenance {

struct BuildInfo {
  const char* version;
  const char* commit;  // in full; empty where the sources are no git repository
  bool dirty;          // tracked files differed from the commit when the program was linked
  const char* compiler;
  const char* flags;  // of the build type, besides those that every build has
};

const BuildInfo& build_info();

}  // namespace abacus::provenance
