#include "bench/control/simulated_worker.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "common/base/backoff.h"
#include "common/base/random.h"
#include "common/rpc/channel.h"

namespace gridsweep::bench {
namespace {

constexpr BackoffPolicy kReconnect{absl::Milliseconds(500), absl::Seconds(10)};  // as agent::AgentOptions

// A number in [0, 1), another for each attempt.
double UnitOf(int64_t attempt) {
  return static_cast<double>((static_cast<uint64_t>(attempt) * 2654435761U) % 1000) / 1000;
}

}  // namespace

SimulatedWorker::SimulatedWorker(SimulatedWorkerOptions options)
    : options_(std::move(options)), session_(RandomHex(16)) {}

absl::Duration SimulatedWorker::TimeOf(const Attempt& attempt, uint64_t seq) const {
  const auto epochs = static_cast<double>(std::min(seq - 1, static_cast<uint64_t>(options_.epochs)));
  return attempt.begin + epochs * attempt.epoch;
}

uint64_t SimulatedWorker::Happened(const Attempt& attempt, absl::Duration now) const {
  const auto epochs = static_cast<uint64_t>(std::clamp(std::floor((now - attempt.begin) / attempt.epoch), 0.0,
                                                       static_cast<double>(options_.epochs)));
  return epochs == static_cast<uint64_t>(options_.epochs) ? LastSeq() : epochs + 1;
}

int SimulatedWorker::FreeSlots(absl::Duration now) const {
  std::set<int64_t> bundles;
  int busy = 0;
  for (const auto& [id, attempt] : attempts_) {
    if (Happened(attempt, now) == LastSeq()) continue;
    if (attempt.bundle == 0 || bundles.insert(attempt.bundle).second) ++busy;
  }
  return std::max(0, options_.slots - busy);
}

void SimulatedWorker::FillEvent(int64_t id, uint64_t seq, v1::AttemptEvent& event) const {
  event.set_seq(seq);
  if (seq == 1) {
    v1::AttemptStarted& started = *event.mutable_started();
    started.mutable_dataset()->set_name(options_.dataset);
    started.mutable_dataset()->set_digest(std::string(64, '0'));
    started.set_device("cpu");
    started.set_environment("simulated");
    return;
  }
  if (seq == LastSeq()) {
    event.mutable_finished()->set_outcome(v1::OUTCOME_SUCCEEDED);
    return;
  }
  // Learning curves of some shape, another for each attempt.
  const auto epoch = static_cast<double>(seq - 1);
  const double talent = UnitOf(id);
  v1::EpochMetrics& metrics = *event.mutable_epoch();
  metrics.set_epoch(static_cast<int64_t>(seq) - 1);
  metrics.set_train_loss((2 - talent) / epoch);
  metrics.set_train_accuracy(1 - (1 - talent / 2) / epoch);
  metrics.set_val_loss((2.2 - talent) / epoch);
  metrics.set_val_accuracy(0.98 - (1 - talent / 2) / epoch);
  metrics.set_test_loss((2.3 - talent) / epoch);
  metrics.set_test_accuracy(0.97 - (1 - talent / 2) / epoch);
  metrics.set_lr(0.001);
  metrics.set_seconds(absl::ToDoubleSeconds(options_.epoch));
  metrics.set_samples_per_second(1e4);
  metrics.set_shared_by(1);
}

v1::SyncRequest SimulatedWorker::TakeSync(absl::Duration now) {
  v1::SyncRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_worker(options_.name);
  request.set_session(session_);
  request.set_sync_seq(++sync_seq_);
  if (send_info_) {
    v1::WorkerInfo& info = *request.mutable_info();
    info.set_host("simulated");
    info.set_pid(1);
    v1::Device& device = *info.add_devices();
    device.set_name("cpu");
    device.set_slots(options_.slots);
    info.set_version("simulated");
    info.add_datasets(options_.dataset);
  }
  for (const auto& [id, attempt] : attempts_) {
    const uint64_t happened = Happened(attempt, now);
    v1::HeldAttempt& held = *request.add_held();
    held.set_attempt(id);
    held.set_token(attempt.token);
    held.set_device("cpu");
    held.set_epoch(static_cast<int64_t>(std::min(happened, static_cast<uint64_t>(options_.epochs))));
    if (happened == attempt.stored) continue;
    v1::AttemptEvents& events = *request.add_events();
    events.set_attempt(id);
    events.set_token(attempt.token);
    for (uint64_t seq = attempt.stored + 1; seq <= happened; ++seq) FillEvent(id, seq, *events.add_events());
  }
  request.set_room(FreeSlots(now));
  return request;
}

void SimulatedWorker::OnAnswer(const v1::SyncResponse& answer, absl::Duration now) {
  failures_ = 0;
  send_info_ = answer.send_info();
  for (const v1::StoredSeq& stored : answer.stored()) {
    const auto found = attempts_.find(stored.attempt());
    if (found == attempts_.end() || stored.seq() <= found->second.stored) continue;
    const auto epochs_of = [&](uint64_t seq) {
      return static_cast<int64_t>(std::clamp<uint64_t>(seq, 1, LastSeq() - 1) - 1);
    };
    const int64_t epochs = epochs_of(stored.seq()) - epochs_of(found->second.stored);
    epochs_stored_ += epochs;
    if (epochs > 0) ++reports_;
    found->second.stored = stored.seq();
    if (stored.seq() != LastSeq()) continue;
    ++jobs_done_;
    attempts_.erase(found);
  }
  for (const int64_t id : answer.stop()) attempts_.erase(id);
  for (const v1::Lease& lease : answer.leases()) {
    // Jobs of a sweep differ; in step they would all begin and end together for ever.
    const absl::Duration epoch = options_.epoch * (0.7 + 0.6 * UnitOf(lease.attempt()));
    attempts_.try_emplace(lease.attempt(), Attempt{lease.token(), lease.bundle(), now, epoch, 0});
  }
  PlanNext(now, absl::Milliseconds(answer.next_call_ms()), absl::Milliseconds(answer.news_ms()));
}

void SimulatedWorker::PlanNext(absl::Duration now, absl::Duration next_call, absl::Duration news) {
  due_ = now + next_call;
  for (const auto& [id, attempt] : attempts_)
    due_ = std::min(due_, std::max(TimeOf(attempt, attempt.stored + 1), now + news));
  if (send_info_) due_ = std::min(due_, now + news);
}

void SimulatedWorker::OnError(absl::Duration now, double unit) {
  due_ = now + BackoffDelay(kReconnect, failures_++, unit);
}

}  // namespace gridsweep::bench
