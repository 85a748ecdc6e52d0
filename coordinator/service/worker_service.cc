#include "coordinator/service/worker_service.h"

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
  if (!input.ok()) {
    reactor->Finish(ToGrpc(input.status()));
    return reactor;
  }
  struct Exchange {
    SyncInput input;
    SyncOutput output;
  };
  const auto exchange = std::make_shared<Exchange>(Exchange{*std::move(input), {}});
  loop_->Post(
      [exchange](JobQueue& queue, const Instant& now) -> absl::Status {
        GS_ASSIGN_OR_RETURN(exchange->output, queue.Sync(exchange->input, now));
        return absl::OkStatus();
      },
      [exchange, reactor, response](const absl::Status& status) {
        if (status.ok()) {
          ToProto(exchange->output, response);
          LogExchange(exchange->input, exchange->output);
        }
        reactor->Finish(status.ok() ? grpc::Status::OK : ToGrpc(AsTransient(status)));
      });
  return reactor;
}

}  // namespace gridsweep
