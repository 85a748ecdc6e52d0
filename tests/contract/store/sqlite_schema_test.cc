// What the schema itself refuses, whoever writes.
#include "coordinator/store/sqlite_db.h"
#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;

class SqliteSchemaTest : public SqliteFileTest {
 protected:
  // Job 1 succeeded, 2 running, 3 failed, 4 diverged, 5 to 8 pending.
  SqliteSchemaTest() {
    Open();
    s_->Submit();
    const std::vector<ClaimedJob> jobs = s_->Claim(4);
    s_->Succeed(jobs[0].attempt, {0.5});
    s_->Fail(jobs[2].attempt, "boom");
    s_->Diverge(jobs[3].attempt);
    Close();
    db_ = Db::Open(path_, Db::Mode::kReadWrite).value();
    EXPECT_THAT(db_->Execute("PRAGMA foreign_keys=ON"), IsOk());
  }
  std::unique_ptr<Db> db_;
};

TEST_F(SqliteSchemaTest, ContradictionsAreRefused) {
  for (
      const char* sql : {
          "UPDATE jobs SET state = 'paused' WHERE id = 5",
          "UPDATE jobs SET state = 'running' WHERE id = 5",       // without an attempt
          "UPDATE jobs SET current_attempt = 2 WHERE id = 5",     // while pending
          "UPDATE jobs SET current_attempt = NULL WHERE id = 2",  // while running
          "UPDATE jobs SET state = 'cancelled' WHERE id = 5",     // without an end
          "UPDATE jobs SET finished_us = 1 WHERE id = 5",         // while pending
          "UPDATE jobs SET finished_us = NULL WHERE id = 3",      // while failed
          "UPDATE jobs SET accepted_attempt = 3 WHERE id = 3",    // of a failed job
          "UPDATE jobs SET state = 'succeeded', current_attempt = NULL, finished_us = 1 WHERE id = 2",  // no result
          "UPDATE jobs SET current_attempt = 999 WHERE id = 2",  // unknown attempt
          "UPDATE jobs SET losses = -1 WHERE id = 5",
          "UPDATE jobs SET losses = 'many' WHERE id = 5",
          "INSERT INTO jobs (sweep, cell, seed) VALUES (1, 1, 1)",   // cell and seed exist
          "INSERT INTO jobs (sweep, cell, seed) VALUES (1, 99, 1)",  // unknown cell
          "UPDATE attempts SET state = 'succeeded' WHERE id = 2",    // without an end
          "UPDATE attempts SET ended_us = 1 WHERE id = 2",           // while open
          "UPDATE attempts SET number = 0 WHERE id = 2",
          "INSERT INTO attempts (job, sweep, worker, number, token, started_us) "  // number taken
          "VALUES (1, 1, 1, 1, '00000000000000000000000000000000', 1)",
          "INSERT INTO attempts (job, sweep, worker, number, token, started_us) "  // a second open one
          "VALUES (2, 1, 1, 2, '00000000000000000000000000000000', 1)",
          "INSERT INTO attempts (job, sweep, worker, number, token, state, started_us, ended_us) "  // a second result
          "VALUES (1, 1, 1, 2, '00000000000000000000000000000000', 'diverged', 1, 1)",
          "INSERT INTO attempts (job, sweep, worker, number, token, started_us) VALUES (5, 1, 1, 1, 'short', "
          "1)",
          "INSERT INTO attempts (job, sweep, worker, number, token, started_us) "  // unknown worker
          "VALUES (5, 1, 99, 1, '00000000000000000000000000000000', 1)",
          "INSERT INTO epochs (attempt, epoch, stored_us) VALUES (1, 0, 1)",
          "INSERT INTO epochs (attempt, epoch, stored_us) VALUES (1, 1, 1)",   // exists
          "INSERT INTO epochs (attempt, epoch, stored_us) VALUES (99, 1, 1)",  // unknown attempt
          "UPDATE sweeps SET state = 'finished' WHERE id = 1",                 // without an end
          "UPDATE sweeps SET state = 'odd' WHERE id = 1",
          "UPDATE sweeps SET validation = 1 WHERE id = 1",
          "UPDATE sweeps SET dataset_digest = 'unknown' WHERE id = 1",
          "INSERT INTO cells (sweep, ordinal, key, model, activation, optimizer, regularization, scheduler, "
          "params) "
          "VALUES (1, 0, '', '', '', '', '', '', '')",  // ordinal taken
      }) {
    EXPECT_THAT(db_->Execute(sql), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(""))) << sql;
  }
}

