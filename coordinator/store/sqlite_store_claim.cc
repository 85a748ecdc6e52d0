// SqliteStore: handing out jobs under leases, and looking at leases.
#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "common/base/json.h"
#include "common/schedule/shared_epochs.h"
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {
namespace {

// Further ahead than any back-off reaches: the clock was set back since.
const absl::Duration kMaxDelay = RetryPolicy{}.backoff.cap;

// Columns of attempts a JOIN jobs j, as ReadOpenAttempt expects them.
constexpr char kOpenAttemptColumns[] =
    "a.id, a.job, a.sweep, a.worker, a.token, a.number, a.stored_seq, j.losses, j.failures, j.preemptions, "
    "a.bundle, j.work, (SELECT epochs FROM sweeps WHERE id = a.sweep), j.added_epochs";
constexpr int kOpenAttemptColumnCount = 14;

constexpr size_t kNone = static_cast<size_t>(-1);

// Enough to know what an epoch costs now.
constexpr int64_t kCostAttempts = 5000;

RetryCounters ReadCounters(const Statement& row, int first) {
  return {static_cast<int>(row.Int(first)), static_cast<int>(row.Int(first + 1)),
          static_cast<int>(row.Int(first + 2))};
}

OpenAttempt ReadOpenAttempt(const Statement& row) {
  return {.attempt = AttemptId{row.Int(0)},
          .job = JobId{row.Int(1)},
          .sweep = SweepId{row.Int(2)},
          .worker = WorkerId{row.Int(3)},
          .token = row.Text(4),
          .number = row.Int(5),
          .stored_seq = static_cast<uint64_t>(row.Int(6)),
          .counters = ReadCounters(row, 7),
          .bundle = row.Int(10),
          .work = row.Int(11),
          .epochs = row.Int(12),
          .added_epochs = row.Real(13)};
}

// Cuts bundles until there is one for every slot, if there are jobs for that.
void SplitForSlots(std::vector<std::vector<JobId>>& bundles, int64_t slots) {
  if (static_cast<int64_t>(bundles.size()) >= slots) return;
  int64_t jobs = 0;
  for (const std::vector<JobId>& bundle : bundles) jobs += static_cast<int64_t>(bundle.size());
  const auto most = static_cast<size_t>((jobs + slots - 1) / slots);
  std::vector<std::vector<JobId>> split;
  for (const std::vector<JobId>& bundle : bundles) {
    for (size_t begin = 0; begin < bundle.size(); begin += most) {
      split.emplace_back(bundle.begin() + static_cast<std::ptrdiff_t>(begin),
                         bundle.begin() + static_cast<std::ptrdiff_t>(std::min(begin + most, bundle.size())));
    }
  }
  bundles = std::move(split);
}

// The job's document: `params`, the JSON object of its cell, and what that leaves open. Put together as text: reading it first
// would be a tenth of the time a claim takes.
std::string JobDocument(std::string params, int64_t seed, const std::string& digest) {
  params.pop_back();
  return fmt::format(R"({},"dataset_digest":{},"seed":{}}})", params, Json(digest).dump(), seed);
}

}  // namespace

absl::StatusOr<std::vector<WorkClass>> SqliteStore::WorkClasses() {
  std::vector<WorkClass> classes;
  GS_ASSIGN_OR_RETURN(
      Statement rows,
      db_->Query(
          "SELECT s.id, k.work, json_array(s.dataset, s.batch_size, s.samples, s.validation, json(k.model)), "
          "s.epochs, k.group_epochs, k.pending, k.pending_epochs, json_array_length(s.axis_levels, '$[4]') FROM "
          "sweeps s CROSS JOIN work_classes k "
          "WHERE s.state IN ('active', 'paused') AND k.sweep = s.id ORDER BY s.id, k.work"));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return classes;
    classes.push_back({.sweep = SweepId{rows.Int(0)},
                       .work = rows.Int(1),
                       .kind = rows.Text(2),
                       .epochs = rows.Int(3),
                       .group_epochs = rows.Real(4),
                       .pending = rows.Int(5),
                       .pending_epochs = rows.Real(6),
                       .schedulers = rows.Int(7)});
  }
}

