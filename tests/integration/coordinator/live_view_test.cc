// The live view over HTTP: what it serves, and to whom.
#include "coordinator/report/report_page.h"
#include "tests/integration/coordinator/coordinator_fixture.h"
#include "tests/support/raw_http.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LiveViewTest : public CoordinatorTest {
 protected:
  LiveViewTest() { config_.http = "127.0.0.1:0"; }

  void SetUp() override {
    if (!DashboardPage().ok()) GTEST_SKIP() << DashboardPage().status().message();
    Start();
    address_ = server_->live_url().substr(7, server_->live_url().size() - 8);  // between http:// and /
  }
  std::string Get(const std::string& path, const std::string& headers = "") {
    return ExchangeHttp(address_, "GET " + path + " HTTP/1.1\r\nHost: " + address_ +
                                      "\r\nConnection: close\r\n" + headers + "\r\n");
  }

  std::string address_;
};

TEST_F(LiveViewTest, ServesThePageAndItsData) {
  ASSERT_THAT(Submit("key"), IsOk());
  const std::string page = Get("/");
  EXPECT_THAT(page, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(page, HasSubstr("<!doctype html>"));
  const auto list = ParseJson(HttpBody(Get("/api/v1/sweeps")));
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ((*list)["sweeps"][0]["name"], "grid");
  const auto report = ParseJson(HttpBody(Get("/api/v1/sweeps/1/report")));
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ((*report)["cells"]["cell"].size(), 4u);
  EXPECT_EQ((*report)["jobs"]["job"].size(), 8u);
  EXPECT_THAT(Get("/api/v1/sweeps/1/curves"), HasSubstr("Content-Type: application/gzip"));
  EXPECT_THAT(Get("/api/v1/sweeps/99/report"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get("/etc/passwd"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(LiveViewTest, StatesItsPolicy) {
  const std::string page = Get("/");
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(page, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(page, HasSubstr("X-Content-Type-Options: nosniff"));
  EXPECT_THAT(page, Not(HasSubstr("Access-Control-Allow")));
}

TEST_F(LiveViewTest, StreamsProgress) {
  ASSERT_THAT(Submit("key"), IsOk());
  HttpStream stream(address_, "GET /api/v1/sweeps/1/events HTTP/1.1\r\nHost: " + address_ + "\r\n\r\n");
  ASSERT_TRUE(stream.ReadUntil("\n\n")) << stream.received();
  EXPECT_THAT(stream.received(), HasSubstr("Content-Type: text/event-stream"));
  EXPECT_THAT(stream.received(), HasSubstr("event: progress\ndata: {"));
  EXPECT_THAT(stream.received(), HasSubstr("\"pending\":8"));
  ASSERT_THAT(Control("1", v1::CANCEL), IsOk());
  ASSERT_TRUE(stream.ReadUntil("\"cancelled\":8")) << stream.received();
}

TEST_F(LiveViewTest, EndsItsStreamsWhenTheCoordinatorStops) {
  ASSERT_THAT(Submit("key"), IsOk());
  HttpStream stream(address_, "GET /api/v1/sweeps/1/events HTTP/1.1\r\nHost: " + address_ + "\r\n\r\n");
  ASSERT_TRUE(stream.ReadUntil("\n\n"));
  server_->Shutdown();
  EXPECT_FALSE(stream.ReadUntil("never sent"));
}

TEST_F(LiveViewTest, RefusesToShowItselfToTheNetworkWithoutTokens) {
  server_.reset();
  config_.http = "0.0.0.0:0";
  EXPECT_THAT(CoordinatorServer::Start(config_, clock_, Catalog::Builtin()).status(),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("refusing to show the live view")));
}

}  // namespace
}  // namespace gridsweep
