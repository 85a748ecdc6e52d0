// How often one caller may call, and how large a call may be.
#include <google/protobuf/descriptor.h>

#include <functional>

#include "tests/integration/coordinator/call_method.h"
#include "tests/integration/coordinator/coordinator_fixture.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class LimitsTest : public CoordinatorTest {};

TEST_F(LimitsTest, NoMethodOfUsersCanBeCalledWithoutEnd) {
  config_.calls.users = {.per_second = 1, .burst = 1};
  Start();
  const auto channel = ConnectTo(server_->address());
  const auto* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName("gridsweep.v1.SweepService");
  ASSERT_NE(service, nullptr);
  ASSERT_GE(service->method_count(), 12);
  ASSERT_TRUE(CallMethod(channel, "/gridsweep.v1.SweepService/GetServerInfo").ok());
  for (int i = 0; i < service->method_count(); ++i) {
    const std::string method = "/gridsweep.v1.SweepService/" + service->method(i)->name();
    const grpc::Status status = CallMethod(channel, method);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << method;
    EXPECT_THAT(status.error_message(), HasSubstr("'ipv4:127.0.0.1' calls too often: try again in 1.000 s"))
        << method;
  }
  EXPECT_THAT(Sync(Hello("alice")), IsOk()) << "workers do not suffer for it";
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(CallMethod(channel, "/gridsweep.v1.SweepService/GetServerInfo").ok())
      << "after the advised time";
}

TEST_F(LimitsTest, ARegisteredWorkerIsHeardWhateverStrangersAtItsAddressDo) {
  config_.calls.newcomers = {.per_second = 1, .burst = 3};
  Start();
  ASSERT_THAT(Sync(Hello("alice")), IsOk());
  v1::SyncRequest stranger = Hello("mallory");
  stranger.clear_info();  // so it is never registered
  absl::Status refused;
  for (int i = 0; i < 3 && refused.ok(); ++i) refused = Sync(stranger).status();
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, HasSubstr("try again in")));
  EXPECT_THAT(Sync(Hello("bob")), StatusIs(StatusCode::kResourceExhausted, HasSubstr("127.0.0.1")));
  for (int i = 2; i < 100; ++i) {
    v1::SyncRequest request = Hello("alice");
    request.set_sync_seq(static_cast<uint64_t>(i));
    ASSERT_THAT(Sync(request), IsOk()) << i;
  }
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Sync(Hello("bob")), IsOk()) << "newcomers have their turn too";
}

TEST_F(LimitsTest, AWorkerGoneWildIsSlowedDown) {
  config_.calls.workers = {.per_second = 10, .burst = 5};
  Start();
  absl::Status status = Sync(Hello("alice")).status();
  int let_in = 0;
  for (; status.ok() && let_in < 100; ++let_in) status = Sync(Hello("alice")).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kResourceExhausted,
                               HasSubstr("'alice' calls too often: try again in 0.100 s")));
  EXPECT_LE(let_in, 6);
  EXPECT_THAT(Sync(Hello("bob")), IsOk());
}

struct Oversize {
  const char* name;
  std::function<void(v1::SyncRequest&)> make;
  const char* says;
};

TEST_F(LimitsTest, ACallThatIsTooLargeInAnyPartIsRefusedByName) {
  Start();
  const std::string big(300'000, 'x');
  const std::vector<Oversize> cases = {
      {"worker", [&](auto& r) { r.set_worker(big); }, "a worker's name has 300000 bytes, at most 256"},
      {"session", [&](auto& r) { r.set_session(big); }, "a session has"},
      {"host", [&](auto& r) { r.mutable_info()->set_host(big); }, "a worker's host has"},
      {"version", [&](auto& r) { r.mutable_info()->set_version(big); }, "a worker's version has"},
      {"device", [&](auto& r) { r.mutable_info()->mutable_devices(0)->set_model(big); },
       "a device's model has"},
      {"slots", [](auto& r) { r.mutable_info()->mutable_devices(0)->set_slots(-1); },
       "a device has -1 slots"},
      {"devices",
       [](auto& r) {
         for (int i = 0; i < 2000; ++i) r.mutable_info()->add_devices();
       },
       "carries 2001 devices, at most 1024"},
      {"datasets",
       [](auto& r) {
         for (int i = 0; i < 20'000; ++i) r.mutable_info()->add_datasets("d");
       },
       "data sets, at most"},
      {"room", [](auto& r) { r.set_room(-5); }, "room for -5 jobs"},
      {"held",
       [](auto& r) {
         for (int i = 0; i < 200'000; ++i) r.add_held();
       },
       "carries 200000 held attempts"},
      {"held token", [&](auto& r) { r.add_held()->set_token(big); }, "a lease's token has"},
      {"events",
       [](auto& r) {
         v1::AttemptEvents& events = *r.add_events();
         for (int i = 0; i < 1'000'001; ++i) events.add_events();
       },
       "carries 1000001 events"},
      {"environment", [&](auto& r) { r.add_events()->add_events()->mutable_started()->set_environment(big); },
       "an environment has"},
      {"error", [&](auto& r) { r.add_events()->add_events()->mutable_finished()->set_error(big); },
       "an attempt's error has"},
      {"stderr", [&](auto& r) { r.add_events()->add_events()->mutable_finished()->set_stderr_tail(big); },
       "an attempt's stderr has"},
  };
  for (const Oversize& oversize : cases) {
    v1::SyncRequest request = Hello("alice");
    oversize.make(request);
    EXPECT_THAT(Sync(request), StatusIs(StatusCode::kInvalidArgument, HasSubstr(oversize.says)))
        << oversize.name;
  }
  EXPECT_THAT(Sync(Hello("alice")), IsOk());
}

TEST_F(LimitsTest, UsersCannotSendMuchEither) {
  Start();
  EXPECT_THAT(GetSweep(std::string(5'000, 'x')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("at most 1024")));
  EXPECT_THAT(Query("select '" + std::string(3 << 20, 'x') + "'"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("at most 2097152")));
  EXPECT_THAT(Query("select '" + std::string(40 << 20, 'x') + "'"),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("larger")))
      << "gRPC does not even read it";
  EXPECT_THAT(Query("select 1"), IsOk());
}

TEST_F(LimitsTest, ALongErrorArrivesCutAndNotAsAnotherOne) {
  Start();
  const absl::Status status = Query("select " + std::string(100'000, 'x')).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument, HasSubstr("xxx")));
  EXPECT_LT(Message(status).size(), 3'000U);
}

}  // namespace
}  // namespace gridsweep
