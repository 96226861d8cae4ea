# What `cmake --install` copies, and packages made of it by `cpack`. A program finds its data relative to
# itself (sw/experiment/resources.cpp), so that any prefix will do, and an unpacked archive.
set(ABACUS_DATA_FOLDER ${CMAKE_INSTALL_DATADIR}/abacus)

install(DIRECTORY scenarios DESTINATION ${ABACUS_DATA_FOLDER})
install(PROGRAMS scripts/element scripts/report scripts/reproduce
  DESTINATION ${ABACUS_DATA_FOLDER}/scripts)
install(DIRECTORY scripts/abacus scripts/published DESTINATION ${ABACUS_DATA_FOLDER}/scripts
  PATTERN __pycache__ EXCLUDE)
install(FILES README.md CHANGELOG.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(ABACUS_BUILD_SIMULATOR)
  include(InstallLibraries)
endif()

# --- packages: `cpack --config build/PRESET/CPackConfig.cmake -G DEB` (or TGZ)

set(CPACK_PACKAGE_NAME abacus)
set(CPACK_PACKAGE_VENDOR "The Abacus developers")
set(CPACK_PACKAGE_CONTACT "The Abacus developers <abacus@users.noreply.github.com>")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_GENERATOR TGZ)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "python3, python3-jinja2")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "dataset-fashion-mnist, python3-plotly, esbuild")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "co-simulation of multiplier-free low-bit neural accelerators")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Abacus runs low-bit neural networks, with or without multipliers, on a
modelled accelerator. One run gives accuracy, cycles, energy and area, from
the same integers, which travel through timed SystemC/TLM-2.0 models.")
# Without the libraries, which are of a component of their own.
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};abacus;Unspecified;/")
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_SOURCE_DIR}/cmake/Package.cmake)

# Debian's own files.
string(TIMESTAMP ABACUS_PACKAGE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(cmake/debian-changelog.in documents/changelog @ONLY)
find_program(GZIP gzip)
if(GZIP)
  execute_process(COMMAND ${GZIP} -9nkf ${CMAKE_BINARY_DIR}/documents/changelog)
  install(FILES ${CMAKE_BINARY_DIR}/documents/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
install(FILES cmake/debian-copyright RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

include(CPack)
