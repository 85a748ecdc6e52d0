#include "common/rpc/library_log.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/common.h>
#include <grpcpp/version_info.h>
#include <gtest/gtest.h>

#include "gridsweep/v1/sweep_service.pb.h"

#if GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR < 66
#include <grpc/support/log.h>
#endif

namespace gridsweep {
namespace {

using testing::MatchesRegex;

#if GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR < 66
TEST(RouteLibraryLogs, LinesOfGrpcAreEvents) {
  RouteLibraryLogs();
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // as the first channel or server does
  testing::internal::CaptureStderr();
  gpr_log("/build/src/core/tcp_server.cc", 17, GPR_LOG_SEVERITY_ERROR, "no address\nadded: %d", 3);
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      MatchesRegex("[-0-9T:.]*Z error grpc message=\"no address\\\\nadded: 3\" source=tcp_server.cc:17\n"));
}
#endif

#if GOOGLE_PROTOBUF_VERSION < 4022000
TEST(RouteLibraryLogs, LinesOfProtobufAreEvents) {
  RouteLibraryLogs();
  v1::GetSweepRequest request;
  request.set_sweep("\xff");
  testing::internal::CaptureStderr();
  EXPECT_FALSE(request.SerializeAsString().empty());
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      MatchesRegex("[-0-9T:.]*Z error protobuf message=\"String field .* source=[a-z_]*.cc:[0-9]*\n"));
}
#endif

}  // namespace
}  // namespace gridsweep
