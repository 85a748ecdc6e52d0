// Checkpoints and models of the fake trainer: small files by content, as docs/trainer-protocol.md has them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/status.h"
#include "tests/support/fake_trainer/numbers.h"

namespace gridsweep {

struct WrittenFile {
  std::string sha256;
  int64_t bytes = 0;
};

// After `epoch`, the last that was taken into account.
WrittenFile WriteCheckpoint(const std::string& folder, const RunningJob& running, int64_t epoch);
WrittenFile WriteModel(const std::string& folder, const RunningJob& running, int64_t epoch);

// Brings `running`, which has not begun, to where the checkpoint was written and returns the events of its epochs so far. On
// error it is as new: the file is missing, not what its name says, no checkpoint, or another job's.
absl::StatusOr<std::vector<Json>> GoOn(const std::string& folder, const std::string& sha256, int64_t attempt,
                                       RunningJob& running);

}  // namespace gridsweep
