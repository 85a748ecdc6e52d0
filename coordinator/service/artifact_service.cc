#include "coordinator/service/artifact_service.h"

#include <grpcpp/server_context.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/artifact_offer.h"

namespace gridsweep {
namespace {

constexpr std::chrono::minutes kLongestCall{10};

absl::Status CheckDeadline(const grpc::CallbackServerContext& context) {
  if (context.deadline() <= std::chrono::system_clock::now() + kLongestCall) return absl::OkStatus();
  return InvalidArgument("a transfer needs a deadline of at most {} minutes", kLongestCall.count());
}

// Lives until gRPC is done with it and nothing that it has posted is left.
class PutReactor : public grpc::ServerReadReactor<v1::PutArtifactRequest>,
                   public std::enable_shared_from_this<PutReactor> {
 public:
  PutReactor(const ArtifactParts& parts, v1::PutArtifactResponse* response)
      : parts_(parts), response_(response) {}

  void Begin(const absl::Status& refused) {
    self_ = shared_from_this();
    if (!refused.ok()) return End(refused);
    Read();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!offer_) {
      if (!ok || !request_.has_header()) return End(InvalidArgument("a file begins with its header"));
      absl::StatusOr<ArtifactOffer> offer = OfferFromProto(request_.header());
      if (!offer.ok()) return End(offer.status());
      offer_ = *std::move(offer);
      return Ask();
    }
    if (ok && !request_.has_data()) return End(InvalidArgument("a header in the middle of a file"));
    parts_.disk->Post([self = shared_from_this(), ok] { ok ? self->Write() : self->Complete(); });
  }
  void OnCancel() override { End(absl::CancelledError("the transfer was cut off")); }
  void OnDone() override { const std::shared_ptr<PutReactor> last = std::move(self_); }

  void Read() {
    const std::lock_guard lock(mu_);
    if (!finished_) StartRead(&request_);
  }
  void End(const absl::Status& status, bool wanted = false) {
    const std::lock_guard lock(mu_);
    if (std::exchange(finished_, true)) return;
    response_->set_wanted(wanted);
    Finish(status.ok() ? grpc::Status::OK : ToGrpc(status));
  }
  bool IsFinished() {
    const std::lock_guard lock(mu_);
    return finished_;
  }

  void Ask() {
    const auto wanted = std::make_shared<bool>(false);
    parts_.loop->Post(
        [self = shared_from_this(), wanted](JobQueue&, const Instant&) -> absl::Status {
          GS_ASSIGN_OR_RETURN(*wanted, IsWanted(*self->parts_.store, *self->offer_));
          return absl::OkStatus();
        },
        [self = shared_from_this(), wanted](const absl::Status& status) {
          if (!status.ok() || !*wanted) return self->End(status);
          self->parts_.disk->Post([self] { self->Receive(); });
        });
  }

  // --- on the disk thread

  void Receive() {
    if (IsFinished()) return;
    if (std::optional<ArtifactFolder::Pin> found = parts_.folder->Find(offer_->sha256))
      pin_.emplace(*std::move(found));
    if (pin_ || (!offer_->is_model && offer_->bytes > kMaxCheckpointBytes)) return RecordIt(false);
    auto incoming = parts_.folder->Receive(offer_->sha256, offer_->bytes);
    if (absl::IsResourceExhausted(incoming.status())) {
      parts_.collect();
      incoming = parts_.folder->Receive(offer_->sha256, offer_->bytes);
    }
    if (!incoming.ok()) return End(incoming.status());
    incoming_ = *std::move(incoming);
    Read();
  }
  void Write() {
    if (IsFinished()) return;
    if (const absl::Status written = incoming_->Write(request_.data()); !written.ok()) return End(written);
    Read();
  }
  void Complete() {
    if (IsFinished()) return;
    auto pin = incoming_->Finish();
    if (!pin.ok()) return End(pin.status());
    pin_.emplace(*std::move(pin));
    RecordIt(true);
  }

