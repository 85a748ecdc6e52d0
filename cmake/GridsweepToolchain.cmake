# Language level, warnings, sanitizers, compiler cache and the commit that --version prints.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# Our own targets link this one; generated and third-party code does not.
add_library(gridsweep_warnings INTERFACE)
target_compile_options(gridsweep_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wno-missing-field-initializers
  -Werror)  # a designated initializer that leaves the defaults alone is what we want
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 and later report overlaps that cannot happen in std::string operator+ (GCC bug 105651).
  target_compile_options(gridsweep_warnings INTERFACE -Wno-restrict)
  if(GRIDSWEEP_SANITIZE)
    # Instrumented code confuses the analysis behind this warning, as GCC's manual says.
    target_compile_options(gridsweep_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

if(GRIDSWEEP_SANITIZE)
  add_compile_options(-fsanitize=${GRIDSWEEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -O1)
  add_link_options(-fsanitize=${GRIDSWEEP_SANITIZE})
endif()

find_package(Git QUIET)
set(GRIDSWEEP_COMMIT "unknown")
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -c safe.directory=* -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE GRIDSWEEP_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT GRIDSWEEP_COMMIT)
    set(GRIDSWEEP_COMMIT "unknown")
  endif()
endif()
