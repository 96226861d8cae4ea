target_sources(abacus_models PRIVATE
  area/area_table.cpp
  energy/activity.cpp
  energy/energy_table.cpp)