absl::StatusOr<std::set<SweepId>> SqliteStore::ActiveSweeps() {
  std::set<SweepId> sweeps;
  GS_ASSIGN_OR_RETURN(Statement rows, db_->Query("SELECT id FROM sweeps WHERE state = 'active'"));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return sweeps;
    sweeps.insert(SweepId{rows.Int(0)});
  }
}

absl::StatusOr<std::vector<EpochCost>> SqliteStore::EpochCosts() {
  std::vector<EpochCost> costs;
  GS_ASSIGN_OR_RETURN(
      Statement rows,
      db_->Query(
          "SELECT a.sweep, j.work, a.device, e.epoch = 1 AS first, "
          "sum(e.seconds / e.shared_by) / sum(1.0 / e.shared_by), sum(1.0 / e.shared_by) FROM (SELECT id, job, "
          "sweep, device FROM attempts WHERE epochs > 0 AND sweep IN (SELECT id FROM sweeps WHERE state IN "
          "('active', 'paused')) ORDER BY id DESC LIMIT ?1) a CROSS JOIN jobs j ON j.id = a.job "
          "CROSS JOIN epochs e ON e.attempt = a.id WHERE e.seconds IS NOT NULL "
          "GROUP BY a.sweep, j.work, a.device, first",
          kCostAttempts));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return costs;
    costs.push_back({.sweep = SweepId{rows.Int(0)},
                     .work = rows.Int(1),
                     .device = rows.Text(2),
                     .first = rows.Int(3) != 0,
                     .seconds = rows.Real(4),
                     .epochs = rows.Real(5)});
  }
}

absl::StatusOr<std::vector<WorkClass>> SqliteStore::ClaimableWork(const ClaimRequest& request) {
  std::set<SweepId> sweeps;
  {
    GS_ASSIGN_OR_RETURN(Statement rows, db_->Query("SELECT id, dataset FROM sweeps WHERE state = 'active'"));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) break;
      const bool served =
          std::find(request.datasets.begin(), request.datasets.end(), rows.Text(1)) != request.datasets.end();
      if (served) sweeps.insert(SweepId{rows.Int(0)});
    }
  }
  std::vector<WorkClass> classes;
  if (sweeps.empty()) return classes;
  GS_ASSIGN_OR_RETURN(classes, WorkClasses());
  std::erase_if(classes,
                [&](const WorkClass& work) { return work.pending == 0 || !sweeps.contains(work.sweep); });
  std::vector<std::pair<double, WorkClass>> costed;
  for (WorkClass& work : classes) {
    const double cost = request.cost ? request.cost(work) : std::numeric_limits<double>::infinity();
    costed.emplace_back(cost, std::move(work));
  }
  // Costs of classes that are unknown are equal, and then the longer bundle still comes first.
  std::stable_sort(costed.begin(), costed.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(a.second.sweep, -a.first, -a.second.group_epochs) <
           std::make_tuple(b.second.sweep, -b.first, -b.second.group_epochs);
  });
  classes.clear();
  for (auto& [cost, work] : costed) classes.push_back(std::move(work));
  return classes;
}

