// What a collector sees over HTTP.
#include <cstdlib>
#include <map>
#include <sstream>

#include "tests/integration/coordinator/coordinator_fixture.h"
#include "tests/support/raw_http.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::StartsWith;

std::string Get(const std::string& address, const std::string& path) {
  return ExchangeHttp(address, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

// Samples by name with labels, as they are written.
std::map<std::string, double> SamplesIn(const std::string& text) {
  std::map<std::string, double> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t space = line.rfind(' ');
    if (!line.starts_with('#') && space != std::string::npos)
      samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  return samples;
}

class MetricsTest : public CoordinatorTest {
 protected:
  MetricsTest() { config_.metrics = "127.0.0.1:0"; }
  std::map<std::string, double> Samples() {
    return SamplesIn(HttpBody(Get(server_->metrics_address(), "/metrics")));
  }
};

TEST_F(MetricsTest, FollowWhatHappens) {
  Start();
  const std::string answer = Get(server_->metrics_address(), "/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  std::map<std::string, double> before = SamplesIn(HttpBody(answer));
  EXPECT_EQ(before["gridsweep_jobs{state=\"pending\"}"], 0);
  EXPECT_EQ(before["gridsweep_sync_seconds_count"], 0);
  EXPECT_EQ(before["gridsweep_writer_answers"], 1);
  EXPECT_EQ(before.count("gridsweep_workers{state=\"idle\"}"), 1U) << "also while it is zero";

  ASSERT_THAT(Submit("key"), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse leased, Sync(Hello("alice", 3)));
  ASSERT_EQ(leased.leases_size(), 3);
  ASSERT_THAT(Sync(Hello("bob")), IsOk());
  std::map<std::string, double> during = Samples();
  EXPECT_EQ(during["gridsweep_sweeps_active"], 1);
  EXPECT_EQ(during["gridsweep_jobs{state=\"pending\"}"], 5);
  EXPECT_EQ(during["gridsweep_jobs{state=\"running\"}"], 3);
  EXPECT_EQ(during["gridsweep_leases"], 3);
  EXPECT_EQ(during["gridsweep_leases_granted_total"], 3);
  EXPECT_EQ(during["gridsweep_workers{state=\"working\"}"], 1);
  EXPECT_EQ(during["gridsweep_workers{state=\"idle\"}"], 1);
  EXPECT_EQ(during["gridsweep_sync_seconds_count"], 2);
  EXPECT_GT(during["gridsweep_commits_total"], before["gridsweep_commits_total"]);
  EXPECT_GT(during["gridsweep_wal_bytes"], 0);
  EXPECT_GT(during["gridsweep_disk_free_bytes"], 0);

  v1::SyncRequest report = Hello("alice");
  report.set_sync_seq(2);
  for (const v1::Lease& lease : leased.leases()) AddReport(report, lease, 0.5);
  ASSERT_THAT(Sync(report), IsOk());
  std::map<std::string, double> after = Samples();
  EXPECT_EQ(after["gridsweep_jobs{state=\"succeeded\"}"], 3);
  EXPECT_EQ(after["gridsweep_leases"], 0);
  EXPECT_EQ(after["gridsweep_epochs_reported_total"], 6);
  EXPECT_EQ(after["gridsweep_attempts_reported_total"], 3);
  EXPECT_EQ(after["gridsweep_workers{state=\"idle\"}"], 2);

  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(Samples()["gridsweep_workers{state=\"lost\"}"], 2);
}

TEST_F(MetricsTest, HealthIsACommitAway) {
  Start();
  const std::string answer = Get(server_->metrics_address(), "/healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(HttpBody(answer), "ok\n");
  const std::string address = server_->metrics_address();
  server_->Shutdown();
  EXPECT_EQ(Get(address, "/healthz"), "");
}

TEST_F(MetricsTest, AnswersNothingElse) {
  Start();
  const std::string& address = server_->metrics_address();
  EXPECT_THAT(Get(address, "/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get(address, "/metrics/../../etc/passwd"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ExchangeHttp(address, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"),
              testing::Not(HasSubstr(" 200 ")));
  EXPECT_THAT(ExchangeHttp(address, "nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Get(address, "/healthz"), StartsWith("HTTP/1.1 200 ")) << "and goes on";
}

TEST_F(MetricsTest, AReadOnlyCoordinatorHasNoWriter) {
  Start();
  ASSERT_THAT(Submit("key"), IsOk());
  server_.reset();
  config_.read_only = true;
  Start();
  std::map<std::string, double> samples = Samples();
  EXPECT_EQ(samples["gridsweep_writer_answers"], 0);
  EXPECT_EQ(samples.count("gridsweep_leases"), 0U);
  EXPECT_EQ(samples["gridsweep_jobs{state=\"pending\"}"], 8);
  EXPECT_THAT(Get(server_->metrics_address(), "/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(MetricsTest, AreRefusedBeyondThisMachine) {
  for (const char* address : {"0.0.0.0:0", "192.168.1.5:9464", "[::]:0"}) {
    config_.metrics = address;
    EXPECT_THAT(CoordinatorServer::Start(config_, clock_, Catalog::Builtin()).status(),
                StatusIs(StatusCode::kFailedPrecondition, HasSubstr("refusing to show the metrics")))
        << address;
  }
  config_.metrics = "127.0.0.1";
  EXPECT_THAT(CoordinatorServer::Start(config_, clock_, Catalog::Builtin()).status(),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("address of the metrics")));
}

TEST_F(MetricsTest, TwoCoordinatorsCannotShareAPort) {
  Start();
  CoordinatorConfig second = config_;
  second.database = dir_ / "second.db";
  second.metrics = server_->metrics_address();
  EXPECT_THAT(CoordinatorServer::Start(second, clock_, Catalog::Builtin()).status(),
              StatusIs(StatusCode::kUnavailable, HasSubstr("for the metrics")));
}

// Prometheus' own opinion, where its package is installed.
TEST_F(MetricsTest, PassPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is not here; it is in the package prometheus";
  Start();
  ASSERT_THAT(Submit("key"), IsOk());
  RunEverything();
  WriteFile(dir_ / "metrics.txt", HttpBody(Get(server_->metrics_address(), "/metrics")));
  const std::string output = dir_ / "promtool.txt";
  const int result =
      std::system(("promtool check metrics <" + (dir_ / "metrics.txt") + " >" + output + " 2>&1").c_str());
  EXPECT_EQ(result, 0) << ReadFile(output);
  EXPECT_EQ(ReadFile(output), "") << "it has nothing to complain about";
}

}  // namespace
}  // namespace gridsweep
