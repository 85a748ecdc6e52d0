#include "tests/simulation/sim_transfers.h"

#include <utility>

#include "common/base/sha256.h"
#include "gridsweep/v1/worker_service.pb.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kFetchDeadline = absl::Minutes(2);
constexpr absl::Duration kReconnect = absl::Seconds(2);

}  // namespace

void SimTransfers::Begin(std::string session, Deliver deliver) {
  session_ = std::move(session);
  deliver_ = std::move(deliver);
  tasks_.clear();
  busy_ = false;
}

void SimTransfers::Add(std::function<void()> task) {
  tasks_.push_back(std::move(task));
  if (!busy_) Next();
}

void SimTransfers::Next() {
  busy_ = !tasks_.empty();
  if (!busy_) return;
  const std::function<void()> task = std::move(tasks_.front());
  tasks_.pop_front();
  task();
}

void SimTransfers::Finish(const Done& done, const absl::Status& status) {
  done(status);
  Next();
}

void SimTransfers::Upload(const agent::UploadArtifact& upload, Done done) {
  Add([this, upload, done = std::move(done)] {
    v1::ArtifactHeader header;
    header.set_worker(worker_);
    header.set_session(session_);
    header.set_kind(upload.is_model ? v1::ARTIFACT_MODEL : v1::ARTIFACT_CHECKPOINT);
    header.set_sha256(upload.sha256);
    header.set_bytes(upload.bytes);
    for (const agent::ArtifactClaim& claim : upload.claims) {
      v1::ArtifactClaim& added = *header.add_claims();
      added.set_attempt(claim.attempt);
      added.set_token(claim.token);
      added.set_epoch(claim.epoch);
    }
    const std::string first = header.SerializeAsString();
    const auto file = files_.find(upload.sha256);
    if (file == files_.end()) {
      events_->After(absl::ZeroDuration(), [this, deliver = deliver_, done] {
        deliver([this, done] { Finish(done, NotFound("there is no such file")); });
      });
      return;
    }
    network_->Call(worker_, fmt::format("{}{:08x}{}{}", kPutTag, first.size(), first, file->second),
                   [this, deliver = deliver_, done](const SimNetwork::Answer& answer) {
                     deliver([this, done, status = answer.status()] { Finish(done, status); });
                   });
  });
}

void SimTransfers::Fetch(const std::string& sha256, Done done) {
  Add([this, sha256, done = std::move(done)] {
    if (Read(sha256).ok()) {
      events_->After(absl::ZeroDuration(), [this, deliver = deliver_, done] {
        deliver([this, done] { Finish(done, absl::OkStatus()); });
      });
      return;
    }
    files_.erase(sha256);
    Download(sha256, events_->now() + kFetchDeadline, done);
  });
}

void SimTransfers::Download(const std::string& sha256, absl::Duration deadline, const Done& done) {
  network_->Call(worker_, kGetTag + sha256,
                 [this, sha256, deadline, done, deliver = deliver_](const SimNetwork::Answer& answer) {
                   deliver([this, sha256, deadline, done, deliver, answer] {
                     if (absl::IsUnavailable(answer.status()) && events_->now() < deadline) {
                       events_->After(kReconnect, [this, sha256, deadline, done, deliver] {
                         deliver([this, sha256, deadline, done] { Download(sha256, deadline, done); });
                       });
                       return;
                     }
                     if (!answer.ok()) return Finish(done, answer.status());
                     if (Sha256Hex(*answer) != sha256) return Finish(done, DataLoss("other bytes arrived"));
                     files_[sha256] = *answer;
                     Finish(done, absl::OkStatus());
                   });
                 });
}

void SimTransfers::Drop(const std::string& sha256) {
  Add([this, sha256] {
    files_.erase(sha256);
    Next();
  });
}

std::string SimTransfers::Write(const std::string& content) {
  std::string sha256 = Sha256Hex(content);
  files_[sha256] = content;
  return sha256;
}

absl::StatusOr<std::string> SimTransfers::Read(const std::string& sha256) const {
  const auto file = files_.find(sha256);
  if (file == files_.end()) return NotFound("there is no file {}", sha256);
  if (Sha256Hex(file->second) != sha256) return DataLoss("the file {} is damaged", sha256);
  return file->second;
}

void SimTransfers::DamageFiles() {
  for (auto& [sha256, content] : files_) {
    if (random_->Chance(0.5)) content[content.size() / 2] ^= 1;
  }
}

}  // namespace gridsweep
