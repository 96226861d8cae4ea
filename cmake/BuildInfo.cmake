# Writes what the sources of a build are, as a C++ source; run at each build. The file keeps its time where
# nothing has changed, so that nothing is compiled.
#
#   cmake -DSOURCE=… -DTEMPLATE=… -DOUTPUT=… -DVERSION=… -DCOMPILER=… -DFLAGS=… -P BuildInfo.cmake
set(COMMIT "")
set(DIRTY false)
find_program(GIT git)
if(GIT)
  # Sources that lie in somebody else's repository are none of its commits.
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --show-toplevel
    OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  file(REAL_PATH ${SOURCE} source)
  if(NOT failed AND top STREQUAL source)
    execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse HEAD
      OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${GIT} -C ${SOURCE} status --porcelain --untracked-files=no
      OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      set(DIRTY true)
    endif()
  endif()
endif()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