  void RecordIt(bool wanted) {
    parts_.loop->Post(
        [self = shared_from_this()](JobQueue&, const Instant& now) {
          return RecordOffer(*self->parts_.store, *self->offer_, now.wall);
        },
        [self = shared_from_this(), wanted](const absl::Status& status) {
          self->LogRecord(status);
          self->End(status, wanted);
        });
  }
  void LogRecord(const absl::Status& status) const {
    Log(status.ok() ? LogLevel::kInfo : LogLevel::kWarning, "artifact_recorded",
        {{"kind", offer_->is_model ? "model" : "checkpoint"},
         {"sha256", offer_->sha256},
         {"bytes", offer_->bytes},
         {"attempt", offer_->claims.front().attempt.value},
         {"claims", offer_->claims.size()},
         {"worker", offer_->worker},
         LogField::IfAny("error", Message(status))});
  }

  const ArtifactParts parts_;
  v1::PutArtifactResponse* const response_;
  std::shared_ptr<PutReactor> self_;  // until OnDone

  // Used by one step at a time, each of which begins the next.
  v1::PutArtifactRequest request_;
  std::optional<ArtifactOffer> offer_;
  std::unique_ptr<ArtifactFolder::Incoming> incoming_;
  std::optional<ArtifactFolder::Pin> pin_;  // until the file is recorded

  std::mutex mu_;
  bool finished_ = false;  // guarded by mu_
};

// Likewise.
class GetReactor : public grpc::ServerWriteReactor<v1::ArtifactChunk>,
                   public std::enable_shared_from_this<GetReactor> {
 public:
  GetReactor(const ArtifactParts& parts, std::string sha256) : parts_(parts), sha256_(std::move(sha256)) {}

  void Begin(const absl::Status& refused) {
    self_ = shared_from_this();
    if (!refused.ok()) return End(refused);
    parts_.disk->Post([self = self_] { self->Send(); });
  }

 private:
  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::CancelledError("the transfer was cut off"));
    parts_.disk->Post([self = shared_from_this()] { self->Send(); });
  }
  void OnCancel() override { End(absl::CancelledError("the transfer was cut off")); }
  void OnDone() override { const std::shared_ptr<GetReactor> last = std::move(self_); }

  // On the disk thread.
  void Send() {
    const absl::Status status = NextPiece();
    if (!status.ok()) {
      if (absl::IsDataLoss(status)) Log(LogLevel::kError, "artifact_damaged", {{"error", Message(status)}});
      return End(status);
    }
    if (chunk_.data().empty()) return End(absl::OkStatus());
    const std::lock_guard lock(mu_);
    if (!finished_) StartWrite(&chunk_);
  }
  absl::Status NextPiece() {
    chunk_.set_total(0);
    if (file_ == nullptr) {
      GS_ASSIGN_OR_RETURN(file_, parts_.folder->Read(sha256_));
      chunk_.set_total(file_->bytes());
    }
    GS_ASSIGN_OR_RETURN(*chunk_.mutable_data(), file_->Next(kArtifactPiece));
    return absl::OkStatus();
  }
  void End(const absl::Status& status) {
    const std::lock_guard lock(mu_);
    if (!std::exchange(finished_, true)) Finish(status.ok() ? grpc::Status::OK : ToGrpc(status));
  }

  const ArtifactParts parts_;
  const std::string sha256_;
  std::shared_ptr<GetReactor> self_;  // until OnDone

  // Used by one step at a time, each of which begins the next.
  std::unique_ptr<ArtifactFolder::Outgoing> file_;
  v1::ArtifactChunk chunk_;

  std::mutex mu_;
  bool finished_ = false;  // guarded by mu_
};

}  // namespace

grpc::ServerReadReactor<v1::PutArtifactRequest>* ReceiveArtifact(const ArtifactParts& parts,
                                                                 grpc::CallbackServerContext* context,
                                                                 v1::PutArtifactResponse* response) {
  const auto reactor = std::make_shared<PutReactor>(parts, response);
  reactor->Begin(CheckDeadline(*context));
  return reactor.get();
}

grpc::ServerWriteReactor<v1::ArtifactChunk>* SendArtifact(const ArtifactParts& parts,
                                                          grpc::CallbackServerContext* context,
                                                          const v1::GetArtifactRequest& request) {
  const auto reactor = std::make_shared<GetReactor>(parts, request.sha256());
  reactor->Begin(CheckDeadline(*context));
  return reactor.get();
}

}  // namespace gridsweep
