// Who gets in, over real TLS.
#include <google/protobuf/descriptor.h>
#include <sys/stat.h>

#include <sstream>

#include "absl/time/clock.h"
#include "common/base/secret.h"
#include "coordinator/security/security_directory.h"
#include "tests/integration/coordinator/call_method.h"
#include "tests/integration/coordinator/coordinator_fixture.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class SecurityTest : public CoordinatorTest {
 protected:
  SecurityTest() : security_(dir_ / "security") {
    clock_.SetWall(absl::Now());  // gRPC looks at the real clock
    EXPECT_THAT(security_.Init({}, clock_.Now().wall), IsOk());
    config_.security = dir_ / "security";
  }

  Endpoint As(const std::string& token_file) const {
    return {.address = server_->address(),
            .ca_file = security_.ca(),
            .token_file = token_file,
            .certificate_file = {},
            .key_file = {}};
  }
  std::string TokenOf(Role role) const {
    return dir_ / ("security/" + std::string(RoleName(role)) + ".token");
  }

  grpc::StatusCode CodeOf(const Endpoint& endpoint, const std::string& method) {
    const auto channel = ConnectTo(endpoint);
    EXPECT_THAT(channel, IsOk());
    return CallMethod(*channel, method).error_code();
  }

  static std::vector<std::string> AllMethods() {
    std::vector<std::string> methods;
    for (const char* service : {"gridsweep.v1.SweepService", "gridsweep.v1.WorkerService"}) {
      const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
      EXPECT_NE(descriptor, nullptr) << service;
      for (int i = 0; descriptor != nullptr && i < descriptor->method_count(); ++i)
        methods.push_back("/" + descriptor->full_name() + "/" + descriptor->method(i)->name());
    }
    return methods;
  }

  SecurityDirectory security_;
};

TEST_F(SecurityTest, EveryMethodIsClosedToNobodyAndOpenToTheRolesThatTheTableNames) {
  Start();
  WriteFile(dir_ / "wrong.token", std::string(64, '0') + "\n");
  chmod((dir_ / "wrong.token").c_str(), 0600);
  const std::vector<std::string> methods = AllMethods();
  ASSERT_GE(methods.size(), 13U);
  for (const std::string& method : methods) {
    EXPECT_EQ(CodeOf(As(""), method), grpc::StatusCode::UNAUTHENTICATED) << method;
    EXPECT_EQ(CodeOf(As(dir_ / "wrong.token"), method), grpc::StatusCode::UNAUTHENTICATED) << method;
    int allowed = 0;
    for (const Role role : kAllRoles) {
      const grpc::StatusCode code = CodeOf(As(TokenOf(role)), method);
      if (IsAllowed(role, method)) {
        ++allowed;
        EXPECT_NE(code, grpc::StatusCode::UNAUTHENTICATED) << method << " as " << RoleName(role);
        EXPECT_NE(code, grpc::StatusCode::PERMISSION_DENIED) << method << " as " << RoleName(role);
      } else {
        EXPECT_EQ(code, grpc::StatusCode::PERMISSION_DENIED) << method << " as " << RoleName(role);
      }
    }
    EXPECT_GE(allowed, 1) << method << " has no rule";
    EXPECT_LT(allowed, 4) << method;
  }
  EXPECT_EQ(CodeOf(As(TokenOf(Role::kAdmin)), "/gridsweep.v1.SweepService/Destroy"),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(SecurityTest, AWorkersTokenActsOnlyOnLeasesThatItWasGiven) {
  Start();
  const auto submitter = v1::SweepService::NewStub(ConnectTo(As(TokenOf(Role::kSubmitter))).value());
  v1::SubmitRequest submit;
  submit.set_client_key("key");
  submit.set_yaml(kGridYaml);
  ASSERT_THAT(Call(*submitter, &v1::SweepService::Stub::Submit, submit), IsOk());
  const auto workers = v1::WorkerService::NewStub(ConnectTo(As(TokenOf(Role::kWorker))).value());
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse leased,
                       Call(*workers, &v1::WorkerService::Stub::Sync, Hello("alice", 1)));
  ASSERT_EQ(leased.leases_size(), 1);

  // Another worker, with the same right to sync, that knows the attempt but not its lease's token.
  v1::SyncRequest thief = Hello("mallory");
  v1::Lease guessed = leased.leases(0);
  guessed.set_token(std::string(32, '0'));
  AddReport(thief, guessed, 0.99);
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse answer, Call(*workers, &v1::WorkerService::Stub::Sync, thief));
  EXPECT_EQ(answer.stored_size(), 0);
  ASSERT_EQ(answer.stop_size(), 1);
  const auto viewer = v1::SweepService::NewStub(ConnectTo(As(TokenOf(Role::kViewer))).value());
  v1::GetJobRequest job;
  job.set_job(leased.leases(0).job());
  ASSERT_OK_AND_ASSIGN(const v1::JobDetail detail, Call(*viewer, &v1::SweepService::Stub::GetJob, job));
  EXPECT_EQ(detail.epochs_size(), 0);
}

