# Compiler settings for our own code, and one way to add a library, a program, a test, a benchmark.

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

add_library(abacus_options INTERFACE)
# -iquote, not -I: our folder tlm/ must not stand in the way of SystemC's header <tlm>.
target_compile_options(abacus_options INTERFACE
  "SHELL:-iquote ${CMAKE_SOURCE_DIR}"
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Werror)

# abacus_library(NAME source... [LINK library...])
function(abacus_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:abacus_options> PUBLIC ${ARG_LINK})
endfunction()

# abacus_cuda_sources(LIBRARY source.cu... WITHOUT source.cpp...): CUDA sources of a library, or what
# stands in for them without ABACUS_CUDA. They get neither torch's headers nor its flags.
function(abacus_cuda_sources library)
  cmake_parse_arguments(ARG "" "" "WITHOUT" ${ARGN})
  if(NOT ABACUS_CUDA)
    target_sources(${library} PRIVATE ${ARG_WITHOUT})
    return()
  endif()
  add_library(${library}_cuda OBJECT ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${library}_cuda PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${library}_cuda PRIVATE --extended-lambda -Werror=all-warnings)
  target_sources(${library} PRIVATE $<TARGET_OBJECTS:${library}_cuda>)
  target_link_libraries(${library} PUBLIC CUDA::cudart_static)
endfunction()

# abacus_program(NAME source... [LINK library...])
function(abacus_program name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE abacus_options ${ARG_LINK})
endfunction()

# abacus_installed(NAME): a program of this folder with its manual page and its completion, which it writes
# itself; see Install.cmake.
function(abacus_installed name)
  set(folder ${CMAKE_BINARY_DIR}/documents)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND $<TARGET_FILE:${name}> help --format man | gzip -9n > ${folder}/${name}.1.gz
    COMMAND $<TARGET_FILE:${name}> help --format bash > ${folder}/${name}.bash
    COMMAND $<TARGET_FILE:${name}> help --format zsh > ${folder}/${name}.zsh
    BYPRODUCTS ${folder}/${name}.1.gz ${folder}/${name}.bash ${folder}/${name}.zsh)
  install(TARGETS ${name} RUNTIME)
  install(FILES ${folder}/${name}.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${folder}/${name}.bash RENAME ${name}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${folder}/${name}.zsh RENAME _${name}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
endfunction()

# Sources of this folder that are compiled alone where several are compiled at once (preset `program`): names in
# their unnamed namespaces stand in others' of the library, too.
function(abacus_compile_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# For sources in which no time is spent: a third less of it goes into compiling them.
function(abacus_compile_quickly target)
  target_compile_options(${target} PRIVATE $<IF:$<CONFIG:Release>,-O1,-O0>)
  if(ABACUS_BUILD_FUZZERS)  # nor counts any fuzz target the edges of these
    target_compile_options(${target} PRIVATE -fno-sanitize=fuzzer-no-link)
  endif()
endfunction()

# abacus_test(NAME source... [LINK library...] [SYSTEMC | PROCESSES])
# One process a program, or a process a test case: with SYSTEMC, since SystemC elaborates once a
# process (main from tests/sc_main.cpp), and with PROCESSES, where long cases shall run side by side.
# The label is the folder's, ABACUS_TEST_LABEL.
function(abacus_test name)
  cmake_parse_arguments(ARG "SYSTEMC;PROCESSES" "" "LINK" ${ARGN})
  abacus_program(${name} ${ARG_UNPARSED_ARGUMENTS} LINK ${ARG_LINK} GTest::gmock GTest::gtest)
  abacus_compile_quickly(${name})
  if(ARG_SYSTEMC)
    target_link_libraries(${name} PRIVATE abacus_sc_main)
  else()
    target_link_libraries(${name} PRIVATE abacus_no_sc_main GTest::gtest_main)
  endif()
  # Several tests at once: threads that spin while they wait would take the others' processors.
  set(properties ENVIRONMENT OMP_WAIT_POLICY=passive LABELS "${ABACUS_TEST_LABEL}")
  if(ARG_SYSTEMC OR ARG_PROCESSES)
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 300 ${properties})
  else()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 1200 ${properties})
  endif()
endfunction()

# abacus_benchmark(NAME source... [LINK library...])
function(abacus_benchmark name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  abacus_program(${name} ${ARG_UNPARSED_ARGUMENTS} LINK ${ARG_LINK} benchmark::benchmark)
endfunction()
