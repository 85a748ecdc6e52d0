#include "coordinator/service/artifact_offer.h"

#include "coordinator/artifacts/artifact_folder.h"

namespace gridsweep {
namespace {

constexpr int kMaxClaims = 256;

}  // namespace

absl::StatusOr<ArtifactOffer> OfferFromProto(const v1::ArtifactHeader& header) {
  ArtifactOffer offer{.is_model = header.kind() == v1::ARTIFACT_MODEL,
                      .worker = header.worker(),
                      .sha256 = header.sha256(),
                      .bytes = header.bytes(),
                      .claims = {}};
  if (!offer.is_model && header.kind() != v1::ARTIFACT_CHECKPOINT)
    return InvalidArgument("unknown kind of file {}", static_cast<int>(header.kind()));
  if (!IsSha256(offer.sha256)) return InvalidArgument("the header's SHA-256 is not 64 lower-case hex digits");
  if (offer.bytes < 1 || offer.bytes > kMaxArtifactBytes)
    return InvalidArgument("a file of {} bytes is not taken, expected 1 to {}", offer.bytes,
                           kMaxArtifactBytes);
  if (header.claims().empty() || header.claims_size() > kMaxClaims)
    return InvalidArgument("{} claims, expected 1 to {}", header.claims_size(), kMaxClaims);
  for (const v1::ArtifactClaim& claim : header.claims()) {
    if (claim.epoch() < 1) return InvalidArgument("a claim for epoch {}, expected at least 1", claim.epoch());
    offer.claims.push_back({AttemptId{claim.attempt()}, claim.token(), claim.epoch()});
  }
  return offer;
}

absl::StatusOr<bool> IsWanted(Store& store, const ArtifactOffer& offer) {
  if (!offer.is_model) return store.WantsCheckpoint(offer.claims);
  absl::StatusOr<bool> last = false;
  for (const ArtifactClaim& claim : offer.claims) {
    last = store.WantsModel(claim);
    if (last.ok() && *last) return true;
    if (!last.ok() && !absl::IsAborted(last.status())) return last;
  }
  return last;
}

absl::Status RecordOffer(Store& store, const ArtifactOffer& offer, absl::Time now) {
  if (!offer.is_model) return store.RecordCheckpoint(offer.claims, offer.sha256, offer.bytes, now);
  absl::Status refused;
  size_t recorded = 0;
  for (const ArtifactClaim& claim : offer.claims) {
    const absl::Status status = store.RecordModel(claim, offer.sha256, offer.bytes, now);
    if (!status.ok() && !absl::IsAborted(status)) return status;
    if (status.ok()) {
      ++recorded;
    } else {
      refused = status;
    }
  }
  return recorded > 0 ? absl::OkStatus() : refused;
}

}  // namespace gridsweep
