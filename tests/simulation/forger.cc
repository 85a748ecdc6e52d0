#include "tests/simulation/forger.h"

#include <optional>
#include <vector>

#include "tests/support/fake_trainer/numbers.h"

namespace gridsweep {
namespace {

constexpr char kStranger[] = "mallory";

struct Forgery {
  AttemptId attempt;
  std::string token;        // that it comes with
  std::string right_token;  // the attempt's, to find out what would be expected next
  bool is_stale = false;    // over, with its own token
};

// Either an attempt that is over, with its own token; or one that is open or may be revived, with that of one that is over or
// with none of anybody's.
std::optional<Forgery> Choose(const Witness& witness, SimRandom& random) {
  std::vector<Witness::Token> stale = witness.StaleTokens();
  std::vector<Witness::Token> current = random.Chance(0.3) ? witness.LostTokens() : witness.OpenTokens();
  if (current.empty()) current = witness.OpenTokens();
  const auto any = [&](const std::vector<Witness::Token>& tokens) {
    return tokens[static_cast<size_t>(random.Below(std::ssize(tokens)))];
  };
  if (!stale.empty() && (current.empty() || random.Chance(0.5))) {
    // More can go wrong where a newer attempt is under way.
    std::vector<Witness::Token> contested = stale;
    std::erase_if(contested,
                  [&](const Witness::Token& token) { return !witness.IsContested(token.attempt); });
    const Witness::Token chosen = any(contested.empty() || random.Chance(0.3) ? stale : contested);
    return Forgery{chosen.attempt, chosen.token, chosen.token, true};
  }
  if (current.empty()) return std::nullopt;
  const Witness::Token chosen = any(current);
  const std::string token = stale.empty() || random.Chance(0.3) ? random.Hex32() : any(stale).token;
  return Forgery{chosen.attempt, token, chosen.token, false};
}

// The sweeps' own: another would be refused for what it is.
DatasetInfo Dataset() {
  return {.name = "tiny",
          .digest = FakeDigest("tiny"),
          .class_names = {"a", "b", "c"},
          .train_size = 60,
          .test_size = 30};
}

EpochMetrics ForgedEpoch(int64_t epoch) {
  EpochMetrics metrics;
  metrics.epoch = epoch;
  metrics.train_loss = metrics.test_loss = 0;
  metrics.train_accuracy = metrics.test_accuracy = 1;
  metrics.val_loss = 0;
  metrics.val_accuracy = 1;
  metrics.samples_per_second = kForgedSpeed;
  return metrics;
}

AttemptEnd ForgedEnd(SimRandom& random, absl::Time now) {
  AttemptEnd end;
  end.now = end.not_before = now;
  end.error = kForged;
  if (random.Chance(0.5)) {
    end.state = AttemptState::kSucceeded;
    end.job_state = JobState::kSucceeded;
  } else {
    end.state = AttemptState::kPreempted;
    end.job_state = JobState::kPending;
  }
  return end;
}

void ToStore(Store& store, const Forgery& forgery, uint64_t seq, bool is_accepted, SimRandom& random,
             absl::Time now) {
  const ArtifactClaim claim{forgery.attempt, forgery.token, 1};
  const EpochMetrics epoch = ForgedEpoch(static_cast<int64_t>(seq));
  switch (random.Below(7)) {
    case 0:
      (void)store.RecordStarted(forgery.attempt, forgery.token, seq, Dataset(), "cpu", kForged, 0);
      break;
    case 1:
      (void)store.RecordEpochs(forgery.attempt, forgery.token, seq, {&epoch, 1});
      break;
    case 2:
      (void)store.EndAttempt(forgery.attempt, forgery.token, random.Chance(0.5) ? 0 : seq,
                             ForgedEnd(random, now));
      break;
    case 3:
    case 6:
      (void)store.ReviveAttempt(forgery.attempt, forgery.token, now);
      break;
    case 4:
      (void)store.RecordCheckpoint({&claim, 1}, ForgedSha256(), 1, now);
      break;
    case 5:
      // A model comes after the end, so an accepted attempt may hand one in.
      (void)store.RecordModel({forgery.attempt, is_accepted ? random.Hex32() : forgery.token, 1},
                              ForgedSha256(), 1, now);
      break;
  }
}

SyncInput ForgedSync(const std::string& worker, const std::string& session, const Forgery& forgery,
                     uint64_t seq, SimRandom& random) {
  SyncInput input{.worker = worker, .session = session, .sync_seq = 0};
  AttemptEvents events{.attempt = forgery.attempt, .token = forgery.token, .events = {}};
  switch (random.Below(3)) {
    case 0:
      events.events.push_back({seq, AttemptStarted{Dataset(), "cpu", kForged, 0}});
      break;
    case 1:
      events.events.push_back({seq, ForgedEpoch(static_cast<int64_t>(seq))});
      break;
    case 2: {
      AttemptFinished finished;
      finished.outcome = random.Chance(0.5) ? AttemptState::kSucceeded : AttemptState::kPreempted;
      finished.error = kForged;
      events.events.push_back({seq, finished});
      break;
    }
  }
  if (random.Chance(0.5)) input.held.push_back({.attempt = forgery.attempt, .token = forgery.token});
  input.events.push_back(std::move(events));
  return input;
}

}  // namespace

std::string ForgedSha256() {
  return std::string(64, 'f');
}

void Forge(JobQueue& queue, Store& store, const Witness& witness, SimRandom& random, const Instant& now) {
  const std::optional<Forgery> forgery = Choose(witness, random);
  if (!forgery) return;
  const auto status = store.GetAttempt(forgery->attempt, forgery->right_token);
  // What is so by the books of the last commit may be otherwise within this batch.
  const bool is_over =
      status.ok() && status->state != AttemptState::kOpen && status->state != AttemptState::kLost;
  if (!status.ok() || (forgery->is_stale ? status->state == AttemptState::kOpen : is_over)) return;
  const uint64_t seq = status->attempt.stored_seq + 1;
  if (random.Chance(0.5))
    return ToStore(store, *forgery, seq, witness.IsAccepted(forgery->attempt), random, now.wall);
  const std::string& session = witness.SessionOf(forgery->attempt);
  if (!session.empty() && random.Chance(0.6)) {
    const std::string worker = witness.WorkerOf(forgery->attempt);
    (void)queue.Sync(ForgedSync(worker, session, *forgery, seq, random), now);
    return;
  }
  // One who has got hold of the right token, and is somebody else.
  SyncInput input =
      ForgedSync(kStranger, kStranger, {forgery->attempt, forgery->right_token, {}, false}, seq, random);
  input.info = WorkerInfo{.record = {.devices_json = "[]"}, .datasets = {}};
  (void)queue.Sync(input, now);
}

}  // namespace gridsweep
