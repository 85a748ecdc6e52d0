// A real worker with fake trainers and a fake coordinator.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "common/base/json.h"
#include "tests/integration/agent/fake_coordinator.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait_until.h"
#include "worker/worker_daemon.h"

namespace gridsweep {

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    std::filesystem::create_directory(dir_ + "/gate");
    script_ = {{"state_dir", dir_}, {"log", dir_ + "/log"}};
    coordinator_.Serve();
  }
  ~WorkerTest() override {
    worker_.reset();
    EXPECT_EQ(coordinator_.complaints(), std::vector<std::string>());
    unsetenv("GRIDSWEEP_FAKE_TRAINER");
  }

  WorkerConfig Config() const {
    WorkerConfig config;
    config.coordinator.address = coordinator_.address();
    config.name = "w";
    config.devices = "cpu";
    config.slots = 2;
    config.data_dirs = {dir_};
    config.trainer = GRIDSWEEP_BIN_DIR "/fake-trainer";
    config.checkpoints = dir_ + "/checkpoints";
    config.checkpoint_interval = 0;
    return config;
  }
  void StartWorker() { StartWorker(Config()); }
  void StartWorker(const WorkerConfig& config) {
    setenv("GRIDSWEEP_FAKE_TRAINER", script_.dump().c_str(), 1);
    auto worker = StartWorkerDaemon(config, &SystemClock());
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
  }

  static std::string Job(int seed, int epochs = 2) {
    return Json{{"dataset", "toy"},
                {"dataset_digest", ""},
                {"model", {{"name", "mlp"}, {"params", Json::object()}}},
                {"seed", seed},
                {"training", {{"epochs", epochs}, {"validation", 0.1}}}}
        .dump();
  }
  // Epochs of gated jobs end from now on.
  void OpenGate() { std::ofstream(dir_ + "/gate/open").put('1'); }
  void OpenGate(int seed, int epoch) {
    std::ofstream(fmt::format("{}/gate/seed-{}-epoch-{}", dir_, seed, epoch)).put('1');
  }

  testing::AssertionResult WaitFor(const std::string& what, const std::function<bool()>& condition) {
    return WaitUntil(what, condition, [this] { return coordinator_.Describe(); });
  }
  testing::AssertionResult WaitForEnd(int64_t attempt) {
    return WaitFor(fmt::format("the end of attempt {}", attempt),
                   [&] { return coordinator_.End(attempt).has_value(); });
  }
  testing::AssertionResult WaitForEvents(int64_t attempt, size_t count) {
    return WaitFor(fmt::format("{} events of attempt {}", count, attempt),
                   [&] { return coordinator_.Events(attempt).size() >= count; });
  }
  std::string TrainerLog() const { return ReadFile(dir_ + "/log"); }
  int RunCommands() const {
    int count = 0;
    const std::string log = TrainerLog();
    for (size_t at = 0; (at = log.find("\"type\":\"run\"", at)) != std::string::npos; ++at) ++count;
    return count;
  }

  const TempDir folder_;
  const std::string dir_ = folder_.path();
  Json script_;
  FakeCoordinator coordinator_;
  std::unique_ptr<agent::WorkerAgent> worker_;
};

}  // namespace gridsweep
