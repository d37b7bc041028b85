# One CMake target a folder. A layer's public headers live in include/sqlbak_gateway/<layer>, its sources in src/<layer>.
#
#   add_layer(<name> USES <layer>... PRIVATE <library>... SOURCES <file>...)
#
# USES are layers its headers may include (public); PRIVATE are third-party libraries that stay inside its .cpp files.
# tests/house/includes_test.py holds the sources to the same picture.

function(_target_defaults target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC "${PROJECT_SOURCE_DIR}/include"
    PRIVATE "${PROJECT_SOURCE_DIR}/src")
endfunction()

function(add_layer name)
  cmake_parse_arguments(ARG "" "" "USES;PRIVATE;SOURCES" ${ARGN})
  set(target sqlbak_gateway_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(sqlbak_gateway::${name} ALIAS ${target})
  _target_defaults(${target})
  foreach(layer IN LISTS ARG_USES)
    target_link_libraries(${target} PUBLIC sqlbak_gateway::${layer})
  endforeach()
  target_link_libraries(${target} PRIVATE ${ARG_PRIVATE})
endfunction()

#   add_layer_test(<name> SOURCES <file>... LINK <library>... [LABELS <label>...])
#
# A GoogleTest program; every TEST in it becomes one CTest test with the given labels:
#   concurrency  more than one thread: run under ThreadSanitizer too
#   peer         runs against real programs (Prometheus, nginx, OpenSSL): run on the release build
add_custom_target(concurrency_tests)
# What the release build is tested with (scripts/test): the programs, tests against real peers, and the benchmarks, so that
# they do not rot. All else has run under the sanitizers.
add_custom_target(release_tests)
function(add_layer_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    SQLBAK_GATEWAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    SQLBAK_GATEWAY_BINARY_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  set(properties TIMEOUT 120)
  if(ARG_LABELS)
    list(APPEND properties LABELS "${ARG_LABELS}")
    if(concurrency IN_LIST ARG_LABELS)
      add_dependencies(concurrency_tests ${name})
    endif()
    if(peer IN_LIST ARG_LABELS)
      add_dependencies(release_tests ${name})
    endif()
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()

#   add_layer_benchmark(<name> SOURCES <file>... LINK <library>...)
function(add_layer_benchmark name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE
    "${PROJECT_SOURCE_DIR}/bench" "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} benchmark::benchmark benchmark::benchmark_main)
  add_dependencies(release_tests ${name})
endfunction()
