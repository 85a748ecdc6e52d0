// What users can ask of a coordinator, over real gRPC.
#include <set>
#include <thread>

#include "common/base/version.h"
#include "tests/integration/coordinator/coordinator_fixture.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class SweepServiceTest : public CoordinatorTest {
 protected:
  SweepServiceTest() { Start(); }
};

TEST_F(SweepServiceTest, SubmitStoresASweepOnceForEachKey) {
  ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse first, Submit("key"));
  EXPECT_TRUE(first.created());
  EXPECT_EQ(first.jobs(), 8);
  EXPECT_EQ(first.name(), "grid");
  ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse again, Submit("key"));
  EXPECT_FALSE(again.created());
  EXPECT_EQ(again.sweep(), first.sweep());
  EXPECT_EQ(again.jobs(), 8);
  EXPECT_THAT(Submit("key", "name: other\ndataset: tiny\ngrid: {model: mlp}\n"),
              StatusIs(StatusCode::kAlreadyExists, HasSubstr("key")));
  ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse other, Submit("other key"));
  EXPECT_NE(other.sweep(), first.sweep());
}

TEST_F(SweepServiceTest, ConcurrentSubmitsOfOneKeyMakeOneSweep) {
  constexpr int kThreads = 8;
  std::vector<absl::StatusOr<v1::SubmitResponse>> answers(kThreads, absl::UnknownError("not called"));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&, i] { answers[i] = Submit("key"); });
  for (std::thread& thread : threads) thread.join();
  int created = 0;
  std::set<int64_t> ids;
  for (const auto& answer : answers) {
    ASSERT_THAT(answer, IsOk());
    created += answer->created();
    ids.insert(answer->sweep());
  }
  EXPECT_EQ(created, 1);
  EXPECT_THAT(ids, SizeIs(1));
  ASSERT_OK_AND_ASSIGN(const auto list,
                       Call(*sweeps_, &v1::SweepService::Stub::ListSweeps, v1::ListSweepsRequest()));
  EXPECT_THAT(list.sweeps(), SizeIs(1));
}

TEST_F(SweepServiceTest, ABadSweepIsRefusedWithItsPlace) {
  EXPECT_THAT(Submit("key", "name: x\ndataset: tiny\ngrid:\n  optimizer: addam\n"),
              StatusIs(StatusCode::kInvalidArgument, StartsWith("my.yaml:4:14: ")));
  EXPECT_THAT(Submit("", kGridYaml), StatusIs(StatusCode::kInvalidArgument, HasSubstr("client_key")));
  EXPECT_THAT(Submit(std::string(129, 'k'), kGridYaml),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("129")));
  EXPECT_THAT(GetSweep("1"), StatusIs(StatusCode::kNotFound, _)) << "nothing was stored";
}

TEST_F(SweepServiceTest, TooManyJobsAreRefused) {
  config_.limits.max_jobs = 7;
  Start();
  EXPECT_THAT(Submit("key"), StatusIs(StatusCode::kResourceExhausted, HasSubstr("8")));
}

TEST_F(SweepServiceTest, UnknownSweepsAndJobsAreNotFound) {
  ASSERT_THAT(Submit("key"), IsOk());
  for (const char* sweep : {"2", "gird", "", "0", "-1", "99999999999999999999"}) {
    v1::RankRequest rank;
    rank.set_sweep(sweep);
    EXPECT_THAT(GetSweep(sweep), StatusIs(StatusCode::kNotFound, _)) << sweep;
    EXPECT_THAT(Control(sweep, v1::CANCEL), StatusIs(StatusCode::kNotFound, _)) << sweep;
    EXPECT_THAT(Rank(rank), StatusIs(StatusCode::kNotFound, _)) << sweep;
    EXPECT_THAT(ListJobs(sweep), StatusIs(StatusCode::kNotFound, _)) << sweep;
  }
  EXPECT_THAT(GetSweep("gird"), StatusIs(StatusCode::kNotFound, HasSubstr("grid"))) << "names what is near";
  EXPECT_THAT(GetJob(9), StatusIs(StatusCode::kNotFound, HasSubstr("9")));
}

