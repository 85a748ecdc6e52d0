#include "coordinator/http/live_server.h"

#include <httplib.h>

#include "absl/time/clock.h"
#include "coordinator/security/certificates.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;
using testing::Not;

// What the coordinator serves with it: tests/integration/coordinator/live_view_test.cc.
constexpr char kPage[] =
    R"(<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-x='"><p>page)";

// Answers about one sweep, number 7.
LiveServer::Content Content() {
  const auto about = [](const std::string& what) {
    return [what](int64_t sweep) -> absl::StatusOr<std::string> {
      if (sweep != 7) return NotFound("there is no sweep {}", sweep);
      return what;
    };
  };
  return {.page = kPage,
          .sweeps = [] { return R"([{"id":7}])"; },
          .report = about(R"({"report":7})"),
          .progress = about(R"({"progress":7})"),
          .section = [](int64_t, const std::string& name) { return "section " + name; }};
}

int PortOf(const LiveServer& server) {
  const std::string& url = server.url();
  return std::stoi(url.substr(url.rfind(':') + 1));
}

// Talks to the server through `client_`. A request that failed has status -1 and its error as the body.
class LiveServerTest : public testing::Test {
 protected:
  httplib::Response Get(const std::string& path, const httplib::Headers& headers = {}) {
    return Answer(client_->Get(path, headers));
  }
  httplib::Response Post(const std::string& path, const std::string& body,
                         const httplib::Headers& headers = {}) {
    return Answer(client_->Post(path, headers, body, "application/json"));
  }
  static httplib::Response Answer(const httplib::Result& result) {
    if (result) return *result;
    httplib::Response failed;
    failed.status = -1;
    failed.body = httplib::to_string(result.error());
    return failed;
  }

  std::unique_ptr<LiveServer> server_;
  std::unique_ptr<httplib::Client> client_;
};

class OpenLiveServer : public LiveServerTest {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, LiveServer::Start({.address = "127.0.0.1:0"}, Content()));
    client_ = std::make_unique<httplib::Client>("127.0.0.1", PortOf(*server_));
  }
  std::string Here() const { return fmt::format("127.0.0.1:{}", PortOf(*server_)); }
  int StatusOf(const std::string& path, const httplib::Headers& headers = {}) {
    return Get(path, headers).status;
  }
};

TEST_F(OpenLiveServer, SendsNothingCompressedSlowly) {
  const httplib::Response result = Get("/", {{"Accept-Encoding", "gzip, deflate, br"}});
  EXPECT_EQ(result.get_header_value("Content-Encoding"), "");
  EXPECT_EQ(result.get_header_value("Content-Length"), std::to_string(sizeof(kPage) - 1));
  EXPECT_EQ(result.body, kPage);
}

TEST_F(OpenLiveServer, AnUnknownSweepIsAnErrorInWords) {
  const httplib::Response result = Get("/api/v1/sweeps/8/report");
  EXPECT_EQ(result.status, 404);
  EXPECT_EQ(result.body, R"({"error":"there is no sweep 8"})");
  EXPECT_EQ(StatusOf("/api/v1/sweeps/8/events"), 404);
}

TEST_F(OpenLiveServer, NothingElseExists) {
  for (const char* path : {"/index.html", "/../etc/passwd", "/api/v1/sweeps/7", "/api/v1/sweeps/-7/report",
                           "/api/v1/sweeps/99999999999999999999/report", "/api/v1/sweeps/7/secrets"}) {
    EXPECT_EQ(StatusOf(path), 404) << path;
  }
  EXPECT_EQ(Post("/api/v1/sweeps", "{}").status, 404);
  EXPECT_EQ(Answer(client_->Delete("/api/v1/sweeps/7/report")).status, 404);
}

TEST_F(OpenLiveServer, ANameThatSomebodyPointedHereIsRefused) {
  for (const char* path : {"/", "/api/v1/sweeps", "/api/v1/sweeps/7/events"}) {
    EXPECT_EQ(StatusOf(path, {{"Host", "evil.example"}}), 421) << path;
    EXPECT_EQ(StatusOf(path, {{"Host", "evil.example:" + std::to_string(PortOf(*server_))}}), 421) << path;
  }
  EXPECT_EQ(StatusOf("/", {{"Host", fmt::format("localhost:{}", PortOf(*server_))}}), 200);
}

TEST_F(OpenLiveServer, APageOfAnotherOriginIsRefusedAndLearnsNothing) {
  for (const char* origin : {"https://evil.example", "null", "http://127.0.0.1:1"}) {
    const httplib::Response result = Get("/api/v1/sweeps", {{"Origin", origin}});
    EXPECT_EQ(result.status, 403) << origin;
    EXPECT_THAT(result.body, Not(HasSubstr("id"))) << origin;
    EXPECT_FALSE(result.has_header("Access-Control-Allow-Origin")) << origin;
  }
  EXPECT_EQ(StatusOf("/api/v1/sweeps", {{"Origin", "http://" + Here()}}), 200);
  EXPECT_FALSE(
      Get("/api/v1/sweeps", {{"Origin", "http://" + Here()}}).has_header("Access-Control-Allow-Origin"));
}

