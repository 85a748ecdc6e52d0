#include "bench/control/worker_fleet.h"

#include <grpcpp/client_context.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"

namespace gridsweep::bench {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(10);  // a worker's

absl::Duration Now() {
  return SystemClock().Now().monotonic;
}

}  // namespace

struct WorkerFleet::Call {
  grpc::ClientContext context;
  v1::SyncRequest request;
  v1::SyncResponse response;
  absl::Duration begin;
};

WorkerFleet::WorkerFleet(FleetOptions options) : options_(std::move(options)) {
  calls_.resize(static_cast<size_t>(options_.workers));
  for (int i = 0; i < options_.workers; ++i) {
    members_.push_back(std::make_unique<Member>(SimulatedWorkerOptions{
        fmt::format("simulated-{}", i), options_.dataset, options_.slots, options_.epochs, options_.epoch}));
    members_.back()->stub = v1::WorkerService::NewStub(ConnectTo(options_.coordinator));
    due_.push({Now() + options_.join * RandomUnit(), static_cast<size_t>(i)});
  }
  thread_ = std::thread([this] { Run(); });
}

WorkerFleet::~WorkerFleet() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
  for (const auto& call : calls_) {
    if (call != nullptr) call->context.TryCancel();
  }
  wake_.wait(lock, [this] { return in_flight_ == 0; });
  lock.unlock();
  thread_.join();
}

FleetReport WorkerFleet::Take() {
  const std::lock_guard lock(mutex_);
  FleetReport report = std::exchange(report_, {});
  report.connected = static_cast<int>(
      std::count_if(members_.begin(), members_.end(), [](const auto& member) { return member->connected; }));
  return report;
}

void WorkerFleet::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (due_.empty()) {
      wake_.wait(lock);
      continue;
    }
    const auto [when, index] = due_.top();
    if (const absl::Duration wait = when - Now(); wait > absl::ZeroDuration()) {
      wake_.wait_for(lock, absl::ToChronoMicroseconds(wait));
      continue;
    }
    due_.pop();
    ++in_flight_;
    lock.unlock();
    Start(index);
    lock.lock();
  }
}

void WorkerFleet::Start(size_t index) {
  Member& member = *members_[index];
  const auto call = std::make_shared<Call>();
  call->begin = Now();
  call->request = member.worker.TakeSync(call->begin);
  call->context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
  {
    const std::lock_guard lock(mutex_);
    calls_[index] = call;
    if (stopping_) call->context.TryCancel();
  }
  member.stub->async()->Sync(&call->context, &call->request, &call->response,
                             [this, index, call](const grpc::Status& status) {
                               Answered(index, *call, status.ok(), status.error_message());
                             });
}

void WorkerFleet::Answered(size_t index, Call& call, bool ok, const std::string& error) {
  Member& member = *members_[index];
  const absl::Duration now = Now();
  const int64_t epochs = member.worker.epochs_stored(), jobs = member.worker.jobs_done(),
                reports = member.worker.reports();
  if (ok) {
    member.worker.OnAnswer(call.response, now);
  } else {
    member.worker.OnError(now, RandomUnit());
  }
  const std::lock_guard lock(mutex_);
  report_.epochs_stored += member.worker.epochs_stored() - epochs;
  report_.jobs_done += member.worker.jobs_done() - jobs;
  report_.reports += member.worker.reports() - reports;
  member.connected = ok;
  if (ok) {
    report_.sync_ms.push_back(static_cast<float>(absl::ToDoubleMilliseconds(now - call.begin)));
  } else {
    ++report_.failed_calls;
    report_.last_error = error;
  }
  calls_[index] = nullptr;
  --in_flight_;
  due_.push({member.worker.due(), index});
  wake_.notify_all();
}

}  // namespace gridsweep::bench
