// Databases of earlier schema versions, opened by this one.
#include "coordinator/store/migrate.h"
#include "coordinator/store/sqlite_db.h"
#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace embedded {
extern const std::string_view kSchema0001;
}  // namespace embedded

namespace {

using testing::HasSubstr;
using testing::SizeIs;

// A sweep of two cells and two seeds, half run: job 1 succeeded, job 2 runs, job 3 failed once and waits, job 4 waits.
constexpr char kHalfRun[] = R"(
INSERT INTO datasets VALUES ('digest-1', 'toy', '["a","b"]', 60, 20);
INSERT INTO sweeps VALUES (1, 'key-1', 'hash', 'old', 'active', 'yaml', 'toy', 'digest-1', 2, 32, 0.1, 0, 'val_accuracy',
  'max', 'best', 2, 2, '[["mlp","cnn"],["relu"],["adam"],["none"],["none"]]', 2, 1000000, NULL);
INSERT INTO sweep_counts VALUES (1, 2, 1, 1, 0, 0, 0);
INSERT INTO cells VALUES
  (1, 1, 0, 'k1', 'mlp', 'relu', 'adam', 'none', 'none', '{"model":{"name":"mlp","params":{}}}'),
  (2, 1, 1, 'k2', 'cnn', 'relu', 'adam', 'none', 'none', '{"model":{"name":"cnn","params":{}}}');
INSERT INTO workers (id, name, session, host, pid, memory_bytes, devices, slots, version, libtorch_version,
  first_seen_us, last_seen_us) VALUES (1, 'w1', 's', 'h', 1, 1, '[]', 1, '0', '0', 0, 0);
INSERT INTO jobs (id, sweep, cell, seed) VALUES (1, 1, 1, 1), (2, 1, 1, 2), (3, 1, 2, 1), (4, 1, 2, 2);
INSERT INTO attempts (id, job, sweep, worker, number, token, state, stored_seq, epochs, seconds, device, started_us,
  ended_us) VALUES
  (1, 1, 1, 1, 1, '00000000000000000000000000000001', 'succeeded', 4, 2, 5.0, 'cpu', 1, 2),
  (2, 2, 1, 1, 1, '00000000000000000000000000000002', 'open', 2, 1, 2.0, 'cpu', 3, NULL),
  (3, 3, 1, 1, 1, '00000000000000000000000000000003', 'failed', 1, 0, 0, 'cpu', 3, 4);
INSERT INTO epochs (attempt, epoch, val_accuracy, seconds, stored_us) VALUES
  (1, 1, 0.5, 2.0, 1), (1, 2, 0.6, 3.0, 2), (2, 1, 0.4, 2.0, 3);
UPDATE jobs SET attempts = 1 WHERE id < 4;
UPDATE jobs SET failures = 1 WHERE id = 3;
UPDATE jobs SET state = 'running', current_attempt = 2 WHERE id = 2;
PRAGMA foreign_keys=OFF;
UPDATE jobs SET state = 'running', current_attempt = 1 WHERE id = 1;
UPDATE jobs SET state = 'succeeded', current_attempt = NULL, accepted_attempt = 1, objective = 0.6,
  objective_class = 'finite', objective_epoch = 2, finished_us = 2 WHERE id = 1;
UPDATE sweep_counts SET pending = 2, running = 1, succeeded = 1;
)";

class SqliteMigrationTest : public SqliteFileTest {
 protected:
  void MakeVersion1() {
    const std::unique_ptr<Db> db = Db::Open(path_, Db::Mode::kReadWrite).value();
    ASSERT_THAT(db->Execute(std::string(embedded::kSchema0001).c_str()), IsOk());
    ASSERT_THAT(db->Execute(kHalfRun), IsOk());
    ASSERT_THAT(
        db->Execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version=1", kApplicationId).c_str()),
        IsOk());
  }
  int64_t QueryInt(const std::string& sql) {
    return Db::Open(path_, Db::Mode::kReadOnly).value()->QueryInt(sql).value();
  }
};

TEST_F(SqliteMigrationTest, AHalfRunSweepOfVersion1GoesOn) {
  MakeVersion1();
  Open();
  EXPECT_EQ(QueryInt("PRAGMA user_version"), SchemaVersion());
  EXPECT_EQ(s_->Job(JobId{1}).epochs.at(1).val_accuracy, 0.6);
  EXPECT_EQ(s_->Job(JobId{1}).epochs.at(1).shared_by, 1);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_jobs WHERE shared_epochs = 0"), 2);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_epochs WHERE shared_by = 1"), 3);

  ASSERT_OK_AND_ASSIGN(const std::vector<OpenAttempt> open, s_->store().OpenAttempts());
  ASSERT_THAT(open, SizeIs(1));
  EXPECT_EQ(open[0].bundle, 0);
  EXPECT_EQ(open[0].epochs, 2);
  EXPECT_EQ(open[0].added_epochs, 2);
  ASSERT_OK_AND_ASSIGN(const std::vector<WorkClass> classes, s_->store().WorkClasses());
  ASSERT_THAT(classes, SizeIs(2));
  EXPECT_THAT(classes[0].kind, HasSubstr("mlp"));
  EXPECT_EQ(classes[0].pending, 0);
  EXPECT_EQ(classes[1].pending, 2);
  EXPECT_EQ(classes[1].pending_epochs, 4);

  EXPECT_THAT(s_->TryEpoch(open[0], 3, MakeEpoch(2, 0.7)), IsOk());
  const std::vector<ClaimedJob> jobs = s_->Claim(5);
  ASSERT_THAT(jobs, SizeIs(2)) << "each old job is a group of its own";
  EXPECT_EQ(jobs[0].attempt.job, JobId{3});
  EXPECT_EQ(jobs[0].attempt.bundle, 0);
  s_->Succeed(jobs[0].attempt, {0.1, 0.9});
  EXPECT_EQ(s_->Sweep(SweepId{1}).jobs.succeeded, 2);
  EXPECT_EQ(s_->Submit(kSmallSweep, "key-2").value, 2);
}

TEST_F(SqliteMigrationTest, AReaderAloneDoesNotUpgrade) {
  MakeVersion1();
  EXPECT_THAT(OpenSqliteStoreReadOnly(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("older schema version 1")));
  EXPECT_EQ(QueryInt("PRAGMA user_version"), 1);
}

TEST_F(SqliteMigrationTest, AFailedUpgradeLeavesTheFileAsItWas) {
  MakeVersion1();
  ASSERT_THAT(Db::Open(path_, Db::Mode::kReadWrite).value()->Execute("CREATE TABLE work_classes (x)"),
              IsOk());
  EXPECT_FALSE(OpenSqliteStore(path_).ok());
  EXPECT_EQ(QueryInt("PRAGMA user_version"), 1);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM pragma_table_info('jobs') WHERE name = 'alone'"), 0);
}

}  // namespace
}  // namespace gridsweep
