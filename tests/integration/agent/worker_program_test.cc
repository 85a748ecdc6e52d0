// gridsweep-worker as a program: signals, exit statuses, and what it leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <optional>

#include "tests/integration/agent/worker_fixture.h"
#include "worker/agent/trainer_process.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;

class WorkerProgram : public WorkerTest {
 protected:
  void StartProgram(std::vector<std::string> flags) {
    setenv("GRIDSWEEP_FAKE_TRAINER", script_.dump().c_str(), 1);
    flags.insert(flags.begin(), GRIDSWEEP_BIN_DIR "/gridsweep-worker");
    auto program = agent::TrainerProcess::Start(flags, {.on_line = [](std::string_view) {},
                                                        .on_exit =
                                                            [this](const agent::TrainerExit& exit) {
                                                              const std::lock_guard lock(mu_);
                                                              exit_ = exit;
                                                            }});
    ASSERT_TRUE(program.ok()) << program.status();
    program_ = *std::move(program);
  }
  void StartProgram() {
    StartProgram({"--coordinator", coordinator_.address(), "--name", "w", "--devices", "cpu", "--slots", "1",
                  "--data-dir", dir_, "--trainer", GRIDSWEEP_BIN_DIR "/fake-trainer", "--checkpoints",
                  dir_ + "/checkpoints"});
  }
  void Signal(int signal) { kill(program_->pid(), signal); }
  agent::TrainerExit WaitForExit() {
    EXPECT_TRUE(WaitFor("the program's end", [this] {
      const std::lock_guard lock(mu_);
      return exit_.has_value();
    }));
    const std::lock_guard lock(mu_);
    return exit_.value_or(agent::TrainerExit());
  }

 private:
  std::mutex mu_;
  std::optional<agent::TrainerExit> exit_;  // guarded by mu_
  std::unique_ptr<agent::TrainerProcess> program_;
};

TEST_F(WorkerProgram, SigtermHandsBackAndExitsZero) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.AddJob(Job(1));
  StartProgram();
  ASSERT_TRUE(WaitForEvents(1, 1));
  Signal(SIGTERM);
  const agent::TrainerExit exit = WaitForExit();
  EXPECT_EQ(exit.description, "exit status 0") << exit.stderr_tail;
  EXPECT_EQ(coordinator_.End(1)->outcome(), v1::OUTCOME_PREEMPTED);
  EXPECT_THAT(exit.stderr_tail, HasSubstr(" info registered worker=w"));
  EXPECT_THAT(exit.stderr_tail, HasSubstr(" info lease_started attempt=1 job=101"));
}

TEST_F(WorkerProgram, ASecondSigtermEndsItAtOnce) {
  script_["rules"] = {{{"do", "freeze"}}};
  coordinator_.AddJob(Job(1));
  StartProgram();
  ASSERT_TRUE(WaitForEvents(1, 1));
  Signal(SIGTERM);
  ASSERT_TRUE(WaitForEnd(1));  // from here it waits for the frozen trainer
  Signal(SIGTERM);
  EXPECT_EQ(WaitForExit().description, "exit status 130");
}

TEST_F(WorkerProgram, KillingItLeavesNoTrainer) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.AddJob(Job(1));
  StartProgram();
  ASSERT_TRUE(WaitForEvents(1, 1));
  Signal(SIGKILL);
  EXPECT_THAT(WaitForExit().description, HasSubstr("SIGKILL"));
  EXPECT_TRUE(
      WaitFor("the trainer to notice", [&] { return TrainerLog().find("eof") != std::string::npos; }));
}

TEST_F(WorkerProgram, ASupersededWorkerSaysSoAndExitsOne) {
  coordinator_.FailWith(grpc::Status(grpc::StatusCode::ABORTED, "a newer worker named 'w' has registered"));
  StartProgram();
  const agent::TrainerExit exit = WaitForExit();
  EXPECT_EQ(exit.description, "exit status 1");
  EXPECT_THAT(exit.stderr_tail, HasSubstr("a newer worker named 'w' has registered"));
}

TEST_F(WorkerProgram, TheVariableNamesTheCoordinatorWhereNoFlagDoes) {
  setenv("GRIDSWEEP_COORDINATOR", coordinator_.address().c_str(), 1);
  coordinator_.AddJob(Job(1));
  StartProgram({"--name", "w", "--devices", "cpu", "--slots", "1", "--data-dir", dir_, "--trainer",
                GRIDSWEEP_BIN_DIR "/fake-trainer"});
  unsetenv("GRIDSWEEP_COORDINATOR");
  ASSERT_TRUE(WaitForEnd(1));
  Signal(SIGTERM);
  EXPECT_EQ(WaitForExit().description, "exit status 0");
}

TEST_F(WorkerProgram, WithoutACoordinatorItSaysWhatIsMissing) {
  unsetenv("GRIDSWEEP_COORDINATOR");
  StartProgram({"--devices", "cpu"});
  const agent::TrainerExit exit = WaitForExit();
  EXPECT_EQ(exit.description, "exit status 2");
  EXPECT_THAT(exit.stderr_tail, HasSubstr("--coordinator"));
}

TEST_F(WorkerProgram, BadUsageIsOneMessageAndExitTwo) {
  StartProgram(
      {"--coordinator", "127.0.0.1:1", "--devices", "gpu", "--trainer", GRIDSWEEP_BIN_DIR "/fake-trainer"});
  const agent::TrainerExit exit = WaitForExit();
  EXPECT_EQ(exit.description, "exit status 2");
  EXPECT_EQ(
      exit.stderr_tail,
      "gridsweep-worker: unknown device 'gpu', expected auto or a comma-separated list of cpu and cuda:N");
}

}  // namespace
}  // namespace gridsweep
