#include "coordinator/service/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep {
namespace {

using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

StoreExamination Healthy() {
  StoreExamination found;
  found.schema_version = found.newest_schema = 6;
  found.sqlite_version = "3.51.3";
  found.free_bytes = 100'000 * kMiB;
  found.database_bytes = 300 * kMiB;
  found.wal_bytes = 64 * kMiB;
  return found;
}

// The one check that is not right.
Check Complaint(const StoreExamination& found, const std::optional<WriteTrouble>& trouble = {}) {
  std::vector<Check> complaints;
  for (const Check& check : Diagnose(found, trouble, absl::FromUnixSeconds(1'800'000'100))) {
    if (check.state != CheckState::kOk) complaints.push_back(check);
  }
  if (complaints.size() != 1) return {"none or several", CheckState::kOk, ""};
  return complaints.front();
}

TEST(Diagnose, FindsNothingWhereAllIsWell) {
  for (const Check& check : Diagnose(Healthy(), std::nullopt, absl::UnixEpoch()))
    EXPECT_EQ(check.state, CheckState::kOk) << check.name << ": " << check.text;
}

TEST(Diagnose, WarnsOfALogThatReadersKeepFromStartingOver) {
  StoreExamination found = Healthy();
  found.wal_bytes = 129 * kMiB;
  const Check check = Complaint(found);
  EXPECT_EQ(check.name, "disk");
  EXPECT_EQ(check.state, CheckState::kWarning);
  EXPECT_THAT(check.text, HasSubstr("reads for a long time"));
}

TEST(Diagnose, WarnsBeforeTheDiskIsFull) {
  StoreExamination found = Healthy();
  found.free_bytes = 63 * kMiB;
  EXPECT_THAT(Complaint(found).text, HasSubstr("make room"));
  found.free_bytes = 1000 * kMiB;
  found.database_bytes = 10'001 * kMiB;
  EXPECT_THAT(Complaint(found).text, HasSubstr("make room")) << "a backup would hardly fit";
}

TEST(Diagnose, WarnsOfAnOldSqliteAndAnOldSchema) {
  StoreExamination found = Healthy();
  found.sqlite_version = "3.40.1";
  EXPECT_EQ(Complaint(found).name, "sqlite");
  found = Healthy();
  found.schema_version = 5;
  EXPECT_THAT(Complaint(found).text, HasSubstr("version 5 of 6"));
}

TEST(Diagnose, DamageAndTroubleWithWritingAreBad) {
  StoreExamination found = Healthy();
  found.damage = {"page 7 is never used"};
  EXPECT_EQ(Complaint(found).state, CheckState::kBad);
  EXPECT_THAT(Complaint(found).text, HasSubstr("page 7 is never used"));
  const WriteTrouble trouble{"disk I/O error", absl::FromUnixSeconds(1'800'000'000), false};
  const Check check = Complaint(Healthy(), trouble);
  EXPECT_EQ(check.state, CheckState::kBad);
  EXPECT_THAT(check.text, HasSubstr("disk I/O error"));
}

}  // namespace
}  // namespace gridsweep
