# A processing element is one file of its own.
file(GLOB processing_elements CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}
     ${CMAKE_CURRENT_SOURCE_DIR}/elements/*.cpp)

# The exact kernels, without SystemC, for tests and benchmarks too.
abacus_library(abacus_kernels
  simd/cpu_target.cpp
  array/engine.cpp
  array/kernels.cpp
  array/kernels_avx2.cpp
  array/kernels_avx512.cpp
  array/kernels_portable.cpp
  array/lookups/lookup_tile.cpp
  array/lookups/tap_lookup.cpp
  array/lookups/tap_lookup_avx2.cpp
  array/lookups/tap_lookup_avx512.cpp
  array/parts/parts_tile.cpp
  array/parts/pass_kernels.cpp
  array/parts/pass_kernels_avx2.cpp
  array/parts/pass_kernels_avx512.cpp
  array/parts/tap_parts.cpp
  array/saturating_sum.cpp
  array/shadow_engine.cpp
  array/stepwise_engine.cpp
  array/tap_table.cpp
  array/tap_tile.cpp
  array/vector_engine.cpp
  ${processing_elements}
  post_lut/post_lut.cpp
  post_lut/post_lut_entry.cpp
  read_quantizer/kernels.cpp
  read_quantizer/kernels_avx512.cpp
  scale_unit/kernels.cpp
  scale_unit/kernels_avx2.cpp
  scale_unit/kernels_avx512.cpp
  vector_unit/kernels.cpp
  LINK abacus_dataflow)
# A kernel has the same names for each kind of processor.
set_target_properties(abacus_kernels PROPERTIES UNITY_BUILD OFF)

target_sources(abacus_models PRIVATE
  compute/command_check.cpp
  compute/compute_unit.cpp
  array/array_area.cpp
  array/array_parts.cpp
  array/pe_array.cpp
  array/zero_gating.cpp
  read_quantizer/read_quantizer.cpp
  scale_unit/scale_unit.cpp
  step_adapter/step_adapter.cpp
  vector_unit/vector_unit.cpp)
target_link_libraries(abacus_models PUBLIC abacus_kernels)