TEST_F(OpenLiveServer, EveryAnswerStatesThePolicyOfThePage) {
  for (const char* path : {"/", "/api/v1/sweeps", "/nothing"}) {
    const httplib::Response result = Get(path);
    EXPECT_EQ(result.get_header_value("Content-Security-Policy"),
              "default-src 'none'; script-src 'sha256-x='; frame-ancestors 'none'")
        << path;
    EXPECT_EQ(result.get_header_value("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(result.get_header_value("Cross-Origin-Resource-Policy"), "same-origin") << path;
    EXPECT_EQ(result.get_header_value("Cache-Control"), "no-store") << path;
  }
}

TEST(LiveServer, TwoCannotShareAPort) {
  ASSERT_OK_AND_ASSIGN(const auto first, LiveServer::Start({.address = "127.0.0.1:0"}, Content()));
  EXPECT_THAT(LiveServer::Start({.address = fmt::format("127.0.0.1:{}", PortOf(*first))}, Content()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in use")));
  EXPECT_THAT(LiveServer::Start({.address = "nowhere"}, Content()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nowhere")));
}

// Beyond loopback: TLS with the coordinator's certificate, and a token.
class SecureLiveServer : public LiveServerTest {
 protected:
  void SetUp() override {
    const absl::Time now = absl::Now();
    ASSERT_OK_AND_ASSIGN(const Identity authority, MakeAuthority("ours", now, absl::Hours(10)));
    ASSERT_OK_AND_ASSIGN(
        const Identity identity,
        IssueCertificate(authority, {"coordinator", {"127.0.0.1"}, true}, now, absl::Hours(10)));
    WriteFile(dir_ / "ca.crt", authority.certificate);
    WriteFile(dir_ / "server.crt", identity.certificate);
    WriteFile(dir_ / "server.key", identity.key);
    ASSERT_OK_AND_ASSIGN(
        server_, LiveServer::Start({.address = "127.0.0.1:0",
                                    .certificate = dir_ / "server.crt",
                                    .key = dir_ / "server.key",
                                    .admits = [](const std::string& token) { return token == "viewer"; }},
                                   Content()));
    client_ = std::make_unique<httplib::Client>(fmt::format("https://127.0.0.1:{}", PortOf(*server_)));
    client_->set_ca_cert_path((dir_ / "ca.crt").c_str());
    client_->enable_server_certificate_verification(true);
  }

  TempDir dir_;
};

TEST_F(SecureLiveServer, ShowsNoDataWithoutAToken) {
  const httplib::Response page = Get("/");
  EXPECT_EQ(page.status, 200) << page.body;  // the app, which asks for the token
  for (const char* path : {"/api/v1/sweeps", "/api/v1/sweeps/7/report", "/api/v1/sweeps/7/curves",
                           "/api/v1/sweeps/7/events", "/api/v1/anything"}) {
    EXPECT_EQ(Get(path).status, 401) << path;
    EXPECT_EQ(Get(path, {{"Cookie", "gridsweep_token=guess"}}).status, 401) << path;
    EXPECT_EQ(Get(path, {{"Cookie", "not_gridsweep_token=viewer"}}).status, 401) << path;
  }
}

TEST_F(SecureLiveServer, ATokenBecomesACookieThatScriptsCannotRead) {
  const httplib::Response login = Post("/api/v1/login", R"({"token":"viewer"})");
  ASSERT_EQ(login.status, 204);
  const std::string cookie = login.get_header_value("Set-Cookie");
  EXPECT_EQ(cookie, "gridsweep_token=viewer; Path=/; HttpOnly; Secure; SameSite=Strict");
  const httplib::Headers signed_in = {{"Cookie", "theme=dark; " + cookie.substr(0, cookie.find(';'))}};
  EXPECT_EQ(Get("/api/v1/sweeps", signed_in).body, R"([{"id":7}])");
}

TEST_F(SecureLiveServer, WrongTokensAreRefused) {
  for (const char* body : {R"({"token":"guess"})", R"({"token":""})"}) {
    const httplib::Response login = Post("/api/v1/login", body);
    EXPECT_EQ(login.status, 401) << body;
    EXPECT_FALSE(login.has_header("Set-Cookie")) << body;
  }
  for (const char* body : {"", "viewer", R"({"token":7})"}) {
    EXPECT_EQ(Post("/api/v1/login", body).status, 400) << body;
  }
  const std::string large = R"({"token":")" + std::string(100'000, 'x') + R"("})";
  EXPECT_EQ(Post("/api/v1/login", large).status, 413);
}

TEST_F(SecureLiveServer, SignsNobodyInFromAnotherPage) {
  const httplib::Response login =
      Post("/api/v1/login", R"({"token":"viewer"})", {{"Origin", "https://evil.example"}});
  EXPECT_EQ(login.status, 403);
  EXPECT_FALSE(login.has_header("Set-Cookie"));
}

TEST_F(SecureLiveServer, SpeaksNoPlainText) {
  httplib::Client plain("127.0.0.1", PortOf(*server_));
  EXPECT_NE(Answer(plain.Get("/")).status, 200);
}

}  // namespace
}  // namespace gridsweep
