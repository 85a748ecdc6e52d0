#include "tests/simulation/witness.h"

#include <limits>
#include <utility>

#include "common/job/job_state.h"
#include "coordinator/store/sqlite_db.h"

namespace gridsweep {
namespace {

constexpr size_t kMostViolations = 100;
// Looks at the leases are a second apart, and batches 200 ms.
constexpr absl::Duration kScan = absl::Milliseconds(1500);
constexpr char kRestarted[] = "the worker was restarted";

// Calls `row` with every row.
template <typename Row>
absl::Status ForEach(Db& db, const char* sql, const Row& row) {
  GS_ASSIGN_OR_RETURN(Statement rows, db.Query(sql));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return absl::OkStatus();
    row(rows);
  }
}

}  // namespace

void Witness::Object(std::string violation) {
  if (violations_.size() < kMostViolations) violations_.push_back(std::move(violation));
}

// --- batches

Witness::Books& Witness::Change() {
  if (!before_) before_ = books_;
  return books_;
}

void Witness::BatchBegins() {
  if (events_->now() - last_batch_ > lease_ / 2) EverybodyIsHeard();
  last_batch_ = events_->now();
}

void Witness::BatchCommitted() {
  before_.reset();
}

void Witness::LeasesLookedAt() {
  for (const auto& [id, attempt] : books_.attempts) {
    if (attempt.state != AttemptState::kOpen) continue;
    const absl::Duration silence = events_->now() - heard_[id];
    if (silence > lease_ + kScan)
      Object(fmt::format("attempt {} kept its lease after {} of silence", id, absl::FormatDuration(silence)));
  }
}

void Witness::BatchLost() {
  if (before_) books_ = *std::exchange(before_, std::nullopt);
  EverybodyIsHeard();
  sync_seq_.clear();
}

void Witness::CoordinatorDied() {
  BatchLost();
}

void Witness::EverybodyIsHeard() {
  for (const auto& [id, attempt] : books_.attempts) heard_[id] = events_->now();
}

Witness::Books Witness::Read(Db& db) {
  Books found;
  absl::Status status = ForEach(
      db, "SELECT a.id, a.job, a.sweep, a.worker, a.bundle, a.token, a.state FROM attempts a ORDER BY a.id",
      [&](const Statement& row) {
        const auto old = books_.attempts.find(row.Int(0));
        Known attempt{.job = row.Int(1),
                      .sweep = row.Int(2),
                      .worker = row.Int(3),
                      .bundle = row.Int(4),
                      .token = row.Text(5),
                      .session = old == books_.attempts.end() ? std::string() : old->second.session,
                      .state = ParseAttemptState(row.Text(6)).value()};
        found.newest[attempt.job] = row.Int(0);
        found.attempts[row.Int(0)] = std::move(attempt);
      });
  status.Update(ForEach(db, "SELECT id, accepted_attempt FROM jobs WHERE state NOT IN ('pending', 'running')",
                        [&](const Statement& row) {
                          found.over.insert(row.Int(0));
                          if (!row.IsNull(1)) found.accepted[row.Int(0)] = row.Int(1);
                        }));
  status.Update(ForEach(db, "SELECT id, name, session, slots FROM workers", [&](const Statement& row) {
    found.workers[row.Int(0)] = {.name = row.Text(1), .session = row.Text(2), .slots = row.Int(3)};
  }));
  found.checkpoints = books_.checkpoints;
  found.superseded = books_.superseded;
  status.Update(ForEach(db, "SELECT job, sha256, epoch FROM checkpoints", [&](const Statement& row) {
    found.checkpoints[{row.Int(0), row.Text(1)}] = row.Int(2);
  }));
  if (!status.ok()) Object("the database cannot be read: " + Message(status));
  return found;
}