absl::StatusOr<std::vector<std::vector<JobId>>> SqliteStore::PendingBundles(const ClaimRequest& request) {
  GS_ASSIGN_OR_RETURN(const std::vector<WorkClass> classes, ClaimableWork(request));
  // Jobs that differ in the scheduler alone make a bundle: without any, bundles need not be cut for the slots.
  const bool bundling =
      request.share &&
      std::any_of(classes.begin(), classes.end(), [](const WorkClass& work) { return work.schedulers != 1; });
  const int64_t slots = bundling ? request.slots : 1;
  int64_t least_bundles = 0;
  for (const WorkClass& work : classes) {
    const auto most = static_cast<int64_t>(kMaxBundle);
    least_bundles +=
        work.pending / std::clamp<int64_t>(work.schedulers == 0 ? most : work.schedulers, 1, most);
  }
  // Where there is a bundle for every slot anyway, there is no need to look at them all.
  const bool plenty = least_bundles >= slots;
  const auto wanted = static_cast<size_t>(plenty ? request.limit : std::max(request.limit, slots));

  std::vector<std::vector<JobId>> bundles;
  for (const WorkClass& work : classes) {
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db_->Query("SELECT id, prefix, alone FROM jobs WHERE sweep = ?1 AND work = ?2 AND state = 'pending' "
                   "AND (not_before_us <= ?3 OR not_before_us > ?4) ORDER BY prefix, id",
                   work.sweep.value, work.work, request.now, request.now + kMaxDelay));
    int64_t prefix = -1;
    size_t open = kNone;  // the bundle that takes the group's next job
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) break;
      const bool alone = !request.share || rows.Int(2) != 0;
      if (rows.Int(1) != prefix) {
        if (bundles.size() >= wanted) return bundles;
        prefix = rows.Int(1);
        open = kNone;
      }
      if (!alone && open != kNone && bundles[open].size() < kMaxBundle) {
        bundles[open].push_back(JobId{rows.Int(0)});
        continue;
      }
      if (bundles.size() >= wanted && open != kNone)
        continue;  // the rest of a group that is longer than a bundle
      if (bundles.size() >= wanted) return bundles;
      if (!alone) open = bundles.size();
      bundles.push_back({JobId{rows.Int(0)}});
    }
  }
  SplitForSlots(bundles, slots);
  return bundles;
}

absl::StatusOr<ClaimedJob> SqliteStore::ReadClaim(JobId id, const ClaimRequest& request) {
  GS_ASSIGN_OR_RETURN(
      Statement row,
      db_->Query(
          "SELECT j.sweep, j.attempts + 1, j.losses, j.failures, j.preemptions, c.params, j.seed, "
          "s.dataset_digest, j.work, s.epochs, j.added_epochs FROM jobs j JOIN cells c ON c.id = j.cell "
          "JOIN sweeps s ON s.id = j.sweep WHERE j.id = ?1",
          id.value));
  GS_RETURN_IF_ERROR(row.Step().status());
  ClaimedJob job;
  job.attempt = {.attempt = {},
                 .job = id,
                 .sweep = SweepId{row.Int(0)},
                 .worker = request.worker,
                 .token = make_token_(),
                 .number = row.Int(1),
                 .stored_seq = 0,
                 .counters = ReadCounters(row, 2),
                 .bundle = 0,
                 .work = row.Int(8),
                 .epochs = row.Int(9),
                 .added_epochs = row.Real(10)};
  job.job_json = JobDocument(row.Text(5), row.Int(6), row.Text(7));
  if (job.attempt.number > 1) {
    GS_ASSIGN_OR_RETURN(job.checkpoints, CheckpointsOf(id));
  }
  return job;
}

absl::StatusOr<std::vector<ClaimedJob>> SqliteStore::ClaimJobs(const ClaimRequest& request) {
  std::vector<ClaimedJob> claimed;
  if (request.limit <= 0 || request.datasets.empty()) return claimed;
  const absl::Status done = Atomically([&]() -> absl::Status {
    const absl::StatusOr<int64_t> worker =
        db_->QueryInt("SELECT id FROM workers WHERE id = ?1", request.worker.value);
    if (absl::IsNotFound(worker.status())) return NotFound("no worker {}", request.worker.value);
    GS_RETURN_IF_ERROR(worker.status());
    GS_ASSIGN_OR_RETURN(std::vector<std::vector<JobId>> bundles, PendingBundles(request));
    if (static_cast<int64_t>(bundles.size()) > request.limit)
      bundles.resize(static_cast<size_t>(request.limit));
    for (const std::vector<JobId>& bundle : bundles) {
      if (!claimed.empty() && static_cast<int64_t>(claimed.size() + bundle.size()) > request.max_jobs) break;
      int64_t number = 0;
      for (const JobId id : bundle) {
        GS_ASSIGN_OR_RETURN(ClaimedJob job, ReadClaim(id, request));
        job.attempt.bundle = number;
        GS_RETURN_IF_ERROR(Lease(job.attempt, request.now));
        if (bundle.size() > 1 && number == 0) {
          number = job.attempt.bundle = job.attempt.attempt.value;
          GS_RETURN_IF_ERROR(db_->Run("UPDATE attempts SET bundle = id WHERE id = ?1", number));
        }
        claimed.push_back(std::move(job));
      }
    }
    return absl::OkStatus();
  });
  if (!done.ok()) return done;
  return claimed;
}

