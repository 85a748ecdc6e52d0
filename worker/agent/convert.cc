#include "worker/agent/convert.h"

#include "common/rpc/channel.h"
#include "common/rpc/convert.h"

namespace gridsweep::agent {
namespace {

v1::WorkerInfo ToProto(const WorkerInfo& info) {
  v1::WorkerInfo proto;
  proto.set_host(info.host);
  proto.set_pid(info.pid);
  proto.set_memory_bytes(info.memory_bytes);
  for (const Device& device : info.devices) {
    v1::Device* added = proto.add_devices();
    added->set_name(device.name);
    added->set_model(device.model);
    added->set_memory_bytes(device.memory_bytes);
    added->set_slots(device.slots);
  }
  proto.set_version(info.version);
  proto.set_libtorch_version(info.libtorch_version);
  for (const std::string& dataset : info.datasets) proto.add_datasets(dataset);
  return proto;
}

v1::AttemptOutcome ToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSucceeded:
      return v1::OUTCOME_SUCCEEDED;
    case Outcome::kDiverged:
      return v1::OUTCOME_DIVERGED;
    case Outcome::kFailed:
      return v1::OUTCOME_FAILED;
    case Outcome::kPreempted:
      return v1::OUTCOME_PREEMPTED;
  }
  return v1::ATTEMPT_OUTCOME_UNSPECIFIED;
}

v1::AttemptEvent ToProto(const AttemptEvent& event) {
  v1::AttemptEvent proto;
  proto.set_seq(event.seq);
  if (const auto* started = std::get_if<AttemptStarted>(&event.body)) {
    *proto.mutable_started()->mutable_dataset() = gridsweep::ToProto(started->dataset);
    proto.mutable_started()->set_device(started->device);
    proto.mutable_started()->set_environment(started->environment);
    proto.mutable_started()->set_resumed_epoch(started->resumed_epoch);
  } else if (const auto* epoch = std::get_if<EpochMetrics>(&event.body)) {
    *proto.mutable_epoch() = gridsweep::ToProto(*epoch);
  } else if (const auto* finished = std::get_if<AttemptFinished>(&event.body)) {
    v1::AttemptFinished* target = proto.mutable_finished();
    target->set_outcome(ToProto(finished->outcome));
    if (finished->outcome == Outcome::kSucceeded) {
      *target->mutable_evaluation() = gridsweep::ToProto(finished->evaluation);
    }
    target->set_error(finished->error);
    target->set_stderr_tail(finished->stderr_tail);
    target->set_not_retryable(!finished->retryable);
    target->set_retry_alone(finished->retry_alone);
    target->set_unusable_dataset(finished->unusable_dataset);
  }
  return proto;
}

}  // namespace

v1::SyncRequest ToProto(const SyncRequest& request) {
  v1::SyncRequest proto;
  proto.set_protocol_version(kProtocolVersion);
  proto.set_worker(request.worker);
  proto.set_session(request.session);
  proto.set_sync_seq(request.sync_seq);
  if (request.info) *proto.mutable_info() = ToProto(*request.info);
  for (const HeldAttempt& held : request.held) {
    v1::HeldAttempt* added = proto.add_held();
    added->set_attempt(held.attempt);
    added->set_token(held.token);
    added->set_device(held.device);
    added->set_epoch(held.epoch);
    added->set_epoch_fraction(held.epoch_fraction);
  }
  for (const AttemptEvents& events : request.events) {
    v1::AttemptEvents* added = proto.add_events();
    added->set_attempt(events.attempt);
    added->set_token(events.token);
    for (const AttemptEvent& event : events.events) *added->add_events() = ToProto(event);
  }
  proto.set_room(request.room);
  proto.set_leaving(request.leaving);
  return proto;
}

SyncResponse FromProto(const v1::SyncResponse& proto) {
  SyncResponse response;
  for (const v1::StoredSeq& stored : proto.stored())
    response.stored.push_back({stored.attempt(), stored.seq()});
  response.stop.assign(proto.stop().begin(), proto.stop().end());
  for (const v1::Lease& lease : proto.leases()) {
    response.leases.push_back({lease.attempt(),
                               lease.token(),
                               lease.job(),
                               lease.sweep(),
                               lease.job_json(),
                               lease.bundle(),
                               {lease.checkpoints().begin(), lease.checkpoints().end()}});
  }
  response.next_call = absl::Milliseconds(proto.next_call_ms());
  response.news = absl::Milliseconds(proto.news_ms());
  response.lease = absl::Milliseconds(proto.lease_ms());
  response.send_info = proto.send_info();
  return response;
}

}  // namespace gridsweep::agent
