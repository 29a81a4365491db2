# One library per folder; its DEPS are the folder's row in the layer table (docs/architecture.md).

add_library(micius_options INTERFACE)
target_compile_features(micius_options INTERFACE cxx_std_20)
target_include_directories(micius_options INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
target_compile_options(micius_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wno-unknown-warning-option  # clang-tidy reads these options too
  -Wno-restrict)  # g++ 12 sees an overlap in "text" + string where it optimises
if(MICIUS_WERROR)
  target_compile_options(micius_options INTERFACE -Werror)
endif()
if(MICIUS_SANITIZE)
  target_compile_options(micius_options INTERFACE -fsanitize=${MICIUS_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all
    -Wno-maybe-uninitialized)  # g++ 12 sees uninitialised members in std::function where a sanitizer is on
  target_link_options(micius_options INTERFACE -fsanitize=${MICIUS_SANITIZE})
endif()

# micius_library(NAME [DEPS ...] [PRIVATE_DEPS ...] [FOLDERS ...]): every .cc of the current folder and of FOLDERS
# in it, as target micius_NAME.
function(micius_library name)
  cmake_parse_arguments(arg "" "" "DEPS;PRIVATE_DEPS;FOLDERS" ${ARGN})
  set(patterns "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  foreach(folder IN LISTS arg_FOLDERS)
    list(APPEND patterns "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cc")
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  add_library(micius_${name} STATIC ${sources})
  target_link_libraries(micius_${name} PUBLIC micius_options ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
endfunction()

# micius_discover(NAME [SLOW]): one CTest entry a case of test_NAME; with SLOW, in the release preset, the cases tagged
# [.slow] as well.
function(micius_discover name)
  cmake_parse_arguments(arg "SLOW" "" "" ${ARGN})
  catch_discover_tests(test_${name} TEST_PREFIX "${name}: ")
  if(arg_SLOW AND CMAKE_BUILD_TYPE STREQUAL "Release")
    catch_discover_tests(test_${name} TEST_SPEC "[.slow]" TEST_PREFIX "${name}, slow: " PROPERTIES TIMEOUT 900)
  endif()
endfunction()

# micius_tests(NAME [SLOW] DEPS ...): every .cc of tests/NAME, as test_NAME.
function(micius_tests name)
  cmake_parse_arguments(arg "SLOW" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/${name}/*.cc")
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE micius_test_main ${arg_DEPS})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  if(arg_SLOW)
    micius_discover(${name} SLOW)
  else()
    micius_discover(${name})
  endif()
endfunction()

# add_program_inside(NAME SOURCES ...): a program that lives inside the sandbox. Static, since few of this machine's
# libraries are there, and without sanitizers, which want more memory than it is given. Built into libexec/micius.
function(add_program_inside name)
  add_executable(${name} ${ARGN})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wno-unknown-warning-option -Wno-restrict
    $<$<BOOL:${MICIUS_WERROR}>:-Werror>)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_options(${name} PRIVATE -static)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/libexec/micius")
endfunction()
