#include "worker/trainer/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace gridsweep {
namespace {

using ::testing::HasSubstr;

std::string ParseError(const std::string& line) {
  const auto command = ParseTrainerCommand(line);
  EXPECT_EQ(command.status().code(), absl::StatusCode::kInvalidArgument) << line;
  return Message(command.status());
}

TEST(Protocol, ParsesCommands) {
  const auto run = ParseTrainerCommand(R"({"type":"run","attempt":17,"job":{"seed":3}})");
  ASSERT_TRUE(run.ok()) << run.status();
  ASSERT_EQ(std::get<RunCommand>(*run).jobs.size(), 1u);
  EXPECT_EQ(std::get<RunCommand>(*run).jobs[0].attempt, 17);
  EXPECT_EQ(std::get<RunCommand>(*run).jobs[0].document, Json({{"seed", 3}}));
  const auto bundle = ParseTrainerCommand(
      R"({"type":"run","bundle":[{"attempt":1,"job":{}},{"attempt":2,"job":{"seed":3}}]})");
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  ASSERT_EQ(std::get<RunCommand>(*bundle).jobs.size(), 2u);
  EXPECT_EQ(std::get<RunCommand>(*bundle).jobs[1].attempt, 2);
  EXPECT_EQ(std::get<RunCommand>(*bundle).jobs[1].document, Json({{"seed", 3}}));
  const auto stop = ParseTrainerCommand(R"({"type":"stop","attempt":9007199254740993})");
  ASSERT_TRUE(stop.ok()) << stop.status();
  EXPECT_EQ(std::get<StopCommand>(*stop).attempt, 9007199254740993);
}

TEST(Protocol, BadCommandsSayWhatIsWrong) {
  EXPECT_THAT(ParseError("run it"), HasSubstr("not valid JSON"));
  EXPECT_THAT(ParseError("[1]"), HasSubstr("expected an object"));
  EXPECT_THAT(ParseError("{}"), HasSubstr("\"type\""));
  EXPECT_THAT(ParseError(R"({"type":"sing","attempt":1})"), HasSubstr("unknown command 'sing'"));
  EXPECT_THAT(ParseError(R"({"type":"stop"})"), HasSubstr("\"attempt\""));
  EXPECT_THAT(ParseError(R"({"type":"stop","attempt":"1"})"), HasSubstr("\"attempt\""));
  EXPECT_THAT(ParseError(R"({"type":"run","attempt":1})"), HasSubstr("\"job\""));
  EXPECT_THAT(ParseError(R"({"type":"run","attempt":1,"job":"x"})"), HasSubstr("\"job\""));
  EXPECT_THAT(ParseError(R"({"type":"run","bundle":[]})"), HasSubstr("\"bundle\""));
  EXPECT_THAT(ParseError(R"({"type":"run","bundle":[{"attempt":1}]})"), HasSubstr("\"job\""));
  EXPECT_THAT(ParseError(R"({"type":"run","bundle":[7]})"), HasSubstr("\"attempt\""));
}

TEST(Protocol, EpochCarriesNonFiniteNumbersAsStrings) {
  EpochMetrics metrics;
  metrics.epoch = 2;
  metrics.train_loss = std::numeric_limits<double>::quiet_NaN();
  metrics.test_loss = std::numeric_limits<double>::infinity();
  const Json json = EpochEvent(5, metrics);
  EXPECT_EQ(json["train_loss"], "nan");
  EXPECT_EQ(json["test_loss"], "inf");
  EXPECT_FALSE(json.contains("val_loss"));
  metrics.val_loss = 0.5;
  metrics.val_accuracy = 0.25;
  EXPECT_EQ(EpochEvent(5, metrics)["val_loss"], 0.5);
  EXPECT_EQ(EpochEvent(5, metrics)["val_accuracy"], 0.25);
}

TEST(Protocol, EndSaysWhetherAnotherAttemptMayHelp) {
  EXPECT_EQ(EndEvent(1, InvalidArgument("bad"))["retryable"], false);
  EXPECT_EQ(EndEvent(1, NotFound("unknown"))["retryable"], false);
  for (const absl::Status& status : {ResourceExhausted("memory"), Unavailable("data"), DataLoss("file"),
                                     Internal("bug"), Aborted("device")}) {
    const Json json = EndEvent(1, status);
    EXPECT_EQ(json["retryable"], true) << status;
    EXPECT_EQ(json["outcome"], "failed");
    EXPECT_EQ(json["error"], Message(status));
    EXPECT_EQ(json.contains("data_unusable"), absl::IsUnavailable(status));
  }
}

TEST(Protocol, EndCarriesTheEvaluation) {
  JobOutcome outcome{JobOutcome::End::kSucceeded, "", {{1, 2, 3, 4}, {{0, 1, 1, 0.75}}}};
  EXPECT_EQ(EndEvent(8, outcome), Json::parse(R"({"type":"finished","attempt":8,"outcome":"succeeded",
    "evaluation":{"confusion":[1,2,3,4],"predictions":[[0,1,1,0.75]]}})"));
  outcome = {JobOutcome::End::kDiverged, "loss", {}};
  EXPECT_EQ(EndEvent(8, outcome),
            Json::parse(R"({"type":"finished","attempt":8,"outcome":"diverged","error":"loss"})"));
  outcome = {JobOutcome::End::kStopped, "", {}};
  EXPECT_EQ(EndEvent(8, outcome), Json::parse(R"({"type":"stopped","attempt":8})"));
  outcome = {JobOutcome::End::kStopped, "memory", {}, true};
  EXPECT_EQ(EndEvent(8, outcome),
            Json::parse(R"({"type":"stopped","attempt":8,"error":"memory","retry_alone":true})"));
}

}  // namespace
}  // namespace gridsweep
