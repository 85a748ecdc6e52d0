# gridsweep_library(NAME SOURCES a.cc ... DEPENDS lib ...): a static library with our warnings.
function(gridsweep_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${NAME} STATIC ${ARG_SOURCES})
  target_include_directories(${NAME} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${NAME} PUBLIC ${ARG_DEPENDS} PRIVATE gridsweep_warnings)
endfunction()

# gridsweep_binary(NAME SOURCES main.cc ... DEPENDS lib ...): an installed program in <build>/bin.
function(gridsweep_binary NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${ARG_DEPENDS} gridsweep_warnings)
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${NAME} RUNTIME DESTINATION bin)
endfunction()

# gridsweep_sanitized(TEST): the settings under which a ctest entry runs in a sanitizer's build.
function(gridsweep_sanitized TEST)
  if(GRIDSWEEP_SANITIZE)
    # Tests crash fake trainers on purpose and look at the signal; programs end while a thread still waits for signals.
    set_tests_properties(${TEST} PROPERTIES ENVIRONMENT "\
TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp ignore_noninstrumented_modules=1 handle_segv=0 \
handle_abort=0 report_thread_leaks=0;\
ASAN_OPTIONS=handle_segv=0 handle_abort=0 detect_stack_use_after_return=1 allocator_may_return_null=1;\
LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp print_suppressions=0;\
UBSAN_OPTIONS=print_stacktrace=1")
  endif()
endfunction()

# gridsweep_test(NAME LABEL unit SOURCES a_test.cc ... DEPENDS lib ...): one GoogleTest program, one ctest entry per
# program (starting a process per case costs more than the cases). Labels: unit contract integration e2e fault torch fuzz.
function(gridsweep_test NAME)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${ARG_DEPENDS} gridsweep_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${NAME} PRIVATE
    GRIDSWEEP_SOURCE_DIR="${CMAKE_SOURCE_DIR}" GRIDSWEEP_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  add_test(NAME ${NAME} COMMAND ${NAME} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${NAME} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  gridsweep_sanitized(${NAME})
endfunction()

# gridsweep_embed(TARGET VARIABLE file): makes the file's bytes available as `extern const std::string_view VARIABLE` in
# namespace gridsweep::embedded.
function(gridsweep_embed TARGET VARIABLE FILE)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${VARIABLE}.embedded.cc)
  get_filename_component(embedded ${FILE} ABSOLUTE)  # below the current source folder, unless it is absolute already
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DIN=${embedded} -DOUT=${generated} -DVARIABLE=${VARIABLE}
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
    DEPENDS ${embedded} ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake VERBATIM)
  target_sources(${TARGET} PRIVATE ${generated})
endfunction()
