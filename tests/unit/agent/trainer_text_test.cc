// Text from trainers and the machine: lines, tails, events, devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "worker/agent/line_splitter.h"
#include "worker/agent/machine_info.h"
#include "worker/agent/output_tail.h"
#include "worker/agent/trainer_events.h"
#include "worker/agent/utf8_text.h"

namespace gridsweep::agent {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(LineSplitter, CutsAtNewlinesWhateverThePieces) {
  LineSplitter splitter(10);
  std::vector<std::string> lines;
  const auto collect = [&](std::string_view line) { lines.emplace_back(line); };
  for (const char* piece : {"a", "b\nc\n", "\n", "0123456789", "\nrest"})
    EXPECT_TRUE(splitter.Feed(piece, collect));
  EXPECT_THAT(lines, ElementsAre("ab", "c", "", "0123456789"));
}

TEST(LineSplitter, RefusesALineLongerThanTheLimitForGood) {
  LineSplitter splitter(4);
  int lines = 0;
  const auto count = [&](std::string_view) { ++lines; };
  EXPECT_FALSE(splitter.Feed("ok\n12345\nok\n", count));
  EXPECT_FALSE(splitter.Feed("ok\n", count));
  EXPECT_EQ(lines, 1);
}

TEST(OutputTail, KeepsTheLastLines) {
  OutputTail tail;
  EXPECT_EQ(tail.Text(), "");
  for (int i = 1; i <= 200; ++i) tail.Append("line " + std::to_string(i) + "\n");
  EXPECT_THAT(tail.Text(), StartsWith("line 151\n"));
  EXPECT_THAT(tail.Text(), EndsWith("line 200"));
}

TEST(OutputTail, KeepsAtMostSixteenKibibytesOfALongLine) {
  OutputTail tail;
  for (int i = 0; i < 100; ++i) tail.Append(std::string(100'000, 'x'));
  tail.Append("the end");
  EXPECT_EQ(tail.Text().size(), OutputTail::kMaxBytes);
  EXPECT_THAT(tail.Text(), EndsWith("xthe end"));
}

TEST(ValidUtf8, ReplacesBytesThatAreNoCharacters) {
  EXPECT_EQ(ValidUtf8("päß \"\\\n", 100), "päß \"\\\n");
  EXPECT_EQ(ValidUtf8("a\xff z", 100), "a\xef\xbf\xbd z");
  EXPECT_EQ(ValidUtf8("aä", 2), "a\xef\xbf\xbd") << "cut within a character";
}

TEST(TrainerEvents, ReadsAnEpochWithNonFiniteNumbersAndWithoutValidation) {
  const auto event = ParseTrainerEvent(
      R"({"type":"epoch","attempt":17,"epoch":2,"train_loss":"nan","train_accuracy":0.5,"test_loss":"inf",)"
      R"("test_accuracy":0.25,"lr":0.001,"seconds":1.5,"samples_per_second":100})");
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->attempt, 17);
  const auto& epoch = std::get<EpochMetrics>(event->body);
  EXPECT_TRUE(std::isnan(epoch.train_loss));
  EXPECT_TRUE(std::isinf(epoch.test_loss));
  EXPECT_FALSE(epoch.val_loss.has_value());
  EXPECT_EQ(epoch.lr, 0.001);
}

TEST(TrainerEvents, ReadsTheEndOfAJob) {
  const auto good = ParseTrainerEvent(
      R"({"type":"finished","attempt":1,"outcome":"succeeded","evaluation":{"confusion":[1,2,3,4],"predictions":[[5,1,0,0.75]]}})");
  ASSERT_TRUE(good.ok()) << good.status();
  const auto& finished = std::get<AttemptFinished>(good->body);
  EXPECT_THAT(finished.evaluation.confusion, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(finished.evaluation.predictions, ElementsAre(Prediction{5, 1, 0, 0.75}));
  const auto bad = ParseTrainerEvent(
      R"({"type":"finished","attempt":1,"outcome":"failed","error":"no data","retryable":false})");
  ASSERT_TRUE(bad.ok());
  EXPECT_EQ(std::get<AttemptFinished>(bad->body).error, "no data");
  EXPECT_FALSE(std::get<AttemptFinished>(bad->body).retryable);
}

TEST(TrainerEvents, RefusesWhatTheProtocolDoesNotKnow) {
  for (
      const char* line :
      {"", "nonsense", "[]", "{}", "17", R"({"type":3})", R"({"type":"epoch","attempt":1})",
       R"({"type":"party","attempt":1})", R"({"type":"stopped","attempt":"x"})",
       R"({"type":"finished","attempt":1,"outcome":"won"})",
       R"({"type":"finished","attempt":1,"outcome":"succeeded","evaluation":{"confusion":[],"predictions":[[1]]}})",
       "{\"type\":\"error\xff\"}"}) {
    EXPECT_FALSE(ParseTrainerEvent(line).ok()) << line;
  }
}

TEST(TrainerEvents, WritesCommandsAsOneLine) {
  const auto item = ParseRunItem(17, "{\"seed\":1,\n \"lr\":0.1}");
  ASSERT_TRUE(item.ok());
  EXPECT_EQ(RunCommand({*item}), "{\"attempt\":17,\"job\":{\"lr\":0.1,\"seed\":1},\"type\":\"run\"}\n");
  EXPECT_EQ(
      RunCommand({*item, {18, Json{{"seed", 1}}}}),
      "{\"bundle\":[{\"attempt\":17,\"job\":{\"lr\":0.1,\"seed\":1}},{\"attempt\":18,\"job\":{\"seed\":1}}],"
      "\"type\":\"run\"}\n");
  EXPECT_EQ(StopCommand(17), "{\"attempt\":17,\"type\":\"stop\"}\n");
  EXPECT_FALSE(ParseRunItem(1, "[]").ok());
}

TEST(TrainerEvents, ReadsTheListOfDevices) {
  const auto devices =
      ParseDeviceList("{\"name\":\"cuda:0\",\"model\":\"A100\",\"memory_bytes\":5}\n{\"name\":\"cpu\"}\n");
  ASSERT_TRUE(devices.ok()) << devices.status();
  EXPECT_THAT(*devices, ElementsAre(Device{.name = "cuda:0", .model = "A100", .memory_bytes = 5},
                                    Device{.name = "cpu"}));
  for (const char* text : {"", "\n", "nonsense\n", "{\"model\":\"x\"}\n"})
    EXPECT_FALSE(ParseDeviceList(text).ok()) << text;
}

TEST(MachineInfo, ReadsTheCpuModel) {
  EXPECT_EQ(ParseCpuModel("processor\t: 0\nmodel name\t: AMD EPYC 7B13\nflags: x\n"), "AMD EPYC 7B13");
  EXPECT_EQ(ParseCpuModel("processor : 0\n"), "");
}

TEST(MachineInfo, RespectsAControlGroupsQuota) {
  EXPECT_EQ(CoresWithinQuota(8, "max 100000\n"), 8);
  EXPECT_EQ(CoresWithinQuota(8, "250000 100000\n"), 2);
  EXPECT_EQ(CoresWithinQuota(8, "50000 100000\n"), 1);
  EXPECT_EQ(CoresWithinQuota(8, "1600000 100000\n"), 8);
  for (const char* text : {"", "x y", "100000", "0 0", "-1 5"})
    EXPECT_EQ(CoresWithinQuota(8, text), 8) << text;
}

TEST(MachineInfo, AutoMeansEveryCudaDeviceOrElseTheCpu) {
  const std::vector<Device> found = {
      {.name = "cpu", .model = "X"}, {.name = "cuda:0", .model = "A100"}, {.name = "cuda:1"}};
  const auto cuda = ChooseDevices("auto", found, 0, 8);
  ASSERT_TRUE(cuda.ok());
  ASSERT_EQ(cuda->size(), 2u);
  EXPECT_EQ((*cuda)[0], (Device{.name = "cuda:0", .model = "A100", .slots = 1}));
  const auto cpu = ChooseDevices("auto", {}, 0, 8);
  ASSERT_TRUE(cpu.ok());
  ASSERT_EQ(cpu->size(), 1u);
  EXPECT_EQ((*cpu)[0].name, "cpu");
  EXPECT_EQ((*cpu)[0].slots, 8);
  EXPECT_FALSE((*cpu)[0].model.empty());
}

TEST(MachineInfo, ListsNameDevicesAndSlotsAreForEach) {
  const auto devices = ChooseDevices("cpu,cuda:3", {}, 5, 8);
  ASSERT_TRUE(devices.ok());
  EXPECT_EQ((*devices)[0].slots, 5);
  EXPECT_EQ((*devices)[1].slots, 5);
  for (const char* spec : {"", "gpu", "cuda", "cuda:", "cuda:x", "cpu,", "cpu,cpu", "cuda:-1"}) {
    EXPECT_EQ(ChooseDevices(spec, {}, 0, 8).status().code(), absl::StatusCode::kInvalidArgument) << spec;
  }
  const auto missing = ChooseDevices("cuda:4", {{.name = "cpu"}, {.name = "cuda:0"}}, 0, 8);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(missing.status()), HasSubstr("cpu, cuda:0"));
}

}  // namespace
}  // namespace gridsweep::agent
