// A file that a worker offers: whether it is wanted, and its record. Decisions of PutArtifact, without its stream.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/status.h"
#include "coordinator/store/store.h"
#include "gridsweep/v1/worker_service.pb.h"

namespace gridsweep {

// A checkpoint of more is not taken: it is recorded, for the worker that has it.
inline constexpr int64_t kMaxCheckpointBytes = 16 << 20;

// What the header of an offer says.
struct ArtifactOffer {
  bool is_model = false;
  std::string worker;
  std::string sha256;
  int64_t bytes = 0;
  std::vector<ArtifactClaim> claims;
};

// INVALID_ARGUMENT for what no worker would send.
absl::StatusOr<ArtifactOffer> OfferFromProto(const v1::ArtifactHeader& header);

// Whether the file is news to one of the claims. ABORTED if none of them is entitled to it.
absl::StatusOr<bool> IsWanted(Store& store, const ArtifactOffer& offer);
// For every claim that is entitled to it; ABORTED if there is none. The file is to be durable by then.
absl::Status RecordOffer(Store& store, const ArtifactOffer& offer, absl::Time now);

}  // namespace gridsweep
