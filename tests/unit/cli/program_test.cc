// The command line as a user types it, without a coordinator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "cli/command.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSweep[] =
    "name: tiny\n"
    "dataset: no-such-set\n"
    "training: { epochs: 2, batch_size: 64, validation: 0.1 }\n"
    "seeds: [1, 2]\n"
    "grid:\n"
    "  model: [mlp, cnn]\n"
    "  optimizer: [adam, { sgd: { lr: [0.05, 0.01] } }]\n"
    "exclude:\n"
    "  - { model: mlp, optimizer: { sgd: { lr: 0.05 } } }\n";

class ProgramTest : public ::testing::Test {
 protected:
  int Run(const std::vector<std::string>& args) {
    out_.str("");
    err_.str("");
    Context context;
    context.out.stream = &out_;
    context.err.stream = &err_;
    context.clock = &SystemClock();
    context.interruptions = [] { return 0; };
    context.sleep = [](absl::Duration) {};
    context.program_dir = dir_ / "nothing-installed";
    return RunProgram(args, context, AllCommands());
  }
  std::string Sweep(const std::string& text = kSweep) {
    WriteFile(dir_ / "tiny.yaml", text);
    return dir_ / "tiny.yaml";
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  const TempDir dir_;
  std::ostringstream out_, err_;
};

TEST_F(ProgramTest, WithoutACommandItExplainsItself) {
  EXPECT_EQ(Run({}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("run"));
  EXPECT_EQ(out(), "");
}

TEST_F(ProgramTest, HelpGoesToStandardOutput) {
  EXPECT_EQ(Run({"--help"}), kExitOk);
  for (const char* word : {"run", "plan", "rank", "Exit codes", "GRIDSWEEP_COORDINATOR"}) {
    EXPECT_THAT(out(), HasSubstr(word));
  }
  EXPECT_EQ(err(), "");
}

TEST_F(ProgramTest, EveryCommandHasHelpWithAnExample) {
  for (const auto& command : AllCommands()) {
    EXPECT_EQ(Run({command->name(), "--help"}), kExitOk) << command->name();
    EXPECT_THAT(out(), HasSubstr("Example")) << command->name();
    EXPECT_THAT(out(), HasSubstr("gridsweep " + command->name())) << command->name();
  }
}

TEST_F(ProgramTest, AMistypedCommandIsGuessed) {
  EXPECT_EQ(Run({"rnak", "3"}), kExitUsage);
  EXPECT_THAT(err(), StartsWith("gridsweep: unknown command 'rnak', did you mean 'rank'"));
}

TEST_F(ProgramTest, AMistypedOptionIsGuessed) {
  EXPECT_EQ(Run({"rank", "3", "--tpo", "5"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("gridsweep rank: unknown option '--tpo', did you mean '--top'"));
  EXPECT_THAT(err(), HasSubstr("see gridsweep rank --help"));
}

TEST_F(ProgramTest, AMissingArgumentIsNamed) {
  EXPECT_EQ(Run({"plan"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("FILE"));
}

TEST_F(ProgramTest, AnUnknownFormatListsTheFormats) {
  EXPECT_EQ(Run({"catalog", "--format", "xml"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("table, csv, tsv, json, markdown or latex"));
}

TEST_F(ProgramTest, VersionSaysWhatIsNotInstalled) {
  EXPECT_EQ(Run({"--version"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("gridsweep "));
  EXPECT_THAT(out(), HasSubstr("LibTorch  not installed"));
  EXPECT_THAT(out(), HasSubstr("gRPC      1."));
}

TEST_F(ProgramTest, AReadingCommandWithoutADatabaseSaysHowToGetOne) {
  EXPECT_EQ(Run({"list", "--db", dir_ / "none.db"}), kExitNoCoordinator);
  EXPECT_THAT(err(), HasSubstr("there is no database"));
  EXPECT_THAT(err(), HasSubstr("gridsweep run FILE"));
}

TEST_F(ProgramTest, AChangingCommandWithoutACoordinatorSaysHowToStartOne) {
  for (const char* command : {"pause", "resume", "cancel", "retry"}) {
    EXPECT_EQ(Run({command, "3", "--db", dir_ / "none.db"}), kExitNoCoordinator) << command;
    EXPECT_THAT(err(), HasSubstr("gridsweep-coordinator --db")) << command;
  }
}

TEST_F(ProgramTest, TheVariableNamesACoordinatorWhereNoFlagDoes) {
  setenv("GRIDSWEEP_COORDINATOR", "127.0.0.1:1", 1);
  EXPECT_EQ(Run({"list"}), kExitNoCoordinator);
  EXPECT_THAT(err(), HasSubstr("no coordinator answers at '127.0.0.1:1'"));
  EXPECT_EQ(Run({"list", "--coordinator", "127.0.0.1:2"}), kExitNoCoordinator);
  EXPECT_THAT(err(), HasSubstr("no coordinator answers at '127.0.0.1:2'"));
  EXPECT_EQ(Run({"list", "--db", dir_ / "none.db"}), kExitNoCoordinator);
  EXPECT_THAT(err(), HasSubstr("there is no database '" + (dir_ / "none.db")));
  setenv("GRIDSWEEP_COORDINATOR", "", 1);
  EXPECT_EQ(Run({"list", "--db", dir_ / "none.db"}), kExitNoCoordinator);
  EXPECT_THAT(err(), HasSubstr("there is no database"));
  unsetenv("GRIDSWEEP_COORDINATOR");
}

TEST_F(ProgramTest, ADatabaseAndACoordinatorExcludeEachOther) {
  const std::vector<std::vector<std::string>> commands = {
      {"list"},        {"watch", "3"}, {"rank", "3"}, {"show", "3"}, {"pause", "3"},     {"resume", "3"},
      {"cancel", "3"}, {"retry", "3"}, {"workers"},   {"sql", "x"},  {"submit", Sweep()}};
  for (std::vector<std::string> args : commands) {
    args.insert(args.end(), {"--db", "x.db", "--coordinator", "127.0.0.1:1"});
    EXPECT_EQ(Run(args), kExitUsage) << args[0];
    EXPECT_THAT(err(), AllOf(HasSubstr("--db"), HasSubstr("--coordinator"), HasSubstr("give only one")))
        << args[0];
  }
}

TEST_F(ProgramTest, SuggestedCommandsRepeatTheDatabase) {
  EXPECT_EQ(Run({"list", "--db", dir_ / "my sweeps.db"}), kExitNoCoordinator);
  EXPECT_THAT(err(), HasSubstr("gridsweep run FILE --db '" + (dir_ / "my sweeps.db'")));
}

TEST_F(ProgramTest, AClosedStandardInputIsNamed) {
  const int kept = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  EXPECT_EQ(Run({"plan", "-"}), kExitUsage);
  if (kept >= 0) dup2(kept, STDIN_FILENO);
  EXPECT_THAT(err(), HasSubstr("standard input is closed"));
}

TEST_F(ProgramTest, AnAddressWhereNobodyListensIsNoCoordinator) {
  EXPECT_EQ(Run({"list", "--coordinator", "127.0.0.1:1"}), kExitNoCoordinator);
  EXPECT_THAT(err(), HasSubstr("no coordinator answers at '127.0.0.1:1'"));
}

TEST_F(ProgramTest, AWrongSweepFileNeverReachesACoordinator) {
  const std::string path = Sweep("name: tiny\nmodle: mlp\n");
  for (const char* command : {"run", "plan", "submit"}) {
    EXPECT_EQ(Run({command, path}), kExitUsage) << command;
    EXPECT_THAT(err(), HasSubstr("tiny.yaml:2:")) << command;
  }
}

TEST_F(ProgramTest, AMissingSweepFileIsNamed) {
  EXPECT_EQ(Run({"plan", dir_ / "absent.yaml"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("absent.yaml': No such file"));
  EXPECT_EQ(Run({"plan", dir_.path()}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("is a folder"));
}

TEST_F(ProgramTest, RunWithoutItsDataSetSaysHowToGetItBeforeAnythingStarts) {
  EXPECT_EQ(Run({"run", Sweep(), "--db", dir_ / "x.db", "--data-dir", dir_.path()}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("no-such-set"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "x.db"));
}

TEST_F(ProgramTest, PlanShowsAxesExclusionsAndJobs) {
  EXPECT_EQ(Run({"plan", Sweep(), "--data-dir", dir_.path()}), kExitOk);
  for (const char* text : {"mlp, cnn", "line 9", "5", "10", "no-such-set"})
    EXPECT_THAT(out(), HasSubstr(text));
}

TEST_F(ProgramTest, PlanListsCellsForMachines) {
  EXPECT_EQ(Run({"plan", Sweep(), "--format", "csv"}), kExitOk);
  EXPECT_THAT(
      out(),
      StartsWith(
          "cell,model,activation,optimizer,regularization,scheduler\r\n0,mlp,relu,adam,none,none\r\n"));
  const std::string lines = out();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 6);
}

TEST_F(ProgramTest, CatalogDocumentsAnAxisAndAComponent) {
  EXPECT_EQ(Run({"catalog", "optimizer", "sgd"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("momentum"));
  EXPECT_EQ(Run({"catalog", "optimzer"}), kExitUsage);
  EXPECT_EQ(Run({"catalog", "optimizer", "adma"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("adam"));
}

TEST_F(ProgramTest, DataListOfAnEmptyFolderSaysHowToFetch) {
  EXPECT_EQ(Run({"data", "list", "--data-dir", dir_.path()}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("gridsweep data fetch emnist"));
}

TEST_F(ProgramTest, DataListShowsWhatIsWrongAndHowToMendIt) {
  WriteFile(dir_ / "emnist-digits-train-labels-idx1-ubyte.gz", "");
  EXPECT_EQ(Run({"data", "list", "--data-dir", dir_.path(), "--format", "csv"}), kExitOk);
  EXPECT_THAT(out(), AllOf(HasSubstr("emnist-digits,"), HasSubstr("is incomplete"),
                           HasSubstr("gridsweep data fetch emnist --split digits --to " + dir_.path())));
}

TEST_F(ProgramTest, RunWithABrokenDataSetSaysWhatIsWrongBeforeAnythingStarts) {
  for (const char* file :
       {"train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"}) {
    WriteFile(dir_ / (std::string("no-such-set-") + file + "-ubyte"),
              "not IDX, but long enough for a header");
  }
  EXPECT_EQ(Run({"run", Sweep(), "--db", dir_ / "x.db", "--data-dir", dir_.path()}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("is not an idx3-ubyte file"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "x.db"));
  EXPECT_EQ(Run({"plan", Sweep(), "--data-dir", dir_.path()}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("is not an idx3-ubyte file"));
}

TEST_F(ProgramTest, ASplitIsNamedInOnePlace) {
  EXPECT_EQ(Run({"data", "fetch", "emnist-letters", "--split", "digits", "--to", dir_.path()}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("emnist --split letters,digits"));
}

TEST_F(ProgramTest, DataFetchKnowsWhatItCanFetch) {
  EXPECT_EQ(Run({"data", "fetch", "imagenet"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("expected emnist"));
  EXPECT_EQ(Run({"data", "fetch", "emnist-leters", "--to", dir_.path()}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("did you mean 'letters'"));
}

TEST_F(ProgramTest, ShowNeedsSomethingToShow) {
  EXPECT_EQ(Run({"show"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("gridsweep show 17"));
}

}  // namespace
}  // namespace gridsweep
