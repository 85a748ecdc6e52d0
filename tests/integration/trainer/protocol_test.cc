// Commands, errors and ends of the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/trainer/tiny_dataset.h"
#include "tests/integration/trainer/trainer_process.h"

namespace gridsweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TrainerProtocolTest : public ::testing::Test {
 protected:
  void Start(int slots = 1) {
    trainer_ = std::make_unique<TrainerProcess>(
        std::vector<std::string>{"--slots", std::to_string(slots), "--data-dir", data_.path()});
    hello_ = trainer_->Next();
  }
  // The last event of a job that cannot be trained.
  Json Failure(const Json& job) {
    trainer_->SendRun(++attempt_, job);
    const auto events = trainer_->Finish(attempt_);
    EXPECT_EQ(events.size(), 1u) << "a job that cannot be trained is not started";
    EXPECT_EQ(events.back()["outcome"], "failed") << events.back();
    return events.back();
  }
  static std::string Error(const Json& event) { return event["error"].get<std::string>(); }
  static Json Endless() {
    Json job = TinyJob();
    job["training"]["epochs"] = 10000;
    return job;
  }

  TinyDataset data_;
  std::unique_ptr<TrainerProcess> trainer_;
  Json hello_;
  int64_t attempt_ = 0;
};

TEST_F(TrainerProtocolTest, SaysHelloFirst) {
  Start(3);
  EXPECT_EQ(hello_["type"], "hello");
  EXPECT_EQ(hello_["protocol"], 3);
  EXPECT_EQ(hello_["device"], "cpu");
  EXPECT_EQ(hello_["slots"], 3);
  EXPECT_GT(hello_["memory_bytes"], 0);
  for (const char* key : {"version", "libtorch", "blas", "device_model", "environment"}) {
    EXPECT_FALSE(hello_[key].get<std::string>().empty()) << key;
  }
  EXPECT_THAT(hello_["environment"].get<std::string>(), HasSubstr(hello_["libtorch"].get<std::string>()));
}

TEST_F(TrainerProtocolTest, BadLinesAreAnsweredAndSkipped) {
  Start();
  for (const char* line :
       {"hello?", "{}", R"({"type":"dance","attempt":1})", R"({"type":"run","attempt":1})", "\xff"}) {
    trainer_->Send(line);
    const Json answer = trainer_->Next();
    EXPECT_EQ(answer["type"], "error") << line;
    EXPECT_FALSE(Error(answer).empty());
  }
  trainer_->Send("");
  trainer_->SendRun(1, TinyJob());
  EXPECT_EQ(trainer_->Finish(1).back()["outcome"], "succeeded");
}

TEST_F(TrainerProtocolTest, RunningAttemptIsNotStartedTwice) {
  Start(2);
  trainer_->SendRun(1, Endless());
  EXPECT_EQ(trainer_->Next()["type"], "started");
  trainer_->SendRun(1, Endless());
  Json event = trainer_->Next();
  while (event["type"] == "epoch") event = trainer_->Next();
  EXPECT_EQ(event["type"], "error");
}

TEST_F(TrainerProtocolTest, StoppedJobEndsAndFreesItsSlot) {
  Start();
  trainer_->SendRun(1, Endless());
  EXPECT_EQ(trainer_->Next()["type"], "started");
  trainer_->Send(R"({"type":"stop","attempt":1})");
  EXPECT_EQ(trainer_->Finish(1).back(), Json({{"type", "stopped"}, {"attempt", 1}}));
  trainer_->Send(R"({"type":"stop","attempt":1})");  // too late: ignored
  trainer_->SendRun(2, TinyJob());
  EXPECT_EQ(trainer_->Finish(2).back()["outcome"], "succeeded");
}

TEST_F(TrainerProtocolTest, UnknownComponentOrParameterIsFinal) {
  Start();
  Json job = TinyJob();
  job["optimizer"] = ComponentJson("adma");
  Json end = Failure(job);
  EXPECT_EQ(end["retryable"], false);
  EXPECT_THAT(Error(end), AllOf(HasSubstr("adma"), HasSubstr("adam")));
  job["optimizer"] = ComponentJson("adam", {{"momentum", 0.9}});
  end = Failure(job);
  EXPECT_EQ(end["retryable"], false);
  EXPECT_THAT(Error(end), HasSubstr("momentum"));
  end = Failure(Json::object());
  EXPECT_EQ(end["retryable"], false);
}

TEST_F(TrainerProtocolTest, AbsentDataMayBeElsewhere) {
  Start();
  Json job = TinyJob();
  job["dataset"] = "emnist-balanced";
  const Json end = Failure(job);
  EXPECT_EQ(end["retryable"], true);
  EXPECT_THAT(Error(end),
              AllOf(HasSubstr(data_.path()), HasSubstr("gridsweep data fetch emnist --split balanced")));
}

TEST_F(TrainerProtocolTest, BrokenDataSaysWhichFile) {
  data_.Write("tiny-test-labels-idx1-ubyte", "not labels");
  Start();
  EXPECT_THAT(Error(Failure(TinyJob())), AllOf(HasSubstr("tiny-test-labels-idx1-ubyte"), HasSubstr("magic")));
}

TEST_F(TrainerProtocolTest, DataOfAnotherDigestIsRefused) {
  Start();
  Json job = TinyJob();
  job["dataset_digest"] = std::string(64, 'a');
  const Json end = Failure(job);
  EXPECT_EQ(end["retryable"], true);
  EXPECT_THAT(Error(end), HasSubstr("aaaaaaaaaaaa"));
}

TEST_F(TrainerProtocolTest, ReplacedFilesAreReadAgain) {
  Start();
  trainer_->SendRun(1, TinyJob());
  const std::string before = trainer_->Finish(1)[0]["dataset"]["digest"];
  const TinyDataset other(120);
  for (const char* file : {"tiny-train-images-idx3-ubyte", "tiny-train-labels-idx1-ubyte"}) {
    std::filesystem::copy_file(other.path() + "/" + file, data_.path() + "/" + file,
                               std::filesystem::copy_options::overwrite_existing);
  }
  Json job = TinyJob();
  job["dataset_digest"] = std::string(64, 'a');
  EXPECT_THAT(Error(Failure(job)), HasSubstr("digest"));
  // A second trainer sees the new files and tells their digest.
  TrainerProcess fresh({"--data-dir", data_.path()});
  EXPECT_EQ(fresh.Next()["type"], "hello");
  fresh.SendRun(1, TinyJob());
  const std::string after = fresh.Finish(1)[0]["dataset"]["digest"];
  EXPECT_NE(before, after);
  job["dataset_digest"] = after;
  trainer_->SendRun(9, job);
  EXPECT_EQ(trainer_->Finish(9).back()["outcome"], "succeeded");
}

TEST_F(TrainerProtocolTest, EndOfInputStopsEverything) {
  Start(2);
  trainer_->SendRun(1, Endless());
  EXPECT_EQ(trainer_->Next()["type"], "started");
  trainer_->CloseInput();
  const ProgramResult result = trainer_->Wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, HasSubstr("\"stopped\""));
}

TEST_F(TrainerProtocolTest, EndsQuietlyWhenNobodyReads) {
  Start();
  trainer_->SendRun(1, Endless());
  EXPECT_EQ(trainer_->Next()["type"], "started");
  trainer_->CloseOutput();
  const ProgramResult result = trainer_->Wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
}

}  // namespace
}  // namespace gridsweep