void Witness::CoordinatorStarts(Db& db) {
  const Books found = Read(db);
  for (const auto& [id, attempt] : books_.attempts) {
    const auto now = found.attempts.find(id);
    if (now == found.attempts.end()) {
      Object(fmt::format("attempt {} was committed and is gone", id));
    } else if (now->second.token != attempt.token || now->second.job != attempt.job) {
      Object(fmt::format("attempt {} is another one after a restart", id));
    } else if (attempt.state != now->second.state && IsStale(books_, id)) {
      Object(fmt::format("attempt {} was over as {} and is {} after a restart", id,
                         AttemptStateName(attempt.state), AttemptStateName(now->second.state)));
    }
  }
  for (const auto& [job, attempt] : books_.accepted) {
    const auto now = found.accepted.find(job);
    if (now == found.accepted.end() || now->second != attempt)
      Object(fmt::format("job {} has lost its result", job));
  }
  books_ = found;
  EverybodyIsHeard();
  CheckRows(db);
  last_batch_ = events_->now();
}

// --- writes

Witness::Known* Witness::FindOpen(const char* what, AttemptId attempt, const std::string& token) {
  const auto found = books_.attempts.find(attempt.value);
  if (found == books_.attempts.end()) {
    Object(fmt::format("{} of attempt {} was stored, which does not exist", what, attempt.value));
    return nullptr;
  }
  if (found->second.token != token) {
    Object(fmt::format("{} of attempt {} was stored with another token", what, attempt.value));
    return nullptr;
  }
  if (found->second.state == AttemptState::kOpen) return &found->second;
  Object(fmt::format("{} of attempt {} was stored, which is over: {}", what, attempt.value,
                     AttemptStateName(found->second.state)));
  return nullptr;
}

Witness::Known* Witness::FindOf(const std::string& worker, AttemptId attempt, const std::string& token) {
  const auto found = books_.attempts.find(attempt.value);
  const bool its = found != books_.attempts.end() && found->second.token == token &&
                   books_.workers[found->second.worker].name == worker;
  return its ? &found->second : nullptr;
}

void Witness::Registered(const WorkerRecord& record, WorkerId worker) {
  Books& books = Change();
  Worker& known = books.workers[worker.value];
  if (books.superseded.contains({record.name, record.session}))
    Object(fmt::format("an older {} has taken its name back", record.name));
  if (!known.session.empty() && known.session != record.session) {
    superseded_.emplace(known.name, known.session);
    books.superseded.emplace(known.name, known.session);
  }
  known = {.name = record.name, .session = record.session, .slots = record.slots};
}

void Witness::Claimed(WorkerId worker, const std::vector<ClaimedJob>& jobs) {
  for (const ClaimedJob& claimed : jobs) {
    Books& books = Change();
    const int64_t id = claimed.attempt.attempt.value;
    const int64_t job = claimed.attempt.job.value;
    ++claimed_;
    heard_[id] = events_->now();
    if (books.over.contains(job)) Object(fmt::format("job {} is over and was given out", job));
    for (const auto& [other, attempt] : books.attempts) {
      if (attempt.job == job && attempt.state == AttemptState::kOpen)
        Object(fmt::format("job {} was given out twice: attempts {} and {}", job, other, id));
      if (attempt.token == claimed.attempt.token)
        Object(fmt::format("attempts {} and {} share a token", other, id));
    }
    CheckOffer(books, claimed);
    books.newest[job] = id;
    books.attempts[id] = {.job = job,
                          .sweep = claimed.attempt.sweep.value,
                          .worker = worker.value,
                          .bundle = claimed.attempt.bundle,
                          .token = claimed.attempt.token,
                          .session = books.workers[worker.value].session};
  }
}

// Only what its job's attempts have recorded, the latest epoch first.
void Witness::CheckOffer(const Books& books, const ClaimedJob& claimed) {
  int64_t last = std::numeric_limits<int64_t>::max();
  for (const std::string& sha256 : claimed.checkpoints) {
    const auto found = books.checkpoints.find({claimed.attempt.job.value, sha256});
    if (found == books.checkpoints.end()) {
      Object(fmt::format("attempt {} is to go on from what was never recorded for its job",
                         claimed.attempt.attempt.value));
    } else if (std::exchange(last, found->second) < found->second) {
      Object(fmt::format("attempt {} is to go on from an older checkpoint than there is",
                         claimed.attempt.attempt.value));
    }
  }
}

