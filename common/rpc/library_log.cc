#include "common/rpc/library_log.h"

#include <google/protobuf/stubs/common.h>
#include <grpcpp/version_info.h>

#include <string>
#include <string_view>

#include "common/base/log.h"

#if GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR < 66
#define GRIDSWEEP_GRPC_HAS_LOG_FUNCTION
#include <grpc/support/log.h>
#endif

#if GOOGLE_PROTOBUF_VERSION < 4022000
#define GRIDSWEEP_PROTOBUF_HAS_LOG_HANDLER
#include <google/protobuf/stubs/logging.h>
#endif

namespace gridsweep {
namespace {

[[maybe_unused]] std::string Place(const char* file, int line) {
  const std::string_view path = file == nullptr ? "" : file;
  return fmt::format("{}:{}", path.substr(path.rfind('/') + 1), line);
}

#ifdef GRIDSWEEP_GRPC_HAS_LOG_FUNCTION
LogLevel Level(gpr_log_severity severity) {
  if (severity == GPR_LOG_SEVERITY_ERROR) return LogLevel::kError;
  return severity == GPR_LOG_SEVERITY_INFO ? LogLevel::kInfo : LogLevel::kDebug;
}

void LogGrpc(gpr_log_func_args* said) {
  Log(Level(said->severity), "grpc",
      {{"message", std::string_view(said->message)}, {"source", Place(said->file, said->line)}});
}
#endif

#ifdef GRIDSWEEP_PROTOBUF_HAS_LOG_HANDLER
LogLevel Level(google::protobuf::LogLevel level) {
  if (level >= google::protobuf::LOGLEVEL_ERROR) return LogLevel::kError;
  return level == google::protobuf::LOGLEVEL_WARNING ? LogLevel::kWarning : LogLevel::kInfo;
}

void LogProtobuf(google::protobuf::LogLevel level, const char* file, int line, const std::string& message) {
  Log(Level(level), "protobuf", {{"message", message}, {"source", Place(file, line)}});
}
#endif

}  // namespace

void RouteLibraryLogs() {
#ifdef GRIDSWEEP_GRPC_HAS_LOG_FUNCTION
  gpr_set_log_function(LogGrpc);
#endif
#ifdef GRIDSWEEP_PROTOBUF_HAS_LOG_HANDLER
  google::protobuf::SetLogHandler(LogProtobuf);
#endif
}

}  // namespace gridsweep