TEST_F(SecurityTest, TokensComeAndGoWithoutARestart) {
  Start();
  const std::string method = "/gridsweep.v1.SweepService/ListSweeps";
  const std::string file = dir_ / "second.token";
  ASSERT_OK_AND_ASSIGN(const std::string id, security_.AddToken(Role::kViewer, file));
  const auto channel = ConnectTo(As(file)).value();
  EXPECT_TRUE(CallMethod(channel, method).ok()) << "accepted at once";
  ASSERT_THAT(security_.Revoke(id), IsOk());
  EXPECT_EQ(CallMethod(channel, method).error_code(), grpc::StatusCode::UNAUTHENTICATED)
      << "also on an open connection";
  EXPECT_THAT(security_.Revoke(id), StatusIs(StatusCode::kNotFound, HasSubstr("admin-")));
}

TEST_F(SecurityTest, CallsAreCountedByWhoMakesThem) {
  config_.calls.users = {.per_second = 1, .burst = 2};
  Start();
  const std::string method = "/gridsweep.v1.SweepService/ListSweeps";
  const auto viewer = ConnectTo(As(TokenOf(Role::kViewer))).value();
  grpc::Status status;
  for (int i = 0; i < 3; ++i) status = CallMethod(viewer, method);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(),
              testing::ContainsRegex("'viewer-[0-9a-f]+' calls too often: try again in"));
  EXPECT_EQ(CodeOf(As(TokenOf(Role::kAdmin)), method), grpc::StatusCode::OK) << "from the same address";
}

TEST_F(SecurityTest, AFloodOfDeniedCallsDoesNotFloodTheLog) {
  Start();
  const auto nobody = ConnectTo(As("")).value();
  const auto knock = [&] { CallMethod(nobody, "/gridsweep.v1.SweepService/ListSweeps"); };
  testing::internal::CaptureStderr();
  for (int i = 0; i < 100; ++i) knock();
  clock_.Advance(absl::Seconds(1));
  knock();
  std::istringstream log(testing::internal::GetCapturedStderr());
  std::vector<std::string> denied;
  for (std::string line; std::getline(log, line);) {
    if (line.find(" call_denied ") != std::string::npos) denied.push_back(line);
  }
  ASSERT_EQ(denied.size(), 21U);
  EXPECT_THAT(denied.back(), HasSubstr("unlogged_before=80"));
}

TEST_F(SecurityTest, MutualTlsKnowsARoleByItsCertificate) {
  ASSERT_THAT(security_.IssueClient(Role::kViewer, "eve", clock_.Now().wall), IsOk());
  config_.client_certificates = true;
  Start();
  Endpoint eve = As("");
  eve.certificate_file = dir_ / "security/eve.pem";
  eve.key_file = dir_ / "security/eve.key";
  EXPECT_EQ(CodeOf(eve, "/gridsweep.v1.SweepService/ListSweeps"), grpc::StatusCode::OK);
  EXPECT_EQ(CodeOf(eve, "/gridsweep.v1.SweepService/Submit"), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(CodeOf(As(TokenOf(Role::kViewer)), "/gridsweep.v1.SweepService/ListSweeps"),
            grpc::StatusCode::UNAVAILABLE)
      << "a token does not replace the certificate";
}

TEST_F(SecurityTest, AnotherAuthoritysCoordinatorIsNotBelieved) {
  Start();
  const SecurityDirectory other(dir_ / "other");
  ASSERT_THAT(other.Init({}, clock_.Now().wall), IsOk());
  Endpoint endpoint = As(TokenOf(Role::kAdmin));
  endpoint.ca_file = other.ca();
  EXPECT_EQ(CodeOf(endpoint, "/gridsweep.v1.SweepService/ListSweeps"), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SecurityTest, ATokenNeverTravelsUnencrypted) {
  Start();
  Endpoint endpoint = As(TokenOf(Role::kAdmin));
  endpoint.ca_file = "";
  EXPECT_THAT(ConnectTo(endpoint), StatusIs(StatusCode::kInvalidArgument, HasSubstr("--ca")));
  chmod(TokenOf(Role::kAdmin).c_str(), 0644);
  EXPECT_THAT(ConnectTo(As(TokenOf(Role::kAdmin))),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("chmod 600")));
}

TEST_F(SecurityTest, ItDoesNotStartWithASecretThatOthersCanReadOrACertificateThatHasExpired) {
  const auto start = [&] { return CoordinatorServer::Start(config_, clock_, Catalog::Builtin()).status(); };
  chmod(security_.server_key().c_str(), 0644);
  EXPECT_THAT(start(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("chmod 600")));
  chmod(security_.server_key().c_str(), 0600);
  clock_.SetWall(clock_.Now().wall + absl::Hours(24 * 1000));
  EXPECT_THAT(start(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("renew")));
  ASSERT_THAT(security_.RenewServer({}, clock_.Now().wall), IsOk());
  config_.listen = "0.0.0.0:0";
  EXPECT_THAT(start(), IsOk()) << "also beyond loopback";
}

}  // namespace
}  // namespace gridsweep
