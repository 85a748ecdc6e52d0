#include "tests/simulation/sim_artifacts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gridsweep/v1/worker_service.pb.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kCollect = absl::Seconds(30);  // as the coordinator's default
constexpr absl::Duration kBatch = absl::Milliseconds(4);
constexpr size_t kPieces = 3;
constexpr absl::Duration kFastPiece = absl::Microseconds(100), kSlowPiece = absl::Milliseconds(400);

}  // namespace

SimArtifacts::SimArtifacts(std::string path, int64_t limit, EventQueue* events, SimRandom* random,
                           Witness* witness, Post post, std::function<void()> on_death)
    : limit_(limit),
      events_(events),
      random_(random),
      witness_(witness),
      post_(std::move(post)),
      on_death_(std::move(on_death)),
      disk_(std::move(path)) {}

absl::Status SimArtifacts::Start(StoreReader* reader) {
  GS_ASSIGN_OR_RETURN(folder_, ArtifactFolder::Open(disk_.path(), limit_, disk_.Disk()));
  reader_ = reader;
  ++life_;
  CheckFiles("after a restart");
  Collect();
  bound_ = std::max(limit_, Bytes());
  return absl::OkStatus();
}

void SimArtifacts::Live() {
  die_before_row_ = false;
  if (!disk_.is_dead()) disk_.Die(FaultFolder::DieAt::kNever);
}

int64_t SimArtifacts::Bytes() const {
  int64_t bytes = 0;
  for (const auto& [sha256, size] : disk_.Files()) bytes += size;
  return bytes;
}

void SimArtifacts::Stop(bool power_loss) {
  disk_.Unplug();
  incoming_.clear();
  folder_ = nullptr;
  reader_ = nullptr;
  ++life_;
  die_before_row_ = false;
  disk_.Plug();
  if (power_loss) disk_.LoseUnsynced(*random_);
}

void SimArtifacts::Collect() {
  if (folder_ == nullptr) return;
  Sweep();
  events_->After(kCollect, [this, life = life_] {
    if (life == life_) Collect();
  });
}

void SimArtifacts::Sweep() {
  // An error is one of the database's disk, and it is tried again.
  (void)folder_->Collect([this] { return reader_->ReferencedArtifacts(); });
}

bool SimArtifacts::Damage() {
  if (reader_ == nullptr) return false;
  const auto referenced = reader_->ReferencedArtifacts();
  const std::map<std::string, int64_t> files = disk_.Files();
  std::vector<std::string> candidates;
  if (referenced.ok()) {
    for (const std::string& sha256 : *referenced) {
      if (files.contains(sha256)) candidates.push_back(sha256);
    }
  }
  if (candidates.empty()) return false;
  const std::string& chosen = candidates[static_cast<size_t>(random_->Below(std::ssize(candidates)))];
  damaged_.insert(chosen);
  disk_.Damage(chosen, random_->Chance(0.5));
  return true;
}

// --- in, as PutArtifact does it

void SimArtifacts::Then(uint64_t id, absl::Duration delay, void (SimArtifacts::*what)(uint64_t)) {
  events_->After(delay, [this, id, what] {
    if (incoming_.contains(id)) (this->*what)(id);
  });
}

bool SimArtifacts::Died() {
  if (!disk_.is_dead()) return false;
  // Not here: the folder is in use.
  events_->After(absl::ZeroDuration(), [this, life = life_] {
    if (life == life_) on_death_();
  });
  return true;
}

void SimArtifacts::Put(const std::string& header, const std::string& data, const Reply& reply) {
  v1::ArtifactHeader proto;
  if (!proto.ParseFromString(header)) return reply(absl::InternalError("not a header"));
  absl::StatusOr<ArtifactOffer> offer = OfferFromProto(proto);
  if (!offer.ok()) return reply(offer.status());
  const uint64_t id = next_++;
  Incoming& incoming = incoming_[id];
  incoming.offer = *std::move(offer);
  incoming.data = data;
  incoming.reply = reply;
  const auto wanted = std::make_shared<bool>(false);
  post_(
      [wanted, offer = incoming.offer](Store& store, absl::Time) -> absl::Status {
        GS_ASSIGN_OR_RETURN(*wanted, IsWanted(store, offer));
        return absl::OkStatus();
      },
      [this, id, wanted](const absl::Status& status) {
        if (!status.ok() || !*wanted) return End(id, status);
        Then(id, absl::ZeroDuration(), &SimArtifacts::Receive);
      });
}