absl::Status SqliteStore::Lease(OpenAttempt& attempt, absl::Time now) {
  GS_RETURN_IF_ERROR(db_->Run(
      "INSERT INTO attempts (job, sweep, worker, number, token, started_us, bundle) VALUES (?1, ?2, ?3, ?4, ?5, "
      "?6, ?7)",
      attempt.job.value, attempt.sweep.value, attempt.worker.value, attempt.number, attempt.token, now,
      attempt.bundle));
  attempt.attempt = AttemptId{db_->LastInsertId()};
  return db_->Run(
      "UPDATE jobs SET state = 'running', current_attempt = ?2, attempts = ?3 WHERE id = ?1 AND state = "
      "'pending'",
      attempt.job.value, attempt.attempt.value, attempt.number);
}

absl::Status SqliteStore::ReviveAttempt(AttemptId attempt, const std::string& token, absl::Time /*now*/) {
  return Atomically([&]() -> absl::Status {
    // The job first: it decides. Newest means that no later attempt took its number.
    GS_RETURN_IF_ERROR(
        db_->Run("UPDATE jobs SET state = 'running', current_attempt = ?1, losses = max(losses - 1, 0), "
                 "not_before_us = 0 FROM attempts a WHERE a.id = ?1 AND a.token = ?2 AND a.state = 'lost' "
                 "AND jobs.id = a.job AND jobs.state = 'pending' AND jobs.attempts = a.number",
                 attempt.value, token));
    if (db_->Changes() != 1) return Aborted("attempt {} cannot be revived", attempt.value);
    GS_RETURN_IF_ERROR(db_->Run(
        "UPDATE attempts SET state = 'open', ended_us = NULL, error = '' WHERE id = ?1 AND token = ?2 AND "
        "state = 'lost'",
        attempt.value, token));
    return db_->Run(
        "UPDATE workers SET losses = max(losses - 1, 0) WHERE id = (SELECT worker FROM attempts WHERE id = "
        "?1)",
        attempt.value);
  });
}

absl::StatusOr<std::vector<OpenAttempt>> SqliteStore::OpenAttempts() {
  std::vector<OpenAttempt> attempts;
  GS_ASSIGN_OR_RETURN(Statement rows,
                      db_->Query(fmt::format("SELECT {} FROM attempts a JOIN jobs j ON j.id = a.job "
                                             "WHERE a.state = 'open' ORDER BY a.id",
                                             kOpenAttemptColumns)));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return attempts;
    attempts.push_back(ReadOpenAttempt(rows));
  }
}

absl::StatusOr<AttemptStatus> SqliteStore::GetAttempt(AttemptId attempt, const std::string& token) {
  GS_ASSIGN_OR_RETURN(
      Statement row,
      db_->Query(fmt::format("SELECT {}, a.state, j.state, a.number = j.attempts FROM attempts a "
                             "JOIN jobs j ON j.id = a.job WHERE a.id = ?1",
                             kOpenAttemptColumns),
                 attempt.value));
  GS_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return NotFound("no attempt {}", attempt.value);
  AttemptStatus status;
  status.attempt = ReadOpenAttempt(row);
  if (status.attempt.token != token) return Aborted("attempt {} has another token", attempt.value);
  GS_ASSIGN_OR_RETURN(status.state, ParseAttemptState(row.Text(kOpenAttemptColumnCount)));
  GS_ASSIGN_OR_RETURN(status.job_state, ParseJobState(row.Text(kOpenAttemptColumnCount + 1)));
  status.is_newest = row.Int(kOpenAttemptColumnCount + 2) != 0;
  return status;
}

}  // namespace gridsweep
