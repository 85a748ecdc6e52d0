#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/integration/trainer/tiny_dataset.h"
#include "tests/integration/trainer/trainer_process.h"

namespace gridsweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(TrainerCommandLine, TrainsTheJobOfAFile) {
  const TinyDataset data;
  const ProgramResult result =
      RunTrainer({"--job", data.Write("job.json", TinyJob().dump()), "--data-dir", data.path()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(StartsWith("{"), HasSubstr("\"hello\""), HasSubstr("\"epoch\":2"),
                                HasSubstr("\"outcome\":\"succeeded\"")));
  EXPECT_EQ(result.err, "");
}

TEST(TrainerCommandLine, FailedJobIsExitCodeOne) {
  const TinyDataset data;
  const ProgramResult result =
      RunTrainer({"--job", data.Write("job.json", TinyJob().dump()), "--data-dir", "/nonexistent"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no data set 'tiny'"));
}

TEST(TrainerCommandLine, UnreadableJobFileIsExitCodeTwo) {
  const TinyDataset data;
  ProgramResult result = RunTrainer({"--job", "/nonexistent/job.json"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("cannot open '/nonexistent/job.json'"));
  result = RunTrainer({"--job", data.Write("job.json", "{")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("not valid JSON"));
}

TEST(TrainerCommandLine, BadFlagsAreExitCodeTwo) {
  EXPECT_EQ(RunTrainer({"--nonsense"}).exit_code, 2);
  EXPECT_EQ(RunTrainer({"--slots", "0"}).exit_code, 2);
  const ProgramResult result = RunTrainer({"--device", "tpu"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown device 'tpu', expected cpu or cuda:N"));
  EXPECT_THAT(RunTrainer({"--device", "cuda:99"}).err, HasSubstr("no device 'cuda:99' here, there is cpu"));
}

TEST(TrainerCommandLine, DumpsTheCatalogOfTheOtherPrograms) {
  std::ifstream in(GRIDSWEEP_SOURCE_DIR "/common/catalog/catalog.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  const ProgramResult result = RunTrainer({"--dump-catalog"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, text.str()) << "run: ./dev catalog";
}

TEST(TrainerCommandLine, ListsDevices) {
  const ProgramResult result = RunTrainer({"--list-devices"});
  EXPECT_EQ(result.exit_code, 0);
  const Json first = Json::parse(result.out.substr(0, result.out.find('\n')));
  EXPECT_EQ(first["name"], "cpu");
  EXPECT_FALSE(first["model"].get<std::string>().empty());
  EXPECT_GT(first["memory_bytes"], 0);
}

TEST(TrainerCommandLine, HelpAndVersion) {
  const ProgramResult help = RunTrainer({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* text : {"--device", "--slots", "--data-dir", "--job", "Exit codes", "Examples"}) {
    EXPECT_THAT(help.out, HasSubstr(text));
  }
  const ProgramResult version = RunTrainer({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, AllOf(StartsWith("gridsweep-trainer "), HasSubstr("LibTorch ")));
}

}  // namespace
}  // namespace gridsweep
