#include "common/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/json.h"

namespace gridsweep {
namespace {

std::atomic<LogFormat> g_format{LogFormat::kText};

spdlog::logger& Logger() {
  static const auto logger = [] {
    auto created =
        std::make_shared<spdlog::logger>("gridsweep", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_pattern("%v");  // the line is complete; spdlog only serializes, filters and flushes
    created->flush_on(spdlog::level::info);
    return created;
  }();
  return *logger;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

constexpr std::string_view Name(LogLevel level) {
  constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  return kNames[static_cast<int>(level)];
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == '"' || byte == '=' || byte == '\\' || byte == 0x7f) return true;
  }
  return false;
}

std::string EscapedJsonString(std::string_view value) {
  return Json(std::string(value)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// JSON has no literal for numbers that are not finite.
bool IsJsonNumber(const LogField& field) {
  return field.is_number && field.value.find("nan") == std::string::npos &&
         field.value.find("inf") == std::string::npos;
}

}  // namespace

void ConfigureLog(LogLevel threshold, LogFormat format) {
  Logger().set_level(SpdlogLevel(threshold));
  g_format = format;
}

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (text == Name(level)) return level;
  }
  return InvalidArgument("unknown log level '{}', expected debug, info, warning or error", text);
}

absl::StatusOr<LogFormat> ParseLogFormat(std::string_view text) {
  if (text == "text") return LogFormat::kText;
  if (text == "json") return LogFormat::kJson;
  return InvalidArgument("unknown log format '{}', expected text or json", text);
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const auto spdlog_level = SpdlogLevel(level);
  if (!Logger().should_log(spdlog_level)) return;
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  std::string line;
  if (g_format == LogFormat::kJson) {
    line =
        fmt::format(R"({{"time":"{}","level":"{}","event":{})", time, Name(level), EscapedJsonString(event));
    for (const LogField& field : fields) {
      if (field.key.empty()) continue;
      line += fmt::format(",{}:{}", EscapedJsonString(field.key),
                          IsJsonNumber(field) ? field.value : EscapedJsonString(field.value));
    }
    line += '}';
  } else {
    line = fmt::format("{} {} {}", time, Name(level), event);
    for (const LogField& field : fields) {
      if (field.key.empty()) continue;
      line += fmt::format(" {}={}", field.key,
                          NeedsQuotes(field.value) ? EscapedJsonString(field.value) : field.value);
    }
  }
  Logger().log(spdlog_level, "{}", line);
}

}  // namespace gridsweep
