// Starting, refusing to start, stopping and starting again.
#include "tests/integration/coordinator/coordinator_fixture.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::_;
using testing::HasSubstr;
using testing::SizeIs;

class StartupTest : public CoordinatorTest {
 protected:
  absl::Status TryStart() { return CoordinatorServer::Start(config_, clock_, Catalog::Builtin()).status(); }
};

TEST_F(StartupTest, ASecondCoordinatorOnTheSameDatabaseIsRefused) {
  Start();
  EXPECT_THAT(TryStart(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr(std::to_string(getpid()))));
  ASSERT_THAT(Submit("key"), IsOk()) << "and the first is none the worse";
}

TEST_F(StartupTest, AnAddressInUseIsRefused) {
  Start();
  config_.listen = server_->address();
  config_.database = dir_ / "other.db";
  EXPECT_THAT(TryStart(), StatusIs(StatusCode::kUnavailable, HasSubstr(server_->address())));
}

TEST_F(StartupTest, BeyondLoopbackItListensOnlyWhenToldTwice) {
  for (const char* address :
       {"0.0.0.0:0", "[::]:0", "192.0.2.1:7077", "example.com:7077", "localhost.example.com:0"}) {
    config_.listen = address;
    EXPECT_THAT(TryStart(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr(address))) << address;
  }
  EXPECT_FALSE(std::filesystem::exists(config_.database)) << "refused before anything is touched";
  config_.listen = "0.0.0.0:0";
  config_.allow_insecure = true;
  EXPECT_THAT(TryStart(), IsOk());
}

TEST_F(StartupTest, AFileThatIsNoDatabaseIsLeftAlone) {
  WriteFile(config_.database, "these are my notes\n");
  EXPECT_THAT(TryStart(), StatusIs(StatusCode::kDataLoss, HasSubstr(config_.database)));
  EXPECT_EQ(ReadFile(config_.database), "these are my notes\n");
}

TEST_F(StartupTest, TheAddressIsPublishedWhileItListens) {
  Start();
  EXPECT_THAT(ReadFile(config_.database + ".lock"), HasSubstr("\"" + server_->address() + "\""));
  server_->Shutdown();
  server_->Shutdown();
  EXPECT_EQ(ReadFile(config_.database + ".lock"), "");
}

TEST_F(StartupTest, WhatWasStoredIsThereAfterARestart) {
  Start();
  ASSERT_THAT(Submit("key"), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse leased, Sync(Hello("alice", 1)));
  Start();
  ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse again, Submit("key"));
  EXPECT_FALSE(again.created());
  v1::SyncRequest report = Hello("alice");
  report.set_sync_seq(2);
  AddReport(report, leased.leases(0), 0.5);
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse stored, Sync(report));
  EXPECT_THAT(stored.stored(), SizeIs(1));
  ASSERT_OK_AND_ASSIGN(const v1::SweepStatus status, GetSweep("grid"));
  EXPECT_EQ(status.summary().jobs().succeeded(), 1);
}

TEST_F(StartupTest, AReadOnlyServerAnswersAndChangesNothing) {
  config_.read_only = true;
  EXPECT_THAT(TryStart(), StatusIs(StatusCode::kNotFound, HasSubstr(config_.database)));
  config_.read_only = false;
  Start();
  ASSERT_THAT(Submit("key"), IsOk());
  RunEverything();
  server_->Shutdown();

  config_.read_only = true;
  Start();
  ASSERT_OK_AND_ASSIGN(const v1::SweepStatus status, GetSweep("grid"));
  EXPECT_EQ(status.summary().jobs().succeeded(), 8);
  v1::RankRequest rank;
  rank.set_sweep("grid");
  EXPECT_THAT(Rank(rank), IsOk());
  EXPECT_THAT(GetJob(1), IsOk());
  EXPECT_THAT(Query("SELECT * FROM v_ranking"), IsOk());
  EXPECT_THAT(ListWorkers(), IsOk());
  EXPECT_THAT(Submit("other"), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("reading only")));
  EXPECT_THAT(Control("grid", v1::CANCEL), StatusIs(StatusCode::kFailedPrecondition, _));
  EXPECT_THAT(Sync(Hello("alice", 1)), StatusIs(StatusCode::kUnimplemented, _));
}

TEST_F(StartupTest, AReaderServesBesideTheWriter) {
  Start();
  ASSERT_THAT(Submit("key"), IsOk());
  CoordinatorConfig reader = config_;
  reader.read_only = true;
  const auto second = CoordinatorServer::Start(reader, clock_, Catalog::Builtin());
  ASSERT_THAT(second, IsOk());
  const auto stub = v1::SweepService::NewStub(ConnectTo((*second)->address()));
  ASSERT_OK_AND_ASSIGN(const auto list,
                       Call(*stub, &v1::SweepService::Stub::ListSweeps, v1::ListSweepsRequest()));
  EXPECT_THAT(list.sweeps(), SizeIs(1));
  ASSERT_THAT(Submit("another"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto more,
                       Call(*stub, &v1::SweepService::Stub::ListSweeps, v1::ListSweepsRequest()));
  EXPECT_THAT(more.sweeps(), SizeIs(2));
}

}  // namespace
}  // namespace gridsweep
