// A worker and its trainers: crashes, hangs, floods, devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <condition_variable>
#include <mutex>

#include "tests/integration/agent/worker_fixture.h"
#include "worker/agent/machine_info.h"
#include "worker/agent/trainer_process.h"

namespace gridsweep {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;

using WorkerTrainer = WorkerTest;

TEST_F(WorkerTrainer, EveryWayToDieIsTold) {
  struct Case {
    const char* death;
    const char* error;
  };
  constexpr Case kCases[] = {{"segv", "killed by SIGSEGV"},
                             {"abort", "killed by SIGABRT"},
                             {"kill", "killed by SIGKILL (out of memory?)"},
                             {"exit", "exit status 3"}};
  script_["rules"] = Json::array();
  WorkerConfig config = Config();
  config.slots = 1;
  for (int seed = 1; seed <= 4; ++seed) {
    script_["rules"].push_back({{"seed", seed}, {"epoch", 2}, {"do", kCases[seed - 1].death}});
    coordinator_.AddJob(Job(seed));
  }
  coordinator_.AddJob(Job(5));
  StartWorker(config);
  for (int attempt = 1; attempt <= 4; ++attempt) {
    ASSERT_TRUE(WaitForEnd(attempt));
    const v1::AttemptFinished end = *coordinator_.End(attempt);
    EXPECT_EQ(end.outcome(), v1::OUTCOME_FAILED);
    EXPECT_THAT(end.error(), HasSubstr(kCases[attempt - 1].error));
    EXPECT_FALSE(end.not_retryable());
    EXPECT_THAT(coordinator_.Events(attempt), SizeIs(3)) << "started, epoch 1, the end";
  }
  EXPECT_EQ(coordinator_.End(4)->stderr_tail(), "fake trainer exits as told");
  ASSERT_TRUE(WaitForEnd(5));
  EXPECT_EQ(coordinator_.End(5)->outcome(), v1::OUTCOME_SUCCEEDED);
}

TEST_F(WorkerTrainer, AJobThatCrashesBesideOthersIsBlamedOnlyWhenItCrashesAlone) {
  script_["gate"] = dir_ + "/gate";
  script_["rules"] = {{{"seed", 1}, {"do", "segv"}}};
  coordinator_.AddJob(Job(1));
  coordinator_.AddJob(Job(2));
  StartWorker();
  ASSERT_TRUE(WaitForEvents(1, 1) && WaitForEvents(2, 1));
  OpenGate();
  ASSERT_TRUE(WaitForEnd(1) && WaitForEnd(2));
  EXPECT_EQ(coordinator_.End(1)->outcome(), v1::OUTCOME_PREEMPTED);
  // Job 2 may have finished before job 1 fell.
  coordinator_.AddJob(Job(1));
  coordinator_.AddJob(Job(2));
  ASSERT_TRUE(WaitForEnd(3) && WaitForEnd(4));
  EXPECT_EQ(coordinator_.End(3)->outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(coordinator_.End(4)->outcome(), v1::OUTCOME_SUCCEEDED);
}

TEST_F(WorkerTrainer, ReportedFailuresAndDivergenceKeepTheTrainer) {
  script_["rules"] = {{{"seed", 1}, {"do", "fail"}},
                      {{"seed", 2}, {"do", "fail_for_good"}},
                      {{"seed", 3}, {"do", "diverge"}}};
  for (int seed = 1; seed <= 4; ++seed) coordinator_.AddJob(Job(seed));
  StartWorker();
  for (int attempt = 1; attempt <= 4; ++attempt) ASSERT_TRUE(WaitForEnd(attempt));
  EXPECT_EQ(coordinator_.End(1)->outcome(), v1::OUTCOME_FAILED);
  EXPECT_FALSE(coordinator_.End(1)->not_retryable());
  EXPECT_TRUE(coordinator_.End(2)->not_retryable());
  EXPECT_EQ(coordinator_.End(3)->outcome(), v1::OUTCOME_DIVERGED);
  EXPECT_EQ(coordinator_.End(4)->outcome(), v1::OUTCOME_SUCCEEDED);
}

TEST_F(WorkerTrainer, AHungJobIsKilledAndReplaced) {
  script_["rules"] = {{{"seed", 1}, {"do", "hang"}}};
  WorkerConfig config = Config();
  config.hang_timeout = absl::Seconds(2);
  config.slots = 1;
  coordinator_.AddJob(Job(1));
  coordinator_.AddJob(Job(2));
  StartWorker(config);
  ASSERT_TRUE(WaitForEnd(1));
  EXPECT_EQ(coordinator_.End(1)->outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(coordinator_.End(1)->error(), "hung: no event for 2 s");
  ASSERT_TRUE(WaitForEnd(2));
}

TEST_F(WorkerTrainer, AFloodOnStderrNeitherStallsNorFillsMemory) {
  script_["rules"] = {{{"seed", 1}, {"do", "flood"}, {"mib", 64}},
                      {{"seed", 2}, {"do", "flood_exit"}, {"mib", 64}}};
  WorkerConfig config = Config();
  config.slots = 1;
  coordinator_.AddJob(Job(1));
  coordinator_.AddJob(Job(2));
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  StartWorker(config);
  ASSERT_TRUE(WaitForEnd(1) && WaitForEnd(2));
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(coordinator_.End(1)->outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_THAT(coordinator_.End(2)->stderr_tail(), EndsWith("x\nend of flood"));
  EXPECT_LE(coordinator_.End(2)->stderr_tail().size(), size_t{16} << 10);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 40 << 10) << "KiB";
}

TEST_F(WorkerTrainer, GarbageOnStdoutIsSkipped) {
  script_["rules"] = {{{"seed", 1}, {"do", "garbage"}}};
  coordinator_.AddJob(Job(1));
  StartWorker();
  ASSERT_TRUE(WaitForEnd(1));
  EXPECT_EQ(coordinator_.End(1)->outcome(), v1::OUTCOME_SUCCEEDED);
}

TEST_F(WorkerTrainer, AnEndlessLineCostsTheTrainerItsLife) {
  script_["rules"] = {{{"seed", 1}, {"do", "endless_line"}}};
  coordinator_.AddJob(Job(1));
  StartWorker();
  ASSERT_TRUE(WaitForEnd(1));
  EXPECT_THAT(coordinator_.End(1)->error(), HasSubstr("a line longer than 16 MiB"));
}

TEST_F(WorkerTrainer, ATrainerThatCannotStartIsTriedAgainAndTheWorkerStaysRegistered) {
  script_["start_exit"] = 3;
  StartWorker();
  ASSERT_TRUE(WaitFor("calls without room", [&] { return coordinator_.requests() >= 3; }));
  EXPECT_EQ(coordinator_.last_request().room(), 0);
  worker_->Drain();
  EXPECT_TRUE(worker_->Wait().ok());
}

TEST_F(WorkerTrainer, ATrainerThatRefusesItsFlagsEndsTheWorkerWithItsOwnWords) {
  script_["start_exit"] = 2;
  StartWorker();
  const absl::Status ended = worker_->Wait();
  EXPECT_EQ(ended.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(ended),
              HasSubstr("the trainer of cpu refuses to start: fake trainer refuses to start"));
}

TEST_F(WorkerTrainer, DevicesComeFromTheTrainerAndEachGetsItsOwn) {
  script_["devices"] = {{{"name", "cuda:0"}, {"model", "M"}, {"memory_bytes", 5}}, {{"name", "cuda:1"}}};
  WorkerConfig config = Config();
  config.devices = "auto";
  config.slots = 0;
  coordinator_.AddJob(Job(1));
  coordinator_.AddJob(Job(2));
  StartWorker(config);
  ASSERT_TRUE(WaitForEnd(1) && WaitForEnd(2));
  EXPECT_EQ(coordinator_.info().devices_size(), 2);
  EXPECT_EQ(coordinator_.info().devices(1).name(), "cuda:1");
  EXPECT_EQ(coordinator_.info().devices(1).slots(), 1);
}

TEST_F(WorkerTrainer, WithoutAnAnswerAboutDevicesNoneAreGuessed) {
  script_["list_devices_exit"] = 1;
  setenv("GRIDSWEEP_FAKE_TRAINER", script_.dump().c_str(), 1);
  WorkerConfig config = Config();
  config.devices = "auto";
  const auto worker = StartWorkerDaemon(config, &SystemClock());
  ASSERT_FALSE(worker.ok());
  EXPECT_THAT(Message(worker.status()), testing::HasSubstr("--devices cpu"));
}

// Runs `argv` to its end and returns how it ended.
agent::TrainerExit RunToEnd(const std::vector<std::string>& argv,
                            const std::function<void(agent::TrainerProcess&)>& then = {}) {
  std::mutex mu;
  std::condition_variable exited;
  std::optional<agent::TrainerExit> exit;
  auto process = agent::TrainerProcess::Start(argv, {.on_line = [](std::string_view) {},
                                                     .on_exit =
                                                         [&](const agent::TrainerExit& e) {
                                                           const std::lock_guard lock(mu);
                                                           exit = e;
                                                           exited.notify_all();
                                                         }});
  EXPECT_TRUE(process.ok()) << process.status();
  if (!process.ok()) return {};
  if (then) then(**process);
  std::unique_lock lock(mu);
  EXPECT_TRUE(exited.wait_for(lock, kWaitLimit, [&] { return exit.has_value(); }));
  lock.unlock();
  return exit.value_or(agent::TrainerExit());
}

TEST(TrainerProcess, TellsHowItsChildEnded) {
  EXPECT_EQ(RunToEnd({"/bin/sh", "-c", "exit 7"}).description, "exit status 7");
  EXPECT_EQ(RunToEnd({"/bin/sh", "-c", "kill -BUS $$"}).description, "killed by SIGBUS");
  EXPECT_EQ(RunToEnd({"/bin/sh", "-c", "printf 'bad \\377 byte' >&2"}).stderr_tail, "bad \xef\xbf\xbd byte");
}

TEST(TrainerProcess, AsksForHugePagesUnlessTheUserTunesMalloc) {
  const std::vector<std::string> print = {"/bin/sh", "-c", "echo $GLIBC_TUNABLES >&2"};
  unsetenv("GLIBC_TUNABLES");
  EXPECT_EQ(RunToEnd(print).stderr_tail, "glibc.malloc.hugetlb=1");
  setenv("GLIBC_TUNABLES", "glibc.malloc.check=0", 1);
  EXPECT_EQ(RunToEnd(print).stderr_tail, "glibc.malloc.check=0");
  unsetenv("GLIBC_TUNABLES");
}

TEST(TrainerProcess, EndOfInputEndsTheChildAfterWhatWasWritten) {
  const agent::TrainerExit exit = RunToEnd({"/bin/sh", "-c", "cat >&2"}, [](agent::TrainerProcess& process) {
    process.Write(std::string(1 << 20, 'x') + "\n");  // more than a pipe holds
    process.Write("the end\n");
    process.CloseInput();
  });
  EXPECT_EQ(exit.description, "exit status 0");
  EXPECT_THAT(exit.stderr_tail, EndsWith("x\nthe end"));
}

TEST(TrainerProcess, WritingToADeadChildIsHarmless) {
  const agent::TrainerExit exit = RunToEnd({"/bin/sh", "-c", "exec 0<&-; echo closed; sleep 0.2; exit 4"},
                                           [](agent::TrainerProcess& process) {
                                             for (int i = 0; i < 100; ++i)
                                               process.Write(std::string(100'000, 'x'));
                                           });
  EXPECT_EQ(exit.description, "exit status 4");
}

TEST(TrainerProcess, KillTakesTheWholeGroup) {
  // The grandchild holds the pipes; only its death lets the exit be told at once.
  const agent::TrainerExit exit = RunToEnd({"/bin/sh", "-c", "sleep 1000 & wait"},
                                           [](agent::TrainerProcess& process) { process.Kill(); });
  EXPECT_THAT(exit.description, HasSubstr("SIGKILL"));
}

TEST(TrainerProcess, AMissingProgramIsAnError) {
  const auto process = agent::TrainerProcess::Start({"/nonexistent/trainer"}, {});
  EXPECT_TRUE(absl::IsNotFound(process.status())) << process.status();
}

}  // namespace
}  // namespace gridsweep
