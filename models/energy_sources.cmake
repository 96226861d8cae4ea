find_package(tomlplusplus REQUIRED)

target_sources(abacus_models PRIVATE
  energy/activity.cpp
  energy/energy_table.cpp)
target_link_libraries(abacus_models PRIVATE tomlplusplus::tomlplusplus)
