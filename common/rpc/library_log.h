// One log for the process: what gRPC and protobuf have to say goes through Log, like everything else.
#pragma once

namespace gridsweep {

// From now on lines of gRPC are events "grpc" and those of protobuf events "protobuf", with the fields message and source.
// GRPC_VERBOSITY still decides what gRPC says. Call once, from main, before the first channel or server. Does nothing
// where the libraries are so new that they have no such hook (gRPC 1.66, protobuf 4.22): they log through abseil.
void RouteLibraryLogs();

}  // namespace gridsweep
