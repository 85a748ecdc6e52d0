# Every third-party library, found once. docs/dependencies.md says why each is here.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
find_package(gRPC CONFIG REQUIRED)
# A compiled library here: its flags say how it was built, and the class layouts depend on them.
find_package(PkgConfig REQUIRED)
pkg_check_modules(cpp_httplib REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

# yaml-cpp 0.7 exports a plain target and 0.8 a namespaced one.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

if(GRIDSWEEP_WITH_TORCH)
  find_package(Torch REQUIRED)
endif()
if(GRIDSWEEP_WITH_TESTS)
  find_package(GTest REQUIRED)
endif()
