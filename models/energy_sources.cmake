find_package(tomlplusplus REQUIRED)

target_sources(abacus_models PRIVATE
  area/area_table.cpp
  energy/activity.cpp
  energy/energy_table.cpp
  energy/table_fields.cpp)
target_link_libraries(abacus_models PRIVATE tomlplusplus::tomlplusplus)
