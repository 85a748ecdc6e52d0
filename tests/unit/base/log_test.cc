#include "common/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "common/base/json.h"

namespace gridsweep {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

// Restores the defaults: the configuration is the process's.
class LogTest : public testing::Test {
 protected:
  ~LogTest() override { ConfigureLog(LogLevel::kInfo, LogFormat::kText); }

  static std::string Written(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    testing::internal::CaptureStderr();
    Log(level, event, fields);
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, LineHasTimeLevelEventAndFields) {
  EXPECT_THAT(Written(LogLevel::kInfo, "lease_expired", {{"attempt", 17}, {"worker", "node3"}}),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z info lease_expired attempt=17 "
                           "worker=node3\n"));
}

TEST_F(LogTest, NoValueCanForgeALineOrAField) {
  const std::string line = Written(LogLevel::kWarning, "worker_registered",
                                   {{"name", "a\nb"}, {"host", "x y=z \"q\" \\"}, {"note", ""}});
  EXPECT_THAT(line, EndsWith("worker_registered name=\"a\\nb\" host=\"x y=z \\\"q\\\" \\\\\" note=\"\"\n"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST_F(LogTest, AFieldWithoutAnythingToSayIsLeftAway) {
  EXPECT_THAT(Written(LogLevel::kInfo, "e", {{"a", 1}, LogField::IfAny("error", ""), {"b", ""}}),
              EndsWith(" e a=1 b=\"\"\n"));
  EXPECT_THAT(Written(LogLevel::kInfo, "e", {LogField::IfAny("error", "no data")}),
              EndsWith(" e error=\"no data\"\n"));
  ConfigureLog(LogLevel::kInfo, LogFormat::kJson);
  EXPECT_THAT(Written(LogLevel::kInfo, "e", {LogField::IfAny("error", ""), {"a", 1}}),
              EndsWith("\"event\":\"e\",\"a\":1}\n"));
}

TEST_F(LogTest, BytesThatAreNotUtf8AreNoProblem) {
  EXPECT_THAT(Written(LogLevel::kInfo, "e", {{"x", "\x01\xff \x7f"}}), HasSubstr(" e x=\"\\u0001"));
}

TEST_F(LogTest, JsonLinesAreJson) {
  ConfigureLog(LogLevel::kInfo, LogFormat::kJson);
  const auto line = ParseJson(
      Written(LogLevel::kError, "commit_failed", {{"operations", 3}, {"error", "disk \"full\"\n"}}));
  ASSERT_TRUE(line.ok()) << Message(line.status());
  EXPECT_EQ((*line)["level"], "error");
  EXPECT_EQ((*line)["event"], "commit_failed");
  EXPECT_EQ((*line)["operations"], 3);
  EXPECT_EQ((*line)["error"], "disk \"full\"\n");
}

TEST_F(LogTest, JsonHasNoNumberThatIsNotFinite) {
  ConfigureLog(LogLevel::kInfo, LogFormat::kJson);
  EXPECT_TRUE(
      ParseJson(Written(LogLevel::kInfo, "e", {{"loss", std::numeric_limits<double>::quiet_NaN()}})).ok());
  EXPECT_TRUE(ParseJson(Written(LogLevel::kInfo, "e", {{"ready", true}})).ok());
}

TEST_F(LogTest, LinesBelowTheThresholdAreDropped) {
  ConfigureLog(LogLevel::kWarning, LogFormat::kText);
  EXPECT_EQ(Written(LogLevel::kInfo, "e", {}), "");
  EXPECT_NE(Written(LogLevel::kWarning, "e", {}), "");
}

TEST_F(LogTest, LevelsAndFormatsParse) {
  EXPECT_EQ(*ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_THAT(Message(ParseLogLevel("loud").status()), HasSubstr("'loud', expected debug, info"));
  EXPECT_THAT(Message(ParseLogFormat("xml").status()), HasSubstr("'xml', expected text or json"));
}

}  // namespace
}  // namespace gridsweep