TEST_F(SqliteSchemaTest, ResultsAreFinal) {
  for (const char* sql : {
           "UPDATE jobs SET objective = 0.9 WHERE id = 1",
           "UPDATE jobs SET objective_epoch = 2 WHERE id = 1",
           "UPDATE jobs SET state = 'pending', accepted_attempt = NULL, finished_us = NULL, objective = "
           "NULL, "
           "objective_class = NULL WHERE id = 1",
           "UPDATE jobs SET state = 'diverged' WHERE id = 1",
           "UPDATE jobs SET state = 'succeeded' WHERE id = 4",
       }) {
    EXPECT_THAT(db_->Execute(sql), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(""))) << sql;
  }
}

bool IsInTransitionTable(JobState from, JobState to) {
  for (const JobTransition& row : kJobTransitions) {
    if (row.from == from && row.to == to) return true;
  }
  return false;
}

// Sets everything that belongs to `state`, so that no CHECK but only the transition can be in the way.
std::string SetState(JobState state) {
  return fmt::format(
      "UPDATE jobs SET state = '{}', current_attempt = {}, accepted_attempt = {}, finished_us = {}, "
      "objective = NULL, "
      "objective_class = NULL, objective_epoch = NULL",
      JobStateName(state), state == JobState::kRunning ? "1" : "NULL", HasResult(state) ? "1" : "NULL",
      IsTerminal(state) ? "1" : "NULL");
}

TEST_F(SqliteSchemaTest, TransitionsAreThoseOfTheTableInCode) {
  for (const JobState from : kAllJobStates) {
    for (const JobState to : kAllJobStates) {
      if (from == to) continue;
      // A fresh row in state `from`, put there without an update.
      ASSERT_THAT(db_->Execute("BEGIN"), IsOk());
      ASSERT_THAT(
          db_->Run("INSERT INTO jobs (id, sweep, cell, seed, state, current_attempt, accepted_attempt, "
                   "finished_us) VALUES (100, 1, 1, 100, ?1, ?2, ?3, ?4)",
                   JobStateName(from), from == JobState::kRunning ? std::optional<int64_t>(1) : std::nullopt,
                   HasResult(from) ? std::optional<int64_t>(1) : std::nullopt,
                   IsTerminal(from) ? std::optional<int64_t>(1) : std::nullopt),
          IsOk());
      ASSERT_THAT(
          db_->Execute("UPDATE sweep_counts SET pending = 9, running = 9, succeeded = 9, diverged = 9, "
                       "failed = 9, cancelled = 9"),
          IsOk());
      const absl::Status status = db_->Execute((SetState(to) + " WHERE id = 100").c_str());
      EXPECT_EQ(status.ok(), IsInTransitionTable(from, to))
          << JobStateName(from) << " -> " << JobStateName(to) << ": " << Message(status);
      ASSERT_THAT(db_->Execute("ROLLBACK"), IsOk());
    }
  }
}

TEST_F(SqliteSchemaTest, CountsAreThoseOfTheJobs) {
  for (const JobState state : kAllJobStates) {
    const std::string name(JobStateName(state));
    EXPECT_EQ(db_->QueryInt(fmt::format("SELECT {} FROM sweep_counts WHERE sweep = 1", name)).value(),
              db_->QueryInt("SELECT count(*) FROM jobs WHERE sweep = 1 AND state = ?1", name).value())
        << name;
  }
}

}  // namespace
}  // namespace gridsweep
