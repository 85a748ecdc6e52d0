#include "coordinator/service/convert_sync.h"

#include "common/base/json.h"
#include "common/rpc/channel.h"
#include "common/rpc/convert.h"
#include "coordinator/service/check_sync.h"

namespace gridsweep {
namespace {

WorkerInfo InfoFromProto(const v1::WorkerInfo& proto) {
  WorkerInfo info;
  info.record.host = proto.host();
  info.record.pid = proto.pid();
  info.record.memory_bytes = proto.memory_bytes();
  info.record.version = proto.version();
  info.record.libtorch_version = proto.libtorch_version();
  Json devices = Json::array();
  for (const v1::Device& device : proto.devices()) {
    devices.push_back({{"name", device.name()},
                       {"model", device.model()},
                       {"memory_bytes", device.memory_bytes()},
                       {"slots", device.slots()}});
    info.record.slots += device.slots();
  }
  info.record.devices_json = devices.dump(-1, ' ', false, Json::error_handler_t::replace);
  info.datasets.assign(proto.datasets().begin(), proto.datasets().end());
  return info;
}

absl::StatusOr<AttemptFinished> FinishedFromProto(const v1::AttemptFinished& proto) {
  AttemptFinished finished;
  switch (proto.outcome()) {
    case v1::OUTCOME_SUCCEEDED:
      finished.outcome = AttemptState::kSucceeded;
      break;
    case v1::OUTCOME_DIVERGED:
      finished.outcome = AttemptState::kDiverged;
      break;
    case v1::OUTCOME_FAILED:
      finished.outcome = AttemptState::kFailed;
      break;
    case v1::OUTCOME_PREEMPTED:
      finished.outcome = AttemptState::kPreempted;
      break;
    default:
      return InvalidArgument("unknown attempt outcome {}", static_cast<int>(proto.outcome()));
  }
  finished.evaluation = FromProto(proto.evaluation());
  finished.error = proto.error();
  finished.stderr_tail = proto.stderr_tail();
  finished.retryable = !proto.not_retryable();
  finished.retry_alone = proto.retry_alone();
  finished.unusable_dataset = proto.unusable_dataset();
  return finished;
}

absl::StatusOr<AttemptEvent> EventFromProto(const v1::AttemptEvent& proto) {
  AttemptEvent event;
  event.seq = proto.seq();
  switch (proto.event_case()) {
    case v1::AttemptEvent::kStarted:
      event.what = AttemptStarted{FromProto(proto.started().dataset()), proto.started().device(),
                                  proto.started().environment(), proto.started().resumed_epoch()};
      return event;
    case v1::AttemptEvent::kEpoch:
      event.what = FromProto(proto.epoch());
      return event;
    case v1::AttemptEvent::kFinished: {
      GS_ASSIGN_OR_RETURN(event.what, FinishedFromProto(proto.finished()));
      return event;
    }
    case v1::AttemptEvent::EVENT_NOT_SET:
      break;
  }
  return InvalidArgument("event {} has no content this version knows", proto.seq());
}

}  // namespace

absl::StatusOr<SyncInput> FromProto(const v1::SyncRequest& request) {
  if (request.protocol_version() != kProtocolVersion) {
    return FailedPrecondition(
        "worker '{}' speaks protocol version {}, this coordinator speaks {}: run the same release of "
        "gridsweep on both",
        request.worker(), request.protocol_version(), kProtocolVersion);
  }
  GS_RETURN_IF_ERROR(CheckSizes(request));
  SyncInput input;
  input.worker = request.worker();
  input.session = request.session();
  input.sync_seq = request.sync_seq();
  input.room = request.room();
  input.leaving = request.leaving();
  if (request.has_info()) input.info = InfoFromProto(request.info());
  for (const v1::HeldAttempt& held : request.held()) {
    input.held.push_back(
        {AttemptId{held.attempt()}, held.token(), held.device(), held.epoch(), held.epoch_fraction()});
  }
  for (const v1::AttemptEvents& proto : request.events()) {
    AttemptEvents events{AttemptId{proto.attempt()}, proto.token(), {}};
    for (const v1::AttemptEvent& event : proto.events()) {
      GS_ASSIGN_OR_RETURN(AttemptEvent converted, EventFromProto(event));
      events.events.push_back(std::move(converted));
    }
    input.events.push_back(std::move(events));
  }
  return input;
}

void ToProto(const SyncOutput& output, v1::SyncResponse* response) {
  for (const auto& [attempt, seq] : output.stored) {
    v1::StoredSeq* stored = response->add_stored();
    stored->set_attempt(attempt.value);
    stored->set_seq(seq);
  }
  for (const AttemptId attempt : output.stop) response->add_stop(attempt.value);
  for (const ClaimedJob& job : output.leases) {
    v1::Lease* lease = response->add_leases();
    lease->set_attempt(job.attempt.attempt.value);
    lease->set_token(job.attempt.token);
    lease->set_job(job.attempt.job.value);
    lease->set_sweep(job.attempt.sweep.value);
    lease->set_job_json(job.job_json);
    lease->set_bundle(job.attempt.bundle);
    for (const std::string& checkpoint : job.checkpoints) lease->add_checkpoints(checkpoint);
  }
  response->set_next_call_ms(absl::ToInt64Milliseconds(output.next_call));
  response->set_news_ms(absl::ToInt64Milliseconds(output.news));
  response->set_lease_ms(absl::ToInt64Milliseconds(output.lease));
  response->set_send_info(output.send_info);
}

}  // namespace gridsweep