TEST_F(SweepServiceTest, ASweepIsFoundByIdAndByItsNewestName) {
  ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse first, Submit("one"));
  ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse second, Submit("two"));
  ASSERT_OK_AND_ASSIGN(const v1::SweepStatus by_name, GetSweep("grid"));
  EXPECT_EQ(by_name.summary().id(), second.sweep());
  ASSERT_OK_AND_ASSIGN(const v1::SweepStatus by_id, GetSweep(std::to_string(first.sweep())));
  EXPECT_EQ(by_id.summary().id(), first.sweep());
}

TEST_F(SweepServiceTest, StatusSaysWhatRunsAndWhyNothingDoes) {
  ASSERT_THAT(Submit("key"), IsOk());
  ASSERT_OK_AND_ASSIGN(v1::SweepStatus status, GetSweep("grid"));
  EXPECT_EQ(status.summary().state(), "active");
  EXPECT_EQ(status.summary().jobs().pending(), 8);
  EXPECT_EQ(status.waiting_for(), "no worker is connected");
  EXPECT_EQ(status.epochs_total(), 16);

  v1::SyncRequest elsewhere = Hello("elsewhere");
  elsewhere.mutable_info()->clear_datasets();
  ASSERT_THAT(Sync(elsewhere), IsOk());
  ASSERT_OK_AND_ASSIGN(status, GetSweep("grid"));
  EXPECT_THAT(status.waiting_for(), HasSubstr("'tiny'"));

  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse leased, Sync(Hello("alice", 1)));
  ASSERT_THAT(leased.leases(), SizeIs(1));
  v1::SyncRequest held = Hello("alice");
  held.set_sync_seq(2);
  v1::HeldAttempt& attempt = *held.add_held();
  attempt.set_attempt(leased.leases(0).attempt());
  attempt.set_token(leased.leases(0).token());
  attempt.set_device("cpu");
  attempt.set_epoch(1);
  attempt.set_epoch_fraction(0.25);
  ASSERT_THAT(Sync(held), IsOk());
  ASSERT_OK_AND_ASSIGN(status, GetSweep("grid"));
  ASSERT_THAT(status.running(), SizeIs(1));
  EXPECT_EQ(status.running(0).worker(), "alice");
  EXPECT_EQ(status.running(0).label(), "mlp relu");
  EXPECT_EQ(status.running(0).epoch_fraction(), 0.25);
  EXPECT_EQ(status.waiting_for(), "");
  EXPECT_FALSE(status.has_best());

  RunEverything();
  ASSERT_OK_AND_ASSIGN(status, GetSweep("grid"));
  EXPECT_EQ(status.summary().jobs().succeeded(), 7);
  EXPECT_EQ(status.best().label(), "cnn tanh");
  EXPECT_DOUBLE_EQ(status.best().objective(), 0.58);
  EXPECT_EQ(status.epochs_done(), 14);
}

TEST_F(SweepServiceTest, SweepsArePausedResumedCancelledAndRetried) {
  ASSERT_THAT(Submit("key"), IsOk());
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::SweepSummary paused, Control("grid", v1::PAUSE));
    EXPECT_EQ(paused.state(), "paused");
  }
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse nothing, Sync(Hello("alice", 1)));
  EXPECT_THAT(nothing.leases(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const v1::SweepSummary resumed, Control("grid", v1::RESUME));
  EXPECT_EQ(resumed.state(), "active");
  ASSERT_OK_AND_ASSIGN(const v1::SweepSummary cancelled, Control("grid", v1::CANCEL));
  EXPECT_EQ(cancelled.state(), "cancelled");
  EXPECT_EQ(cancelled.jobs().cancelled(), 8);
  EXPECT_THAT(Control("grid", v1::PAUSE), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("cancelled")));
  EXPECT_THAT(Control("grid", v1::CANCEL), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::SweepSummary retried, Control("grid", v1::RETRY));
  EXPECT_EQ(retried.state(), "active");
  EXPECT_EQ(retried.jobs().pending(), 8);
  RunEverything();
  ASSERT_OK_AND_ASSIGN(const v1::SweepSummary finished, Control("grid", v1::RETRY));
  EXPECT_EQ(finished.state(), "finished") << "there is nothing to retry";
  EXPECT_THAT(Control("grid", v1::SWEEP_ACTION_UNSPECIFIED), StatusIs(StatusCode::kInvalidArgument, _));
}

