# The app of the report and the live view, built from dashboard/ with npm into one HTML file. Sets GRIDSWEEP_DASHBOARD to that
# file: without npm an empty one, and the programs say what is missing when they are asked for it.
set(dashboard ${CMAKE_SOURCE_DIR}/dashboard)
set(GRIDSWEEP_DASHBOARD ${CMAKE_BINARY_DIR}/dashboard/index.html)
find_program(GRIDSWEEP_NPM npm)
if(GRIDSWEEP_NPM)
  # npm writes this file when it is done.
  set(installed ${dashboard}/node_modules/.package-lock.json)
  add_custom_command(OUTPUT ${installed}
    COMMAND ${GRIDSWEEP_NPM} ci --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${installed}
    DEPENDS ${dashboard}/package-lock.json WORKING_DIRECTORY ${dashboard} COMMENT "Installing the dashboard's npm packages" VERBATIM)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dashboard}/src/*.ts ${dashboard}/src/*.tsx ${dashboard}/src/*.css ${dashboard}/build/*.ts)
  add_custom_command(OUTPUT ${GRIDSWEEP_DASHBOARD}
    COMMAND ${GRIDSWEEP_NPM} run --silent build -- --outDir ${CMAKE_BINARY_DIR}/dashboard --emptyOutDir --logLevel error
    DEPENDS ${installed} ${sources} ${dashboard}/index.html ${dashboard}/vite.config.ts ${dashboard}/tsconfig.json
    WORKING_DIRECTORY ${dashboard} COMMENT "Building the dashboard" VERBATIM)
else()
  message(STATUS "npm is missing: the HTML report and the live view are left out (Debian: apt-get install npm)")
  file(WRITE ${GRIDSWEEP_DASHBOARD} "")
endif()
add_custom_target(dashboard DEPENDS ${GRIDSWEEP_DASHBOARD})

# Its tests, in the distribution's Chromium where that is installed. Sanitizers have nothing to look at here.
function(gridsweep_dashboard_tests)
  if(NOT GRIDSWEEP_NPM OR GRIDSWEEP_SANITIZE)
    return()
  endif()
  foreach(script check test)
    add_test(NAME dashboard_${script} COMMAND ${GRIDSWEEP_NPM} run --silent ${script} WORKING_DIRECTORY ${dashboard})
    set_tests_properties(dashboard_${script} PROPERTIES LABELS dashboard TIMEOUT 300)
  endforeach()
  find_program(GRIDSWEEP_CHROMIUM chromium)
  if(NOT GRIDSWEEP_CHROMIUM)
    message(STATUS "chromium is missing: the dashboard is not tested in a browser (Debian: apt-get install chromium)")
    return()
  endif()
  add_test(NAME dashboard_browser COMMAND ${GRIDSWEEP_NPM} run --silent e2e WORKING_DIRECTORY ${dashboard})
  set_tests_properties(dashboard_browser PROPERTIES LABELS dashboard TIMEOUT 900 PROCESSORS 2 ENVIRONMENT
    "CHROMIUM=${GRIDSWEEP_CHROMIUM};GRIDSWEEP_PAGE=${GRIDSWEEP_DASHBOARD};GRIDSWEEP_BIN=${CMAKE_BINARY_DIR}/bin")
endfunction()
