// Structured logging: one line an event, with key=value fields.
//
//   Log(LogLevel::kInfo, "lease_expired", {{"attempt", 17}, {"worker", name}});
//   2026-11-22T10:00:00.123Z info lease_expired attempt=17 worker=node3
//
// Lines go to stderr. Values with spaces, quotes or control bytes are quoted and escaped, so a name cannot
// forge a line. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/base/status.h"

namespace gridsweep {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

struct LogField {
  template <typename T>
  LogField(std::string_view key_in, const T& value_in)
      : key(key_in), value(fmt::format("{}", value_in)), is_number(std::is_arithmetic_v<T>) {}
  // Left away where `value` is empty.
  static LogField IfAny(std::string_view key, std::string_view value) {
    return LogField(value.empty() ? "" : key, value);
  }
  std::string key;  // without one the field is not written
  std::string value;
  bool is_number;
};

// Sets the process's threshold and format. Call once, from main.
void ConfigureLog(LogLevel threshold, LogFormat format);

// "debug", "info", "warning", "error". Returns INVALID_ARGUMENT for anything else.
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text);
// "text", "json".
absl::StatusOr<LogFormat> ParseLogFormat(std::string_view text);

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace gridsweep
