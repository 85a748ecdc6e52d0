#include "coordinator/service/worker_service.h"

#include <chrono>
#include <memory>

#include "common/base/log.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/convert_sync.h"

namespace gridsweep {
namespace {

void LogExchange(const SyncInput& input, const SyncOutput& output) {
  if (input.info)
    Log(LogLevel::kInfo, "worker_registered",
        {{"worker", input.worker}, {"host", input.info->record.host}, {"slots", input.info->record.slots}});
  for (const ClaimedJob& job : output.leases) {
    Log(LogLevel::kInfo, "job_leased",
        {{"job", job.attempt.job.value},
         {"attempt", job.attempt.attempt.value},
         {"number", job.attempt.number},
         {"worker", input.worker}});
  }
  for (const AttemptEvents& events : input.events) {
    for (const AttemptEvent& event : events.events) {
      const auto* finished = std::get_if<AttemptFinished>(&event.what);
      if (finished == nullptr) continue;
      Log(LogLevel::kInfo, "attempt_reported",
          {{"attempt", events.attempt.value},
           {"worker", input.worker},
           {"outcome", AttemptStateName(finished->outcome)},
           LogField::IfAny("error", finished->error)});
    }
  }
}

void Count(CoordinatorMetrics& metrics, const SyncInput& input, const SyncOutput& output,
           const absl::Status& status, std::chrono::steady_clock::duration took) {
  metrics.sync_seconds.Observe(std::chrono::duration<double>(took).count());
  if (absl::IsResourceExhausted(status)) metrics.refused_requests.fetch_add(1, std::memory_order_relaxed);
  if (!status.ok()) return;
  int64_t epochs = 0, ended = 0;
  for (const AttemptEvents& events : input.events) {
    for (const AttemptEvent& event : events.events) {
      epochs += std::holds_alternative<EpochMetrics>(event.what) ? 1 : 0;
      ended += std::holds_alternative<AttemptFinished>(event.what) ? 1 : 0;
    }
  }
  metrics.attempts_reported.fetch_add(ended, std::memory_order_relaxed);
  metrics.leases_granted.fetch_add(static_cast<int64_t>(output.leases.size()), std::memory_order_relaxed);
  metrics.epochs_reported.fetch_add(epochs, std::memory_order_relaxed);
}

// What a worker is told when the store fails: keep the events and call again.
absl::Status AsTransient(const absl::Status& status) {
  if (absl::IsAborted(status) || absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status))
    return status;
  return absl::UnavailableError(Message(status));
}

}  // namespace

grpc::ServerUnaryReactor* WorkerService::Sync(grpc::CallbackServerContext* context,
                                              const v1::SyncRequest* request, v1::SyncResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto input = FromProto(*request);
  absl::Status admitted = input.status();
  if (admitted.ok()) admitted = gate_->AdmitWorker(input->worker, AddressOf(context->peer()));
  if (!admitted.ok()) {
    reactor->Finish(ToGrpc(admitted));
    return reactor;
  }
  struct Exchange {
    SyncInput input;
    SyncOutput output;
    std::chrono::steady_clock::time_point begin;
  };
  const auto exchange =
      std::make_shared<Exchange>(Exchange{*std::move(input), {}, std::chrono::steady_clock::now()});
  loop_->Post(
      [exchange](JobQueue& queue, const Instant& now) -> absl::Status {
        GS_ASSIGN_OR_RETURN(exchange->output, queue.Sync(exchange->input, now));
        return absl::OkStatus();
      },
      [exchange, reactor, response, gate = gate_, metrics = metrics_](const absl::Status& status) {
        Count(*metrics, exchange->input, exchange->output, status,
              std::chrono::steady_clock::now() - exchange->begin);
        if (status.ok()) {
          if (!exchange->output.send_info) gate->Registered(exchange->input.worker);
          ToProto(exchange->output, response);
          LogExchange(exchange->input, exchange->output);
        }
        reactor->Finish(status.ok() ? grpc::Status::OK : ToGrpc(AsTransient(status)));
      });
  return reactor;
}

}  // namespace gridsweep
