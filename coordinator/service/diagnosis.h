// What `gridsweep doctor` is told: findings about the files, in words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

enum class CheckState { kOk, kWarning, kBad };
std::string_view CheckStateName(CheckState state);  // "ok", "warning", "bad"

struct Check {
  std::string name;
  CheckState state = CheckState::kOk;
  std::string text;
};

// Pure. `trouble`: that of the writer, if there is one.
std::vector<Check> Diagnose(const StoreExamination& found, const std::optional<WriteTrouble>& trouble,
                            absl::Time now);

// Whether this version of SQLite ("3.40.1") has the fix for two connections that write or checkpoint one WAL at once: 3.51.3
// and later, 3.50.7 and later of 3.50, 3.44.6 and later of 3.44.
bool HasWalResetFix(std::string_view version);

}  // namespace gridsweep