void Witness::Reported(const char* what, AttemptId attempt, const std::string& token) {
  FindOpen(what, attempt, token);
}

void Witness::Ended(AttemptId attempt, const std::string& token, const AttemptEnd& end) {
  Books& books = Change();
  Known* const known = FindOpen("the end", attempt, token);
  if (known == nullptr) return;
  known->state = end.state;
  if (IsTerminal(end.job_state)) books.over.insert(known->job);
  if (HasResult(end.job_state)) books.accepted[known->job] = attempt.value;
  const absl::Duration silence = events_->now() - heard_[attempt.value];
  if (end.state == AttemptState::kLost && end.error != kRestarted && silence < lease_)
    Object(
        fmt::format("attempt {} was lost after {} of silence", attempt.value, absl::FormatDuration(silence)));
}

void Witness::Revived(AttemptId attempt, const std::string& token) {
  const auto found = books_.attempts.find(attempt.value);
  if (found == books_.attempts.end() || found->second.token != token)
    return Object(fmt::format("attempt {} was revived with another token", attempt.value));
  if (found->second.state != AttemptState::kLost || IsStale(books_, attempt.value))
    return Object(fmt::format("attempt {} was revived, which is over: {}", attempt.value,
                              AttemptStateName(found->second.state)));
  Change().attempts.at(attempt.value).state = AttemptState::kOpen;
  heard_[attempt.value] = events_->now();
}

void Witness::Cancelled(SweepId sweep, const std::vector<AttemptId>& ended) {
  Books& books = Change();
  std::set<int64_t> open;
  for (auto& [id, attempt] : books.attempts) {
    if (attempt.sweep != sweep.value || attempt.state != AttemptState::kOpen) continue;
    attempt.state = AttemptState::kCancelled;
    open.insert(id);
  }
  for (const auto& [id, attempt] : books.attempts) {
    if (attempt.sweep == sweep.value) books.over.insert(attempt.job);
  }
  std::set<int64_t> told;
  for (const AttemptId attempt : ended) told.insert(attempt.value);
  if (told != open)
    Object(fmt::format("sweep {} was cancelled, with other attempts than were open", sweep.value));
}

void Witness::RecordedCheckpoint(std::span<const ArtifactClaim> claims, const std::string& sha256) {
  bool entitled = false;
  for (const ArtifactClaim& claim : claims) {
    const auto found = books_.attempts.find(claim.attempt.value);
    if (found == books_.attempts.end() || found->second.token != claim.token ||
        found->second.state != AttemptState::kOpen)
      continue;
    entitled = true;
    entitled_.emplace(claim.attempt.value, claim.epoch, sha256);
    Change().checkpoints[{found->second.job, sha256}] = claim.epoch;
  }
  if (!entitled) Object("a checkpoint was recorded for none but attempts that are over");
}

void Witness::RecordedModel(const ArtifactClaim& claim, const std::string& sha256) {
  const auto found = books_.attempts.find(claim.attempt.value);
  const auto accepted =
      found == books_.attempts.end() ? books_.accepted.end() : books_.accepted.find(found->second.job);
  if (accepted == books_.accepted.end() || accepted->second != claim.attempt.value ||
      found->second.token != claim.token)
    return Object(
        fmt::format("a model of attempt {} was recorded, which is not accepted or has another token",
                    claim.attempt.value));
  models_.emplace(found->second.job, sha256);
}

// --- questions

bool Witness::IsStale(const Books& books, int64_t attempt) {
  const auto found = books.attempts.find(attempt);
  if (found == books.attempts.end()) return false;
  const Known& known = found->second;
  return books.newest.at(known.job) != attempt || books.over.contains(known.job) ||
         (known.state != AttemptState::kOpen && known.state != AttemptState::kLost);
}

