// Both ends of a connection agree on how often the other may be asked whether it is there.
#include <gtest/gtest.h>

#include "common/rpc/channel.h"
#include "gridsweep/v1/sweep_service.grpc.pb.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/wait_until.h"

namespace gridsweep {
namespace {

// As in channel.h, a thousand times faster; a server that asks too would be counted too.
constexpr Keepalive kFast = {.client_ping = std::chrono::milliseconds(20),
                             .client_patience = std::chrono::seconds(30),
                             .server_expects = std::chrono::milliseconds(10),
                             .server_ping = std::chrono::hours(1),
                             .server_patience = std::chrono::seconds(30)};
static_assert(kFast.client_ping / kFast.server_expects ==
              Keepalive{}.client_ping / Keepalive{}.server_expects);

class KeepaliveTest : public testing::Test {
 protected:
  void Serve(grpc::ServerBuilder& builder) {
    int port = 0;
    builder.RegisterService(&service_);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    proxy_ = std::make_unique<TcpProxy>("127.0.0.1:" + std::to_string(port));
    channel_ = ConnectTo(proxy_->address(), kFast);
    ASSERT_TRUE(channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(60)));
  }
  bool IsConnected() const { return channel_->GetState(false) == GRPC_CHANNEL_READY; }

  v1::SweepService::Service service_;  // a server needs one
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<TcpProxy> proxy_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(KeepaliveTest, AnIdleConnectionIsPingedAndKept) {
  grpc::ServerBuilder builder;
  ConfigureServer(builder, kFast);
  ASSERT_NO_FATAL_FAILURE(Serve(builder));
  // A ping is a frame of 17 bytes. The third too many would have been the last.
  constexpr int64_t kPings = 15;
  const int64_t before = proxy_->bytes_from_clients();
  ASSERT_TRUE(WaitUntil(
      "pings", [&] { return proxy_->bytes_from_clients() >= before + 17 * kPings || !IsConnected(); },
      [&] { return std::to_string(proxy_->bytes_from_clients() - before) + " bytes"; }));
  EXPECT_TRUE(IsConnected()) << "after " << (proxy_->bytes_from_clients() - before) / 17 << " pings";
}

// What the settings are for, and that the test above would notice.
TEST_F(KeepaliveTest, AServerWithoutOurSettingsHangsUp) {
  grpc::ServerBuilder builder;
  ASSERT_NO_FATAL_FAILURE(Serve(builder));
  EXPECT_TRUE(WaitUntil("the end of the connection", [&] { return !IsConnected(); }));
}

}  // namespace
}  // namespace gridsweep
