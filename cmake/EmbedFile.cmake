# Writes OUT: a C++ file that defines gridsweep::embedded::VARIABLE as the bytes of IN. A char array, not a raw string
# literal, because compilers limit a literal's length.
file(READ ${IN} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
file(WRITE ${OUT} "#include <string_view>\n\nnamespace gridsweep::embedded {\n\nstatic const char kBytes[] = {${bytes}'\\0'};\n"
  "extern const std::string_view ${VARIABLE};\nconst std::string_view ${VARIABLE}{kBytes, ${size}};\n\n}\n")
