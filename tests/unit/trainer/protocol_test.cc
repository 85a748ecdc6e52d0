#include "worker/trainer/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "worker/trainer/metrics_json.h"

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

TEST(Protocol, RunNamesCheckpointsToGoOnFrom) {
  const auto run = ParseTrainerCommand(R"({"type":"run","attempt":1,"job":{},"resume":["b","a"]})");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(std::get<RunCommand>(*run).jobs[0].resume, (std::vector<std::string>{"b", "a"}));
  const auto bundle = ParseTrainerCommand(
      R"({"type":"run","bundle":[{"attempt":1,"job":{}},{"attempt":2,"job":{},"resume":["a"]}]})");
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_TRUE(std::get<RunCommand>(*bundle).jobs[0].resume.empty());
  EXPECT_EQ(std::get<RunCommand>(*bundle).jobs[1].resume, std::vector<std::string>{"a"});
  EXPECT_THAT(ParseError(R"({"type":"run","attempt":1,"job":{},"resume":"a"})"), HasSubstr("\"resume\""));
  EXPECT_THAT(ParseError(R"({"type":"run","attempt":1,"job":{},"resume":[1]})"), HasSubstr("\"resume\""));
}

TEST(Protocol, BadCommandsSayWhatIsWrong) {
  EXPECT_THAT(ParseError("run it"), HasSubstr("not valid JSON"));
  EXPECT_THAT(ParseError(R"({"type":"stop","attempt":1e999})"), HasSubstr("not valid JSON"));
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

TEST(Protocol, MetricsReadBackBitForBit) {
  EpochMetrics metrics;
  metrics.epoch = 3;
  metrics.train_loss = 0.1 + 0.2;
  metrics.train_accuracy = 1.0 / 3;
  metrics.val_loss = std::numeric_limits<double>::infinity();
  metrics.val_accuracy = 5e-324;
  metrics.test_loss = 1.7976931348623157e308;
  metrics.test_accuracy = 0.7;
  metrics.lr = 1e-3 * 0.1;
  metrics.seconds = 12.5;
  metrics.samples_per_second = 99999.99;
  metrics.shared_by = 4;
  const auto read = [](const Json& json) { return MetricsFromJson(ParseJson(json.dump()).value()); };
  const Json json = MetricsToJson(metrics);
  ASSERT_TRUE(read(json).ok()) << read(json).status();
  EXPECT_EQ(*read(json), metrics);
  metrics.val_loss = metrics.val_accuracy = std::nullopt;
  EXPECT_EQ(*read(MetricsToJson(metrics)), metrics);
  metrics.train_loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(read(MetricsToJson(metrics))->train_loss));

  for (const auto& [key, value] : json.items()) {
    Json broken = json;
    broken[key] = "many";
    EXPECT_FALSE(read(broken).ok()) << key;
    EXPECT_THAT(Message(read(broken).status()), HasSubstr(key));
    broken[key] = Json::array();
    EXPECT_FALSE(read(broken).ok()) << key;
  }
  Json broken = json;
  for (const Json& epoch : {Json(0), Json(-1), Json(1.5), Json(18446744073709551615u)}) {
    broken["epoch"] = epoch;
    EXPECT_FALSE(read(broken).ok()) << epoch;
  }
  for (const Json& other : {Json(), Json(1), Json::array({1})}) EXPECT_FALSE(MetricsFromJson(other).ok());
}

TEST(Protocol, EventsOfCheckpoints) {
  EXPECT_EQ(CheckpointEvent(17, 4, {"ab", 28}),
            Json::parse(R"({"type":"checkpoint","attempt":17,"epoch":4,"checkpoint":"ab","bytes":28})"));
  EXPECT_EQ(ModelEvent(17, 7, {"cd", 9}),
            Json::parse(R"({"type":"model","attempt":17,"epoch":7,"artifact":"cd","bytes":9})"));
  EXPECT_EQ(CheckpointUnusableEvent(17, "ab", "why"),
            Json::parse(R"({"type":"checkpoint_unusable","attempt":17,"checkpoint":"ab","error":"why"})"));
  EXPECT_EQ(StartedEvent(17, {}, {}, 3)["resumed_epoch"], 3);
  EXPECT_FALSE(StartedEvent(17, {}, {}, 0).contains("resumed_epoch"));
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
