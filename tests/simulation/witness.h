// Somebody beside the coordinator who keeps books of his own: which token may write, who was heard when, what is durable.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/queue/sync.h"
#include "coordinator/store/store.h"
#include "tests/simulation/event_queue.h"

namespace gridsweep {

class Db;

// Is told of every write that the store says it has taken, and objects to those that nobody was entitled to. His books follow
// from what was told alone; from the database he learns only what became of a batch whose commit was never answered.
// Not thread-safe; the events are not owned.
class Witness {
 public:
  // `lease`: as the queue's.
  Witness(const EventQueue* events, absl::Duration lease) : events_(events), lease_(lease) {}

  // What should not have happened, a text each; the first hundred.
  const std::vector<std::string>& violations() const { return violations_; }
  void Object(std::string violation);

  // --- batches: all that is told in one that is not committed has not happened.

  void BatchBegins();
  void BatchCommitted();
  // The queue begins anew with every lease.
  void BatchLost();
  // Since the last commit: objects to leases that should have ended.
  void LeasesLookedAt();
  // Nobody knows what became of the batch, if there was one, until the database has been read.
  void CoordinatorDied();
  void CoordinatorStarts(Db& db);

  // --- writes that the store has taken.

  void Registered(const WorkerRecord& record, WorkerId worker);
  void Claimed(WorkerId worker, const std::vector<ClaimedJob>& jobs);
  void Reported(const char* what, AttemptId attempt, const std::string& token);
  void Ended(AttemptId attempt, const std::string& token, const AttemptEnd& end);
  void Revived(AttemptId attempt, const std::string& token);
  void Cancelled(SweepId sweep, const std::vector<AttemptId>& ended);
  void RecordedCheckpoint(std::span<const ArtifactClaim> claims, const std::string& sha256);
  void RecordedModel(const ArtifactClaim& claim, const std::string& sha256);

  // --- exchanges with workers. Of a real one's answer and of the refusal, within the batch.

  void SyncBegins(const SyncInput& input);
  void SyncEnds(const SyncInput& input, const absl::StatusOr<SyncOutput>& output);

  // --- what a trainer went on from.

  void WentOn(int64_t attempt, const std::string& sha256, int64_t epoch);
  int64_t resumes() const { return static_cast<int64_t>(resumes_.size()); }

  // --- questions, by what is committed.

  // Whether no write of the attempt may take effect any more, whatever happens.
  bool IsStale(int64_t attempt) const;
  bool IsAccepted(AttemptId attempt) const;
  struct Token {
    AttemptId attempt;
    std::string token;
  };
  // Attempts in order of their ids.
  std::vector<Token> StaleTokens() const;
  std::vector<Token> OpenTokens() const;
  std::vector<Token> LostTokens() const;  // that may be revived
  // Whether its job is not over.
  bool IsContested(AttemptId attempt) const;
  // The name and the session of the worker that it was given to; empty if it does not exist.
  std::string WorkerOf(AttemptId attempt) const;
  std::string SessionOf(AttemptId attempt) const;

  // Objects to what the tables of files and attempts hold and nobody was entitled to.
  void CheckRows(Db& db);

 private:
  struct Known {
    int64_t job = 0;
    int64_t sweep = 0;
    int64_t worker = 0;
    int64_t bundle = 0;
    std::string token;
    std::string session;  // of the worker when it was claimed
    AttemptState state = AttemptState::kOpen;
  };
  struct Worker {
    std::string name, session;
    int64_t slots = 0;
  };
  struct Books {
    std::map<int64_t, Known> attempts;
    std::map<int64_t, int64_t> newest;    // attempt, by job
    std::map<int64_t, int64_t> accepted;  // attempt, by job
    std::set<int64_t> over;               // jobs
    std::map<int64_t, Worker> workers;
    std::set<std::pair<std::string, std::string>> superseded;  // names and sessions
    // Checkpoints that were recorded: their epochs, by job and SHA-256.
    std::map<std::pair<int64_t, std::string>, int64_t> checkpoints;
  };

  const Books& committed() const { return before_ ? *before_ : books_; }
  Books& Change();
  Books Read(Db& db);
  // Objects unless it is open with this token.
  Known* FindOpen(const char* what, AttemptId attempt, const std::string& token);
  static bool IsStale(const Books& books, int64_t attempt);
  // Whether the worker of this name holds it with this token, open or not.
  Known* FindOf(const std::string& worker, AttemptId attempt, const std::string& token);
  void CheckOffer(const Books& books, const ClaimedJob& claimed);
  void CheckAnswer(const SyncInput& input, const SyncOutput& output);
  void CheckBurden(const SyncInput& input);
  void EverybodyIsHeard();

  const EventQueue* const events_;
  const absl::Duration lease_;
  std::vector<std::string> violations_;
  Books books_;
  std::optional<Books> before_;  // the batch, once it has changed anything
  absl::Duration last_batch_ = -absl::InfiniteDuration();

  std::map<int64_t, absl::Duration> heard_;  // by attempt: its lease was renewed
  std::set<std::pair<std::string, std::string>>
      superseded_;  // name and session; whatever became of the batch
  std::map<std::pair<std::string, std::string>, uint64_t>
      sync_seq_;  // the highest, since the coordinator loaded
  std::set<std::tuple<int64_t, int64_t, std::string>>
      entitled_;                                      // attempt, epoch, checkpoint; whatever became of it
  std::set<std::pair<int64_t, std::string>> models_;  // job, model; likewise
  std::map<int64_t, int64_t> resumes_;                // epochs, by attempt

  // Of the exchange under way.
  std::vector<bool> held_before_;
  int64_t claimed_ = 0;
};

}  // namespace gridsweep
