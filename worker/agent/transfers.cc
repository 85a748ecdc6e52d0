#include "worker/agent/transfers.h"

#include <algorithm>
#include <utility>

namespace gridsweep::agent {
namespace {

constexpr int kModelTries = 10;

}  // namespace

void UploadQueue::Add(const TrainerFile& file, int64_t attempt, const std::string& token) {
  if (!file.is_model) ForgetCheckpoints(attempt);
  const ArtifactClaim claim{attempt, token, file.epoch};
  for (Waiting& waiting : waiting_) {
    if (waiting.upload.sha256 != file.sha256 || waiting.upload.is_model != file.is_model) continue;
    waiting.upload.claims.push_back(claim);
    return;
  }
  waiting_.push_back({.upload = {file.is_model, file.sha256, file.bytes, {claim}}});
}

void UploadQueue::ForgetCheckpoints(int64_t attempt) {
  for (Waiting& waiting : waiting_) {
    if (waiting.upload.is_model) continue;
    std::erase_if(waiting.upload.claims,
                  [&](const ArtifactClaim& claim) { return claim.attempt == attempt; });
  }
  std::erase_if(waiting_, [](const Waiting& waiting) { return waiting.upload.claims.empty(); });
}

std::optional<UploadArtifact> UploadQueue::Take(absl::Duration now) {
  if (under_way_) return std::nullopt;
  const auto first = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& waiting) { return waiting.due <= now; });
  if (first == waiting_.end()) return std::nullopt;
  under_way_ = std::move(*first);
  waiting_.erase(first);
  return under_way_->upload;
}

void UploadQueue::Done(absl::Duration now, const absl::Status& status, bool retry, double jitter) {
  if (!under_way_) return;
  Waiting done = *std::exchange(under_way_, std::nullopt);
  const bool is_away = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  if (!done.upload.is_model || !is_away || !retry || ++done.tries >= kModelTries) return;
  done.due = now + BackoffDelay(retry_, done.tries, jitter);
  waiting_.push_back(std::move(done));
}

absl::Duration UploadQueue::NextDue() const {
  absl::Duration next = absl::InfiniteDuration();
  if (under_way_) return next;
  for (const Waiting& waiting : waiting_) next = std::min(next, waiting.due);
  return next;
}

bool UploadQueue::HasModels() const {
  return (under_way_ && under_way_->upload.is_model) ||
         std::any_of(waiting_.begin(), waiting_.end(),
                     [](const Waiting& waiting) { return waiting.upload.is_model; });
}

void UploadQueue::AddReferenced(std::set<std::string>& files) const {
  for (const Waiting& waiting : waiting_) files.insert(waiting.upload.sha256);
  if (under_way_) files.insert(under_way_->upload.sha256);
}

std::optional<std::string> WaitingStart::Wanted() const {
  for (const RunItem& item : items_) {
    if (!item.resume.empty() && !here_.contains(item.resume.front())) return item.resume.front();
  }
  return std::nullopt;
}

void WaitingStart::Note(const std::string& sha256, bool is_here) {
  if (is_here) {
    here_.insert(sha256);
    return;
  }
  for (RunItem& item : items_) std::erase(item.resume, sha256);
}

void WaitingStart::Forget(int64_t attempt) {
  std::erase_if(items_, [&](const RunItem& item) { return item.attempt == attempt; });
}

}  // namespace gridsweep::agent
