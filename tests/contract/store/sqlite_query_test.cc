#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class SqliteQueryTest : public SqliteFileTest {
 protected:
  SqliteQueryTest() {
    Open();
    s_->Submit();
    attempt_ = s_->ClaimOne();
  }
  absl::StatusOr<QueryResult> Query(const std::string& sql, const QueryLimits& limits = {}) {
    return s_->reader().Query(sql, limits);
  }
  OpenAttempt attempt_;
};

TEST_F(SqliteQueryTest, ReturnsColumnsAndTypedValues) {
  ASSERT_OK_AND_ASSIGN(const QueryResult result,
                       Query("SELECT 1 AS i, 0.5 AS r, 'x' AS t, NULL AS n, x'4142' AS b;"));
  EXPECT_THAT(result.columns, ElementsAre("i", "r", "t", "n", "b"));
  ASSERT_THAT(result.rows, SizeIs(1));
  EXPECT_EQ(result.rows[0],
            (std::vector<SqlValue>{int64_t{1}, 0.5, std::string("x"), std::monostate{}, SqlBlob{"AB"}}));
  EXPECT_FALSE(result.truncated);
}

TEST_F(SqliteQueryTest, TextsAreValidUtf8WhateverTheFileHolds) {
  ASSERT_OK_AND_ASSIGN(
      const QueryResult result,
      Query("SELECT CAST(x'61ff7ac3a4c3' AS TEXT), x'ff00', CAST(x'' AS TEXT), x'', 'a' || char(0) || 'b'"));
  EXPECT_EQ(result.rows[0],
            (std::vector<SqlValue>{std::string("a\uFFFDzä\uFFFD"), SqlBlob{std::string("\xff\0", 2)},
                                   std::string(), SqlBlob{}, std::string("a\0b", 3)}));
}

TEST_F(SqliteQueryTest, SelectWithAndExplainWork) {
  EXPECT_THAT(Query("WITH x AS (SELECT count(*) AS n FROM v_jobs) SELECT n FROM x"), IsOk());
  EXPECT_THAT(Query("EXPLAIN QUERY PLAN SELECT * FROM v_ranking"), IsOk());
  EXPECT_THAT(Query("SELECT name FROM sqlite_schema WHERE type = 'view' -- a comment"), IsOk());
  EXPECT_THAT(Query("SELECT 1; -- nothing more"), IsOk());
  EXPECT_THAT(Query("SELECT value FROM json_each('[1]')"), IsOk());
}

TEST_F(SqliteQueryTest, AnythingElseIsRefused) {
  for (const char* sql : {"DELETE FROM jobs",
                          "UPDATE sweeps SET name = 'x'",
                          "UPDATE sqlite_schema SET sql = ''",
                          "INSERT INTO workers (name) VALUES ('x')",
                          "DROP VIEW v_jobs",
                          "CREATE TABLE t (x)",
                          "CREATE TEMP TABLE t (x)",
                          "ATTACH '/tmp/x.db' AS x",
                          "VACUUM",
                          "VACUUM INTO '/tmp/x.db'",
                          "PRAGMA user_version=7",
                          "PRAGMA query_only=OFF",
                          "BEGIN",
                          "COMMIT",
                          "SAVEPOINT s",
                          "ANALYZE",
                          "REINDEX",
                          "SELECT load_extension('x')",
                          "EXPLAIN DELETE FROM jobs",
                          "",
                          "  -- only a comment",
                          "SELECT 1; SELECT 2",
                          "SELECT 1; DELETE FROM jobs",
                          "SELEC 1",
                          "SELECT x FROM nowhere",
                          "WITH x AS (SELECT 1) DELETE FROM jobs",
                          "SELECT 1 FROM pragma_user_version"}) {
    EXPECT_THAT(Query(sql), StatusIs(absl::StatusCode::kInvalidArgument, testing::Not(testing::IsEmpty())))
        << sql;
  }
  EXPECT_EQ(s_->Sweep(SweepId{1}).jobs.total(), 8);
}

TEST_F(SqliteQueryTest, TheMessageIsSqlites) {
  EXPECT_THAT(Query("SELECT x FROM nowhere"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nowhere")));
  EXPECT_THAT(Query("SELECT 1; SELECT 2"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one statement")));
}

TEST_F(SqliteQueryTest, LeaseTokensAreNotForUsers) {
  ASSERT_OK_AND_ASSIGN(const QueryResult result, Query("SELECT token FROM attempts"));
  ASSERT_THAT(result.rows, SizeIs(1));
  EXPECT_EQ(result.rows[0][0], SqlValue(std::monostate{}));
  ASSERT_OK_AND_ASSIGN(const QueryResult guess,
                       Query("SELECT count(*) FROM attempts WHERE token = '" + attempt_.token + "'"));
  EXPECT_EQ(guess.rows[0][0], SqlValue(int64_t{0}));
}

TEST_F(SqliteQueryTest, StopsAtTheTimeLimit) {
  QueryLimits limits;
  limits.timeout = absl::Milliseconds(50);
  EXPECT_THAT(Query("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
                    limits),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("too long")));
}

TEST_F(SqliteQueryTest, StopsAtTheRowLimit) {
  QueryLimits limits;
  limits.max_rows = 3;
  ASSERT_OK_AND_ASSIGN(QueryResult result, Query("SELECT job FROM v_jobs", limits));
  EXPECT_THAT(result.rows, SizeIs(3));
  EXPECT_TRUE(result.truncated);
  limits.max_rows = 8;
  ASSERT_OK_AND_ASSIGN(result, Query("SELECT job FROM v_jobs", limits));
  EXPECT_FALSE(result.truncated);
}

TEST_F(SqliteQueryTest, MemoryIsBounded) {
  EXPECT_THAT(Query("SELECT zeroblob(1000000000)"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too big")));
  ASSERT_OK_AND_ASSIGN(const QueryResult result,
                       Query("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) "
                             "SELECT zeroblob(8000000) FROM n"));
  EXPECT_TRUE(result.truncated);
  EXPECT_LE(result.rows.size(), 6u);
  EXPECT_THAT(
      Query("SELECT zeroblob(16000000), zeroblob(16000000), zeroblob(16000000), zeroblob(16000000)"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a row of the result is larger than 48 MiB")));
}

TEST_F(SqliteQueryTest, SeesWhatTheWriterCommitsNext) {
  ASSERT_OK_AND_ASSIGN(const QueryResult before, Query("SELECT count(*) FROM v_epochs"));
  ASSERT_THAT(s_->TryEpoch(attempt_, 1, MakeEpoch(1, 0.5)), IsOk());
  ASSERT_OK_AND_ASSIGN(const QueryResult after, Query("SELECT count(*) FROM v_epochs"));
  EXPECT_EQ(before.rows[0][0], SqlValue(int64_t{0}));
  EXPECT_EQ(after.rows[0][0], SqlValue(int64_t{1}));
}

}  // namespace
}  // namespace gridsweep
