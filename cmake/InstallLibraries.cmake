# The simulator's libraries with their headers, for programs elsewhere: find_package(Abacus), component
# `development` of `cmake --install`. What only the program itself needs is not among them.
set(exported support provenance reading network workload dataflow kernels timing tlm models schedule
  driver experiment compare)
set(headers ${CMAKE_INSTALL_INCLUDEDIR}/abacus)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Abacus)

foreach(name ${exported})
  set_target_properties(abacus_${name} PROPERTIES EXPORT_NAME ${name})
  # -iquote for the same reason as in AbacusTargets.cmake.
  target_compile_options(abacus_${name} INTERFACE
    "$<INSTALL_INTERFACE:SHELL:-iquote $<INSTALL_PREFIX>/${headers}>")
  install(TARGETS abacus_${name} EXPORT AbacusTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
endforeach()
install(EXPORT AbacusTargets NAMESPACE Abacus:: DESTINATION ${package} COMPONENT development)

foreach(room tlm models sw/support sw/provenance sw/reading sw/network sw/workload sw/schedule sw/driver
    sw/experiment sw/compare)
  get_filename_component(parent ${room} DIRECTORY)
  install(DIRECTORY ${room} DESTINATION ${headers}/${parent} COMPONENT development
    FILES_MATCHING PATTERN *.hpp)
endforeach()

include(CMakePackageConfigHelpers)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/documents/AbacusConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/documents/AbacusConfigVersion.cmake cmake/AbacusConfig.cmake
    cmake/FindSystemCLibrary.cmake
  DESTINATION ${package} COMPONENT development)
