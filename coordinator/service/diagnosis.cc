#include "coordinator/service/diagnosis.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/results/format_number.h"
#include "coordinator/service/sweep_status.h"

namespace gridsweep {
namespace {

constexpr int64_t kMiB = 1 << 20;
// A checkpoint is due at 2 MiB, and the file keeps up to 64 for the next large sweep; more means that readers keep it from
// starting over.
constexpr int64_t kLargeWal = 128 * kMiB;

Check CheckIntegrity(const StoreExamination& found) {
  if (found.damage.empty())
    return {"integrity", CheckState::kOk, "every page, index and reference of the database is right"};
  std::string text;
  for (const std::string& finding : found.damage) text += (text.empty() ? "" : "; ") + finding;
  return {"integrity", CheckState::kBad,
          "the database is damaged: " + text +
              "; restore a backup, or save what can be read with sqlite3's .recover"};
}

Check CheckSchemaVersion(const StoreExamination& found) {
  if (found.schema_version == found.newest_schema)
    return {"schema", CheckState::kOk, fmt::format("version {}, the newest", found.schema_version)};
  return {"schema", CheckState::kWarning,
          fmt::format("version {} of {}; a coordinator brings it up to date when it starts",
                      found.schema_version, found.newest_schema)};
}

Check CheckSqlite(const StoreExamination& found) {
  if (HasWalResetFix(found.sqlite_version)) return {"sqlite", CheckState::kOk, found.sqlite_version};
  return {
      "sqlite", CheckState::kWarning,
      found.sqlite_version +
          " can damage a database that two programs write or checkpoint at once (fixed in 3.51.3); gridsweep never does, "
          "so open the database for reading only, and point no replication program at it"};
}

Check CheckDisk(const StoreExamination& found) {
  const std::string text =
      fmt::format("{} free, the database has {}, its log {}", FormatBytes(found.free_bytes),
                  FormatBytes(found.database_bytes), FormatBytes(found.wal_bytes));
  if (found.free_bytes < std::max<int64_t>(64 * kMiB, found.database_bytes / 10))
    return {"disk", CheckState::kWarning, text + "; make room before nothing can be stored"};
  if (found.wal_bytes > kLargeWal) {
    return {"disk", CheckState::kWarning,
            text + "; somebody who reads for a long time keeps the log from being moved into the database"};
  }
  return {"disk", CheckState::kOk, text};
}

}  // namespace

std::string_view CheckStateName(CheckState state) {
  constexpr std::string_view kNames[] = {"ok", "warning", "bad"};
  return kNames[static_cast<int>(state)];
}

bool HasWalResetFix(std::string_view version) {
  std::array<int, 3> v{};
  if (std::sscanf(std::string(version).c_str(), "%d.%d.%d", &v[0], &v[1], &v[2]) < 2) return false;
  if (v[0] == 3 && v[1] == 44) return v[2] >= 6;
  if (v[0] == 3 && v[1] == 50) return v[2] >= 7;
  return v >= std::array<int, 3>{3, 51, 3};
}

std::vector<Check> Diagnose(const StoreExamination& found, const std::optional<WriteTrouble>& trouble,
                            absl::Time now) {
  std::vector<Check> checks = {CheckIntegrity(found), CheckSchemaVersion(found), CheckSqlite(found),
                               CheckDisk(found)};
  if (trouble) checks.push_back({"writing", CheckState::kBad, DescribeTrouble(trouble, now)});
  return checks;
}

}  // namespace gridsweep