bool Witness::IsStale(int64_t attempt) const {
  return IsStale(committed(), attempt);
}

bool Witness::IsAccepted(AttemptId attempt) const {
  const auto found = committed().attempts.find(attempt.value);
  if (found == committed().attempts.end()) return false;
  const auto accepted = committed().accepted.find(found->second.job);
  return accepted != committed().accepted.end() && accepted->second == attempt.value;
}

std::vector<Witness::Token> Witness::StaleTokens() const {
  std::vector<Token> tokens;
  for (const auto& [id, attempt] : committed().attempts) {
    if (IsStale(committed(), id)) tokens.push_back({AttemptId{id}, attempt.token});
  }
  return tokens;
}

std::vector<Witness::Token> Witness::OpenTokens() const {
  std::vector<Token> tokens;
  for (const auto& [id, attempt] : committed().attempts) {
    if (attempt.state == AttemptState::kOpen) tokens.push_back({AttemptId{id}, attempt.token});
  }
  return tokens;
}

std::vector<Witness::Token> Witness::LostTokens() const {
  std::vector<Token> tokens;
  for (const auto& [id, attempt] : committed().attempts) {
    if (attempt.state == AttemptState::kLost && !IsStale(committed(), id))
      tokens.push_back({AttemptId{id}, attempt.token});
  }
  return tokens;
}

bool Witness::IsContested(AttemptId attempt) const {
  const auto found = committed().attempts.find(attempt.value);
  return found != committed().attempts.end() && !committed().over.contains(found->second.job);
}

std::string Witness::WorkerOf(AttemptId attempt) const {
  const auto found = committed().attempts.find(attempt.value);
  return found == committed().attempts.end() ? std::string()
                                             : committed().workers.at(found->second.worker).name;
}

std::string Witness::SessionOf(AttemptId attempt) const {
  const auto found = committed().attempts.find(attempt.value);
  return found == committed().attempts.end() ? std::string() : found->second.session;
}

// --- trainers

void Witness::WentOn(int64_t attempt, const std::string& sha256, int64_t epoch) {
  const Books& books = committed();
  const auto found = books.attempts.find(attempt);
  if (found == books.attempts.end())
    return Object(fmt::format("attempt {} runs and was never claimed", attempt));
  const auto checkpoint = books.checkpoints.find({found->second.job, sha256});
  if (checkpoint == books.checkpoints.end())
    return Object(fmt::format("attempt {} went on from what was never stored for its job", attempt));
  if (checkpoint->second != epoch)
    Object(fmt::format("attempt {} went on from epoch {}, stored is {}", attempt, epoch, checkpoint->second));
  resumes_[attempt] = epoch;
}

// --- rows

void Witness::CheckRows(Db& db) {
  absl::Status status =
      ForEach(db, "SELECT attempt, epoch, sha256, job FROM checkpoints", [&](const Statement& row) {
        if (!entitled_.contains({row.Int(0), row.Int(1), row.Text(2)}))
          Object(fmt::format("job {} has a checkpoint that attempt {} was not entitled to", row.Int(3),
                             row.Int(0)));
      });
  status.Update(ForEach(db, "SELECT job, sha256 FROM models", [&](const Statement& row) {
    if (!models_.contains({row.Int(0), row.Text(1)}))
      Object(fmt::format("job {} has a model that is not its accepted attempt's", row.Int(0)));
  }));
  status.Update(ForEach(
      db, "SELECT id, resumed_epoch FROM attempts WHERE resumed_epoch > 0", [&](const Statement& row) {
        const auto resume = resumes_.find(row.Int(0));
        if (resume == resumes_.end() || resume->second != row.Int(1))
          Object(fmt::format("attempt {} is said to have gone on from epoch {}", row.Int(0), row.Int(1)));
      }));
  if (!status.ok()) Object("the database cannot be read: " + Message(status));
}

}  // namespace gridsweep
