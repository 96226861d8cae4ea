# find_package(Abacus): targets Abacus::experiment (a scenario, from its text to results), Abacus::compare (results as
# named values), and what these link, by the rooms of docs/architecture.md.
include(CMakeFindDependencyMacro)
find_dependency(nlohmann_json)
find_dependency(tomlplusplus)
find_dependency(spdlog)
find_dependency(ZLIB)
find_dependency(OpenSSL COMPONENTS Crypto)
find_dependency(Boost 1.74)
include(${CMAKE_CURRENT_LIST_DIR}/FindSystemCLibrary.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/AbacusTargets.cmake)
