#include "tests/unit/queue/queue_fixture.h"

#include <algorithm>
#include <set>
#include <utility>

namespace gridsweep {

DatasetInfo Tiny(const std::string& content) {
  return {.name = "tiny",
          .digest = std::string(64 - content.size(), '0') + content,
          .class_names = {"a", "b"},
          .train_size = 60,
          .test_size = 20};
}

EpochMetrics Epoch(int64_t epoch, double accuracy) {
  return {.epoch = epoch,
          .train_loss = 1 - accuracy,
          .train_accuracy = accuracy,
          .val_loss = 1 - accuracy,
          .val_accuracy = accuracy,
          .test_loss = 1 - accuracy,
          .test_accuracy = accuracy,
          .lr = 0.001,
          .seconds = 1,
          .samples_per_second = 60};
}

AttemptFinished Finished(AttemptState outcome, const std::string& error) {
  AttemptFinished finished;
  finished.outcome = outcome;
  finished.error = error;
  if (outcome == AttemptState::kSucceeded) finished.evaluation.confusion = {9, 1, 2, 8};
  return finished;
}

SyncInput FakeWorker::Request() {
  SyncInput input;
  input.worker = name_;
  input.session = session_;
  input.sync_seq = ++sync_seq_;
  if (info_due_) {
    WorkerInfo info;
    info.record.host = "host-of-" + name_;
    info.record.devices_json = "[]";
    info.record.slots = slots;
    info.datasets = datasets;
    input.info = info;
  }
  int64_t running = 0;
  std::set<int64_t> bundles;
  for (const auto& [id, held] : held_) {
    input.held.push_back({id, held.job.attempt.token, "cpu", 1, 0.5});
    if (!held.events.empty()) input.events.push_back({id, held.job.attempt.token, held.events});
    const int64_t bundle = held.job.attempt.bundle;
    if (!held.finished && (bundle == 0 || bundles.insert(bundle).second)) ++running;
  }
  input.room = slots - running;
  return input;
}

void FakeWorker::Accept(const SyncOutput& output) {
  info_due_ = output.send_info;
  for (const auto& [attempt, seq] : output.stored) {
    const auto found = held_.find(attempt);
    if (found == held_.end()) continue;
    std::erase_if(found->second.events, [&](const AttemptEvent& event) { return event.seq <= seq; });
    if (found->second.finished && found->second.events.empty()) held_.erase(found);
  }
  for (const AttemptId attempt : output.stop) held_.erase(attempt);
  for (const ClaimedJob& job : output.leases) held_.try_emplace(job.attempt.attempt).first->second.job = job;
}

void FakeWorker::Report(AttemptId attempt, std::variant<AttemptStarted, EpochMetrics, AttemptFinished> what) {
  Held& held = held_.at(attempt);
  held.finished = held.finished || std::holds_alternative<AttemptFinished>(what);
  held.events.push_back({held.next_seq++, std::move(what)});
}

void FakeWorker::ReportAll(AttemptId attempt, double accuracy) {
  Report(attempt, AttemptStarted{Tiny(), "cpu", "environment"});
  Report(attempt, Epoch(1, accuracy / 2));
  Report(attempt, Epoch(2, accuracy));
  Report(attempt, Finished(AttemptState::kSucceeded));
}

std::vector<AttemptId> FakeWorker::held() const {
  std::vector<AttemptId> ids;
  for (const auto& [id, held] : held_) ids.push_back(id);
  return ids;
}

QueueTest::QueueTest() {
  options_.lease = kLease;
  options_.jitter = [this] { return jitter_; };
  Restart();
}

SweepId QueueTest::Submit(const std::string& yaml) {
  const auto spec = ParseSweep(yaml, "test.yaml", Catalog::Builtin());
  if (!spec.ok()) {
    ADD_FAILURE() << Message(spec.status());
    return {};
  }
  const auto sweep = files_.store->SubmitSweep({"key-" + std::to_string(++submitted_), "hash", yaml}, *spec,
                                               Grid(*spec), Catalog::Builtin(), clock_.Now().wall);
  EXPECT_THAT(sweep, IsOk());
  return sweep.ok() ? sweep->id : SweepId{};
}

absl::StatusOr<SyncOutput> QueueTest::Exchange(const SyncInput& input) {
  EXPECT_THAT(files_.store->BeginBatch(), IsOk());
  auto output = queue_->Sync(input, clock_.Now());
  EXPECT_THAT(files_.store->CommitBatch(), IsOk());
  return output;
}

SyncOutput QueueTest::Sync(FakeWorker& worker) {
  const auto output = Exchange(worker.Request());
  EXPECT_THAT(output, IsOk());
  if (!output.ok()) return {};
  worker.Accept(*output);
  return *output;
}

AttemptId QueueTest::Lease(FakeWorker& worker) {
  const SyncOutput output = Sync(worker);
  EXPECT_EQ(output.leases.size(), 1u);
  return output.leases.empty() ? AttemptId{} : output.leases.front().attempt.attempt;
}

void QueueTest::End(FakeWorker& worker, AttemptId attempt, const AttemptFinished& finished) {
  worker.Report(attempt, finished);
  const int64_t slots = std::exchange(worker.slots, 0);  // no new job yet
  Sync(worker);
  worker.slots = slots;
}

void QueueTest::Pass(absl::Duration duration) {
  while (duration > absl::ZeroDuration()) {
    const absl::Duration step = std::min(duration, absl::Seconds(1));
    clock_.Advance(step);
    Tick();
    duration -= step;
  }
}

void QueueTest::Tick() {
  ASSERT_THAT(files_.store->BeginBatch(), IsOk());
  EXPECT_THAT(queue_->Tick(clock_.Now()), IsOk());
  ASSERT_THAT(files_.store->CommitBatch(), IsOk());
}

void QueueTest::Restart() {
  queue_.reset();
  files_ = {};
  auto files = OpenSqliteStore(dir_ / "test.db", {.clock = &clock_, .max_pages = 0, .file_system_type = {}});
  ASSERT_THAT(files, IsOk());
  files_ = *std::move(files);
  queue_ = std::make_unique<JobQueue>(files_.store.get(), options_);
  ASSERT_THAT(queue_->Load(*files_.reader, clock_.Now()), IsOk());
}

JobRecord QueueTest::Job(int64_t id) {
  const auto detail = files_.reader->GetJob(JobId{id});
  EXPECT_THAT(detail, IsOk());
  return detail.ok() ? detail->job : JobRecord{};
}

std::vector<AttemptRecord> QueueTest::Attempts(int64_t job) {
  const auto detail = files_.reader->GetJob(JobId{job});
  EXPECT_THAT(detail, IsOk());
  return detail.ok() ? detail->attempts : std::vector<AttemptRecord>{};
}

SweepState QueueTest::State(SweepId sweep) {
  const auto record = files_.reader->GetSweep(sweep);
  EXPECT_THAT(record, IsOk());
  return record.ok() ? record->state : SweepState::kActive;
}

int64_t QueueTest::QueryInt(const std::string& sql) {
  const auto result = files_.reader->Query(sql, {});
  EXPECT_THAT(result, IsOk());
  if (!result.ok() || result->rows.empty()) return -1;
  const auto* value = std::get_if<int64_t>(&result->rows[0][0]);
  return value == nullptr ? -1 : *value;
}

}  // namespace gridsweep
