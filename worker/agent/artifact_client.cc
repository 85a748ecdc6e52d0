#include "worker/agent/artifact_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <fstream>
#include <utility>

#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"

namespace gridsweep::agent {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr int64_t kMaxBytes = 64 << 20;
constexpr int kFetches = 3;
// What the folder may hold of files that nobody here needs at present.
constexpr int64_t kFolderBytes = int64_t{2} << 30;
constexpr absl::Duration kFolderAge = absl::Hours(7 * 24);

}  // namespace

ArtifactClient::ArtifactClient(const std::shared_ptr<grpc::Channel>& channel, CheckpointFolder folder,
                               std::string worker, std::string session)
    : stub_(v1::WorkerService::NewStub(channel)),
      folder_(std::move(folder)),
      worker_(std::move(worker)),
      session_(std::move(session)),
      thread_([this] { Run(); }) {}

ArtifactClient::~ArtifactClient() {
  {
    const std::lock_guard lock(mu_);
    stopping_ = true;
    if (call_ != nullptr) call_->TryCancel();
  }
  wake_.notify_one();
  thread_.join();
}

void ArtifactClient::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(mu_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void ArtifactClient::Run() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mu_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

bool ArtifactClient::Register(grpc::ClientContext* context) {
  const std::lock_guard lock(mu_);
  call_ = context;
  return !stopping_;
}

void ArtifactClient::Upload(const UploadArtifact& upload, Done done) {
  Post([this, upload, done = std::move(done)] { done(DoUpload(upload)); });
}

void ArtifactClient::Fetch(const std::string& sha256, Done done) {
  Post([this, sha256, done = std::move(done)] { done(DoFetch(sha256)); });
}

void ArtifactClient::Drop(const std::string& sha256) {
  Post([this, sha256] { folder_.Remove(sha256); });
}

void ArtifactClient::Prune(const std::set<std::string>& needed) {
  Post([this, needed] { folder_.Prune(needed, kFolderBytes, kFolderAge); });
}

absl::Status ArtifactClient::DoUpload(const UploadArtifact& upload) {
  std::ifstream file(folder_.FileOf(upload.sha256), std::ios::binary);
  if (!file) return NotFound("there is no file {}", upload.sha256);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
  if (!Register(&context)) return absl::CancelledError("the worker ends");
  v1::PutArtifactResponse response;
  const auto writer = stub_->PutArtifact(&context, &response);
  v1::PutArtifactRequest request;
  v1::ArtifactHeader& header = *request.mutable_header();
  header.set_worker(worker_);
  header.set_session(session_);
  header.set_kind(upload.is_model ? v1::ARTIFACT_MODEL : v1::ARTIFACT_CHECKPOINT);
  header.set_sha256(upload.sha256);
  header.set_bytes(upload.bytes);
  for (const ArtifactClaim& claim : upload.claims) {
    v1::ArtifactClaim& added = *header.add_claims();
    added.set_attempt(claim.attempt);
    added.set_token(claim.token);
    added.set_epoch(claim.epoch);
  }
  bool goes_on = writer->Write(request);
  while (goes_on) {
    std::string& data = *request.mutable_data();
    data.resize(kPiece);
    file.read(data.data(), static_cast<std::streamsize>(data.size()));
    data.resize(static_cast<size_t>(file.gcount()));
    if (data.empty()) break;
    goes_on = writer->Write(request);
  }
  // Also when the coordinator has answered before the end: then this has no effect.
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  Register(nullptr);
  return status.ok() ? absl::OkStatus() : FromGrpc(status);
}

absl::Status ArtifactClient::DoFetch(const std::string& sha256) {
  if (folder_.Check(sha256).ok()) return absl::OkStatus();
  absl::Status status;
  for (int i = 0; i < kFetches; ++i) {
    status = Download(sha256);
    if (!absl::IsUnavailable(status)) break;
  }
  return status;
}

absl::Status ArtifactClient::Download(const std::string& sha256) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
  context.set_wait_for_ready(true);
  if (!Register(&context)) return absl::CancelledError("the worker ends");
  v1::GetArtifactRequest request;
  request.set_sha256(sha256);
  const auto reader = stub_->GetArtifact(&context, request);
  int64_t received = 0;
  grpc::Status end;
  const absl::Status added = folder_.Add(sha256, [&]() -> absl::StatusOr<std::string> {
    v1::ArtifactChunk chunk;
    while (reader->Read(&chunk)) {
      received += static_cast<int64_t>(chunk.data().size());
      if (received > kMaxBytes) return ResourceExhausted("the file {} is too large", sha256);
      if (!chunk.data().empty()) return std::move(*chunk.mutable_data());
    }
    end = reader->Finish();
    if (!end.ok()) return FromGrpc(end);
    return std::string();
  });
  if (received > kMaxBytes) {
    context.TryCancel();
    reader->Finish();
  }
  Register(nullptr);
  return added;
}

}  // namespace gridsweep::agent