void SimArtifacts::Receive(uint64_t id) {
  Incoming& incoming = incoming_.at(id);
  const ArtifactOffer& offer = incoming.offer;
  if (std::optional<ArtifactFolder::Pin> found = folder_->Find(offer.sha256))
    incoming.pin.emplace(*std::move(found));
  if (incoming.pin || (!offer.is_model && offer.bytes > kMaxCheckpointBytes)) return Record(id);
  auto file = folder_->Receive(offer.sha256, offer.bytes);
  if (absl::IsResourceExhausted(file.status())) {
    Sweep();
    file = folder_->Receive(offer.sha256, offer.bytes);
  }
  if (!file.ok()) return End(id, file.status());
  incoming.file = *std::move(file);
  Write(id);
}

void SimArtifacts::Write(uint64_t id) {
  Incoming& incoming = incoming_.at(id);
  if (random_->Chance(cuts_ / kPieces)) return End(id, absl::UnavailableError("the transfer was cut off"));
  const std::string piece = incoming.data.substr(incoming.sent, incoming.data.size() / kPieces + 1);
  if (piece.empty()) return Complete(id);
  incoming.sent += piece.size();
  if (const absl::Status written = incoming.file->Write(piece); !written.ok()) return End(id, written);
  Then(id, random_->Between(kFastPiece, kSlowPiece), &SimArtifacts::Write);
}

void SimArtifacts::Complete(uint64_t id) {
  Incoming& incoming = incoming_.at(id);
  auto pin = incoming.file->Finish();
  if (Died()) return;
  if (const int64_t bytes = Bytes(); bytes > bound_)
    witness_->Object(fmt::format("the files have {} bytes, more than {}", bytes, bound_));
  if (!pin.ok()) return End(id, pin.status());
  incoming.pin.emplace(*std::move(pin));
  if (std::exchange(die_before_row_, false)) {
    events_->After(absl::ZeroDuration(), [this, life = life_] {
      if (life == life_) on_death_();
    });
    return;
  }
  Record(id);
}

void SimArtifacts::Record(uint64_t id) {
  // Another transfer that wants room may come between the file and its row.
  if (random_->Chance(cuts_)) {
    events_->After(random_->Between(absl::ZeroDuration(), kBatch), [this, life = life_] {
      if (life == life_) Sweep();
    });
  }
  post_([offer = incoming_.at(id).offer](Store& store,
                                         absl::Time now) { return RecordOffer(store, offer, now); },
        [this, id](const absl::Status& status) {
          stored_ += status.ok() ? 1 : 0;
          End(id, status);
        });
}

void SimArtifacts::End(uint64_t id, const absl::Status& status) {
  const auto found = incoming_.find(id);
  if (found == incoming_.end()) return;
  const Reply reply = std::move(found->second.reply);
  incoming_.erase(found);
  reply(status.ok() ? SimNetwork::Answer(std::string()) : SimNetwork::Answer(status));
}

// --- out, as GetArtifact does it

void SimArtifacts::Get(const std::string& sha256, const Reply& reply) {
  if (folder_ == nullptr) return;
  const auto read = [&]() -> absl::StatusOr<std::string> {
    GS_ASSIGN_OR_RETURN(const auto file, folder_->Read(sha256));
    std::string data;
    while (true) {
      GS_ASSIGN_OR_RETURN(const std::string piece, file->Next(file->bytes() / kPieces + 1));
      if (piece.empty()) return data;
      data += piece;
    }
  };
  reply(read());
}

// --- checks

void SimArtifacts::CheckFiles(const char* when) {
  const auto referenced = reader_->ReferencedArtifacts();
  if (!referenced.ok())
    return witness_->Object("the references cannot be read: " + Message(referenced.status()));
  for (const std::string& sha256 : *referenced) {
    if (!damaged_.contains(sha256) && !disk_.IsWhole(sha256))
      witness_->Object(fmt::format("a file that was recorded is gone or damaged {}: {}", when, sha256));
  }
  if (const int64_t bytes = Bytes(); folder_->bytes() < bytes && damaged_.empty())
    witness_->Object(
        fmt::format("the files have {} bytes {}, {} are counted", bytes, when, folder_->bytes()));
}

void SimArtifacts::CheckAtEnd() {
  incoming_.clear();
  Collect();
  CheckFiles("at the end");
  const auto referenced = reader_->ReferencedArtifacts();
  for (const auto& [sha256, size] : disk_.Files()) {
    if (referenced.ok() && !referenced->contains(sha256))
      witness_->Object("a file without a row is left at the end: " + sha256);
  }
}

}  // namespace gridsweep
