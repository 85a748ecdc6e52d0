// A worker's core with made-up time, trainers and coordinator.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "worker/agent/agent_core.h"

namespace gridsweep::agent {

class AgentCoreTest : public testing::Test {
 protected:
  // One device "cpu" with `slots`; its trainer has said hello and the worker is registered.
  void Register(int slots) {
    Create({{.name = "cpu", .slots = slots}});
    Hello(0);
    Exchange({});
    Settle();
  }

  void Create(std::vector<Device> devices) {
    AgentOptions options;
    options.worker = "w";
    options.session = "s";
    options.restart = {absl::Seconds(1), absl::Minutes(1)};
    options.jitter = [this] { return jitter_; };
    options.checkpoints = checkpoints_;
    WorkerInfo info;
    info.host = "host";
    info.devices = std::move(devices);
    core_ = std::make_unique<AgentCore>(options, info, now_);
    actions_ = core_->TakeActions();
  }

  void Hello(size_t device) {
    core_->OnTrainerEvent(now_, device, {0, TrainerHello{.protocol = kTrainerProtocol, .libtorch = "2.6"}});
  }

  static Lease MakeLease(int64_t attempt) {
    return {attempt, "token" + std::to_string(attempt), 100 + attempt, 1, R"({"seed":1})", 0};
  }
  static std::vector<Lease> Leases(const std::vector<int64_t>& attempts) {
    std::vector<Lease> leases;
    for (const int64_t attempt : attempts) leases.push_back(MakeLease(attempt));
    return leases;
  }

  // The request due now; fails the test if none is.
  SyncRequest Request() {
    std::optional<SyncRequest> request = core_->TakeSync(now_);
    EXPECT_TRUE(request.has_value()) << "no Sync is due";
    return request.value_or(SyncRequest());
  }
  // Answers the request in flight and stores every event of it.
  void Answer(const SyncRequest& request, const std::vector<Lease>& leases, std::vector<int64_t> stop = {}) {
    SyncResponse response{.stop = std::move(stop), .leases = leases, .next_call = absl::Seconds(5)};
    for (const AttemptEvents& batch : request.events) {
      response.stored.push_back({batch.attempt, batch.events.back().seq});
    }
    core_->OnSyncResponse(now_, response);
  }
  // One whole Sync.
  SyncRequest Exchange(const std::vector<Lease>& leases, std::vector<int64_t> stop = {}) {
    SyncRequest request = Request();
    Answer(request, leases, std::move(stop));
    return request;
  }
  // Syncs as long as there is news; returns the events of all of them by attempt.
  std::map<int64_t, std::vector<AttemptEvent>> Settle() {
    std::map<int64_t, std::vector<AttemptEvent>> events;
    while (std::optional<SyncRequest> request = core_->TakeSync(now_)) {
      for (const AttemptEvents& batch : request->events) {
        events[batch.attempt].insert(events[batch.attempt].end(), batch.events.begin(), batch.events.end());
      }
      Answer(*request, {});
    }
    return events;
  }
  // Leases come with the periodic Sync.
  void TakeLeases(const std::vector<int64_t>& attempts) {
    now_ += absl::Seconds(5);
    Exchange(Leases(attempts));
    Settle();
  }

  // The same, as one bundle.
  void TakeBundle(const std::vector<int64_t>& attempts) {
    now_ += absl::Seconds(5);
    std::vector<Lease> leases = Leases(attempts);
    for (Lease& lease : leases) lease.bundle = attempts.front();
    Exchange(leases);
    Settle();
  }

  void Started(int64_t attempt, size_t device = 0) {
    core_->OnTrainerEvent(now_, device, {attempt, AttemptStarted{.device = "cpu"}});
  }
  void Epoch(int64_t attempt, int64_t epoch, size_t device = 0) {
    core_->OnTrainerEvent(now_, device, {attempt, EpochMetrics{.epoch = epoch}});
  }
  void Succeeded(int64_t attempt, size_t device = 0) {
    core_->OnTrainerEvent(now_, device, {attempt, AttemptFinished{.outcome = Outcome::kSucceeded}});
  }
  void TrainerDies(size_t device = 0) {
    core_->OnTrainerExit(now_, device, {"killed by SIGSEGV", "last words"});
  }
  // After its back-off.
  void TrainerReturns(size_t device = 0) {
    now_ += absl::Minutes(1);
    core_->Tick(now_);
    Hello(device);
    Settle();
  }

  // The outcome that the next Syncs report for `attempt`.
  AttemptFinished ReportedEnd(int64_t attempt) {
    std::map<int64_t, std::vector<AttemptEvent>> events = Settle();
    for (const AttemptEvent& event : events[attempt]) {
      if (const auto* finished = std::get_if<AttemptFinished>(&event.body)) return *finished;
    }
    ADD_FAILURE() << "no end of attempt " << attempt << " was reported";
    return {};
  }

  template <typename T>
  std::vector<T> ActionsOf() {
    std::vector<T> found;
    for (const Action& action : core_->TakeActions()) {
      if (const T* match = std::get_if<T>(&action)) found.push_back(*match);
    }
    return found;
  }

  absl::Duration now_ = absl::Hours(1);
  double jitter_ = 0.5;
  bool checkpoints_ = false;  // before Create
  std::unique_ptr<AgentCore> core_;
  std::vector<Action> actions_;
};

}  // namespace gridsweep::agent