TEST_F(SweepServiceTest, RankOrdersCellsAndComparesLevels) {
  ASSERT_THAT(Submit("key"), IsOk());
  RunEverything();
  v1::RankRequest request;
  request.set_sweep("grid");
  ASSERT_OK_AND_ASSIGN(v1::RankResponse ranked, Rank(request));
  EXPECT_THAT(ranked.axes(), ElementsAre("model", "activation"));
  EXPECT_THAT(ranked.constants(), testing::Contains("optimizer = adam"));
  EXPECT_EQ(ranked.ranked_metric(), "val_accuracy");
  EXPECT_FALSE(ranked.ranked_on_test());
  ASSERT_THAT(ranked.rows(), SizeIs(4));
  EXPECT_THAT(ranked.rows(0).labels(), ElementsAre("cnn", "tanh"));
  EXPECT_EQ(ranked.rows(0).rank(), 1);
  EXPECT_EQ(ranked.rows(0).n(), 2);
  EXPECT_NEAR(ranked.rows(0).mean(), 0.575, 1e-12);
  EXPECT_NEAR(ranked.rows(0).test_accuracy(), 0.565, 1e-12);
  EXPECT_THAT(ranked.rows(3).labels(), ElementsAre("mlp", "relu"));

  request.set_top(1);
  ASSERT_OK_AND_ASSIGN(ranked, Rank(request));
  EXPECT_THAT(ranked.rows(), SizeIs(1));
  EXPECT_EQ(ranked.total_rows(), 4);
  EXPECT_THAT(ranked.all_labels(), ElementsAre("mlp", "cnn", "relu", "tanh"));

  request.set_top(0);
  request.set_sort("-rank");
  ASSERT_OK_AND_ASSIGN(ranked, Rank(request));
  EXPECT_EQ(ranked.rows(0).rank(), 4);
  request.set_sort("beauty");
  EXPECT_THAT(Rank(request), StatusIs(StatusCode::kInvalidArgument, HasSubstr("beauty")));

  request.set_sort("");
  request.set_by("model");
  ASSERT_OK_AND_ASSIGN(ranked, Rank(request));
  ASSERT_THAT(ranked.rows(), SizeIs(2));
  EXPECT_THAT(ranked.rows(0).labels(), ElementsAre("cnn"));
  EXPECT_EQ(ranked.rows(0).cells(), 2);
  EXPECT_EQ(ranked.rows(0).best_label(), "tanh");
  request.set_by("colour");
  EXPECT_THAT(Rank(request), StatusIs(StatusCode::kNotFound, HasSubstr("colour")));
}

TEST_F(SweepServiceTest, JobsAreListedAndShownInDetail) {
  ASSERT_THAT(Submit("key"), IsOk());
  ASSERT_OK_AND_ASSIGN(v1::ListJobsResponse jobs, ListJobs("grid", "pending", 3));
  EXPECT_EQ(jobs.objective().metric(), "val_accuracy");
  EXPECT_THAT(jobs.jobs(), SizeIs(3));
  ASSERT_OK_AND_ASSIGN(jobs, ListJobs("grid"));
  EXPECT_THAT(jobs.jobs(), SizeIs(8)) << "no limit means all";
  ASSERT_OK_AND_ASSIGN(jobs, ListJobs("grid", "succeeded"));
  EXPECT_THAT(jobs.jobs(), IsEmpty());
  EXPECT_THAT(ListJobs("grid", "happy"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("'happy'")));

  RunEverything();
  ASSERT_OK_AND_ASSIGN(const v1::JobDetail job, GetJob(8));
  EXPECT_EQ(job.summary().state(), v1::SUCCEEDED);
  EXPECT_THAT(job.summary().labels(), ElementsAre("cnn", "tanh", "adam", "none", "none"));
  EXPECT_EQ(job.summary().seed(), 2);
  EXPECT_EQ(job.sweep().name(), "grid");
  ASSERT_THAT(job.epochs(), SizeIs(2));
  EXPECT_DOUBLE_EQ(job.epochs(1).val_accuracy(), 0.58);
  EXPECT_FALSE(job.epochs(1).has_val_loss());
  EXPECT_THAT(job.evaluation().confusion(), ElementsAre(9, 1, 2, 8));
  ASSERT_THAT(job.evaluation().predictions(), SizeIs(1));
  EXPECT_EQ(job.evaluation().predictions(0).confidence(), 0.75);
  EXPECT_THAT(job.dataset().class_names(), ElementsAre("cat", "dog"));
  ASSERT_THAT(job.attempts(), SizeIs(1));
  EXPECT_TRUE(job.attempts(0).accepted());
  EXPECT_EQ(job.attempts(0).worker(), "runner");
  EXPECT_THAT(job.params_json(), HasSubstr("\"cnn\""));
}

