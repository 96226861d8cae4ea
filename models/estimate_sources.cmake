target_sources(abacus_models PRIVATE
  activity/activity.cpp
  activity/spent_time.cpp
  area/area_table.cpp
  area/part_prices.cpp
  blocks/accelerator_area.cpp
  blocks/block_activity.cpp
  blocks/blocks.cpp
  energy/dram_prices.cpp
  energy/energy_table.cpp)
