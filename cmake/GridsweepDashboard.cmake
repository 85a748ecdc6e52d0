# The app of the report and the live view, built from dashboard/ with npm into one HTML file. Sets GRIDSWEEP_DASHBOARD to that
# file, and GRIDSWEEP_WITH_DASHBOARD to whether there is one. Without npm, or where npm cannot fetch its packages, the file is
# empty: everything else builds, and the programs say what is missing when they are asked for a report.
set(dashboard ${CMAKE_SOURCE_DIR}/dashboard)
set(GRIDSWEEP_DASHBOARD ${CMAKE_BINARY_DIR}/dashboard/index.html)
set(GRIDSWEEP_WITH_DASHBOARD OFF)
find_program(GRIDSWEEP_NPM npm)
if(NOT GRIDSWEEP_NPM)
  message(STATUS "Without the HTML report and the live view: npm is missing (Debian: apt-get install npm)")
else()
  # npm writes this file when it is done.
  set(installed ${dashboard}/node_modules/.package-lock.json)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${dashboard}/package-lock.json)
  set(GRIDSWEEP_WITH_DASHBOARD ON)
  if(NOT EXISTS ${installed} OR ${dashboard}/package-lock.json IS_NEWER_THAN ${installed})
    message(STATUS "Installing the dashboard's npm packages")
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/dashboard)
    set(npm_log ${CMAKE_BINARY_DIR}/dashboard/npm.log)
    execute_process(COMMAND ${GRIDSWEEP_NPM} ci --no-audit --no-fund --loglevel=error --fetch-retry-mintimeout=1000
      WORKING_DIRECTORY ${dashboard} RESULT_VARIABLE npm_result OUTPUT_FILE ${npm_log} ERROR_FILE ${npm_log})
    if(npm_result EQUAL 0)
      file(TOUCH ${installed})
    else()
      set(GRIDSWEEP_WITH_DASHBOARD OFF)
      message(STATUS "Without the HTML report and the live view: npm could not fetch its packages (${npm_log}); configuring tries again")
    endif()
  endif()
endif()
if(GRIDSWEEP_WITH_DASHBOARD)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dashboard}/src/*.ts ${dashboard}/src/*.tsx ${dashboard}/src/*.css ${dashboard}/build/*.ts)
  add_custom_command(OUTPUT ${GRIDSWEEP_DASHBOARD}
    COMMAND ${GRIDSWEEP_NPM} run --silent build -- --outDir ${CMAKE_BINARY_DIR}/dashboard --emptyOutDir --logLevel error
    DEPENDS ${installed} ${sources} ${dashboard}/index.html ${dashboard}/vite.config.ts ${dashboard}/tsconfig.json
    WORKING_DIRECTORY ${dashboard} COMMENT "Building the dashboard" VERBATIM)
else()
  file(CONFIGURE OUTPUT ${GRIDSWEEP_DASHBOARD} CONTENT "")
endif()
add_custom_target(dashboard DEPENDS ${GRIDSWEEP_DASHBOARD})

# Its tests, in the distribution's Chromium where that is installed. Sanitizers have nothing to look at here.
function(gridsweep_dashboard_tests)
  if(NOT GRIDSWEEP_WITH_DASHBOARD OR GRIDSWEEP_SANITIZE)
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
