// Which of the trainers' files go to the coordinator and which come from it, one at a time: decisions only.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/backoff.h"
#include "common/base/status.h"
#include "worker/agent/trainer_events.h"

namespace gridsweep::agent {

struct ArtifactClaim {
  int64_t attempt = 0;
  std::string token;
  int64_t epoch = 0;
};

// What the outside has to do. The outcome of the first two is to be reported.
struct UploadArtifact {
  bool is_model = false;
  std::string sha256;
  int64_t bytes = 0;
  std::vector<ArtifactClaim> claims;
};
struct FetchArtifact {  // unless it is here and sound
  std::string sha256;
};
struct DropArtifact {  // nobody needs it any more
  std::string sha256;
};

// Uploads in order; of an attempt only its newest checkpoint. A checkpoint that fails is forgotten, as the next one comes; a
// model is tried again while the coordinator is away. Not thread-safe.
class UploadQueue {
 public:
  explicit UploadQueue(BackoffPolicy retry) : retry_(retry) {}

  void Add(const TrainerFile& file, int64_t attempt, const std::string& token);
  // Its checkpoints are of no use any more.
  void ForgetCheckpoints(int64_t attempt);

  // The upload to begin now, if none is under way.
  std::optional<UploadArtifact> Take(absl::Duration now);
  // Of the one that was taken last. `retry`: whether a model may be tried again; `jitter` in [0, 1).
  void Done(absl::Duration now, const absl::Status& status, bool retry, double jitter);

  // When Take has something; InfiniteDuration while an upload is under way, or for ever.
  absl::Duration NextDue() const;
  bool HasModels() const;  // also under way
  void AddReferenced(std::set<std::string>& files) const;

 private:
  struct Waiting {
    UploadArtifact upload;
    absl::Duration due = -absl::InfiniteDuration();
    int tries = 0;
  };

  const BackoffPolicy retry_;
  std::deque<Waiting> waiting_;
  std::optional<Waiting> under_way_;
};

// Jobs that are leased together and cannot begin before it is known what each goes on from. Not thread-safe.
class WaitingStart {
 public:
  // `items` with all their checkpoints in `resume`.
  WaitingStart(size_t device, std::vector<RunItem> items) : device_(device), items_(std::move(items)) {}

  size_t device() const { return device_; }
  const std::vector<RunItem>& items() const { return items_; }

  // The file that is to be fetched next; nullopt once all is known.
  std::optional<std::string> Wanted() const;
  // A file that cannot be had is taken out of every item; one that is here settles those that have it first.
  void Note(const std::string& sha256, bool is_here);
  void Forget(int64_t attempt);
  // REQUIRES: nothing is wanted.
  std::vector<RunItem> Take() { return std::move(items_); }

 private:
  size_t device_;
  std::vector<RunItem> items_;
  std::set<std::string> here_;
};

}  // namespace gridsweep::agent
