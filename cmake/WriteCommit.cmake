# Writes HEADER with the commit of the repository SOURCE, or "" where there is none. An unchanged file keeps its time.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git rev-parse --short=12 HEAD WORKING_DIRECTORY "${SOURCE}"
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(CONFIGURE OUTPUT "${HEADER}" CONTENT "#define MICIUS_COMMIT \"@commit@\"\n" @ONLY)
