target_sources(abacus_models PRIVATE
  area/accelerator_area.cpp
  area/area_table.cpp
  area/blocks.cpp
  area/part_prices.cpp
  energy/activity.cpp
  energy/block_activity.cpp
  energy/energy_table.cpp)