TEST_F(SweepServiceTest, QueriesAreReadOnlyAndLimited) {
  ASSERT_THAT(Submit("key"), IsOk());
  ASSERT_OK_AND_ASSIGN(v1::QueryResponse answer, Query("SELECT 1, 2.5, 'x', NULL"));
  ASSERT_THAT(answer.rows(), SizeIs(1));
  EXPECT_EQ(answer.rows(0).values(0).integer(), 1);
  EXPECT_EQ(answer.rows(0).values(1).real(), 2.5);
  EXPECT_EQ(answer.rows(0).values(2).text(), "x");
  EXPECT_EQ(answer.rows(0).values(3).value_case(), v1::Value::VALUE_NOT_SET);

  ASSERT_OK_AND_ASSIGN(answer, Query("SELECT x'00ff', CAST(x'61ff' AS TEXT)"));
  EXPECT_EQ(answer.rows(0).values(0).blob(), std::string("\0\xff", 2));
  EXPECT_EQ(answer.rows(0).values(1).text(), "a\uFFFD");
  ASSERT_OK_AND_ASSIGN(answer,
                       Query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 60) "
                             "SELECT zeroblob(1000000) FROM n"));
  EXPECT_TRUE(answer.truncated()) << "rather than more than a message holds";

  ASSERT_OK_AND_ASSIGN(answer, Query("SELECT job FROM v_jobs", 3));
  EXPECT_THAT(answer.columns(), ElementsAre("job"));
  EXPECT_THAT(answer.rows(), SizeIs(3));
  EXPECT_TRUE(answer.truncated());

  for (const char* sql : {"DELETE FROM jobs", "SELECT nonsense FROM v_jobs", "SELECT 1; SELECT 2", "",
                          "ATTACH '/tmp/x' AS x", "PRAGMA journal_mode=DELETE"}) {
    EXPECT_THAT(Query(sql), StatusIs(StatusCode::kInvalidArgument, _)) << sql;
  }
  EXPECT_THAT(
      Query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", 0, 50),
      StatusIs(StatusCode::kDeadlineExceeded, _));
  ASSERT_THAT(Sync(Hello("alice", 1)), IsOk());
  ASSERT_OK_AND_ASSIGN(answer, Query("SELECT count(*) FROM attempts WHERE token IS NOT NULL"));
  EXPECT_EQ(answer.rows(0).values(0).integer(), 0) << "who knows a token may write as its worker";
}

TEST_F(SweepServiceTest, ServerInfoSaysWhatRuns) {
  ASSERT_OK_AND_ASSIGN(const v1::ServerInfo info,
                       Call(*sweeps_, &v1::SweepService::Stub::GetServerInfo, v1::GetServerInfoRequest()));
  EXPECT_EQ(info.version(), Version());
  EXPECT_EQ(info.database(), config_.database);
  EXPECT_EQ(info.pid(), getpid());
  EXPECT_FALSE(info.read_only());
  EXPECT_THAT(info.sqlite_version(), StartsWith("3."));
}

}  // namespace
}  // namespace gridsweep
