// What a network does to workers and coordinator: partitions, dead lines, requests that arrive twice, nonsense, crowds.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <random>

#include "common/rpc/channel.h"
#include "gridsweep/v1/sweep_service.grpc.pb.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"
#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"
#include "tests/support/raw_client.h"
#include "tests/support/tcp_proxy.h"

namespace gridsweep {
namespace {

using testing::AnyOf;

constexpr char kRunsSql[] =
    "SELECT count(*) FROM v_attempts WHERE state = 'open' AND device <> '' AND worker = ";

int64_t TrainedBy(Cluster& cluster, const std::string& worker) {
  return cluster.QueryInt(kRunsSql + ("'" + worker + "'"));
}

void ExpectUndisturbed(Cluster& cluster, const std::string& sweep, const std::string& yaml) {
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(yaml));
}

TEST(NetworkFault, APartitionShorterThanTheLeaseCostsNothing) {
  Cluster cluster({.lease_seconds = 60, .gated = true});
  cluster.StartCoordinator();
  TcpProxy proxy(cluster.address());
  TestProcess& alice =
      cluster.StartWorker("alice", {.flags = {"--slots", "4"}, .coordinator = proxy.address()});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("four jobs to train", [&] { return cluster.QueryInt(kTrainingSql) == 4; }));
  proxy.Freeze();
  cluster.OpenGate();
  ASSERT_TRUE(cluster.AwaitLog(alice, "attempt_finished", 4)) << "behind the partition";
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE accepted"), 0);
  proxy.Thaw();
  ExpectUndisturbed(cluster, sweep, kFaultSweep);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 12) << "no job was trained twice";
}

// Partitioned until another worker has the job; `heal` ends it. Then the first is told, and leaves no trace.
void ExpectFencedAfterPartition(Cluster& cluster, TestProcess& alice, const std::string& sweep,
                                const std::function<void()>& heal) {
  cluster.StartWorker("bob");
  ASSERT_TRUE(cluster.Await("bob to train the job", [&] { return TrainedBy(cluster, "bob") == 1; }));
  heal();
  ASSERT_TRUE(cluster.AwaitLog(alice, "attempt_stopped"));
  cluster.OpenGate();
  ExpectUndisturbed(cluster, sweep, kFaultJob);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE worker = 'bob' AND accepted"), 1);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE worker = 'alice' AND state = 'lost' AND "
                             "epochs = 0"),
            1);
}

TEST(NetworkFault, APartitionLongerThanTheLeaseIsFenced) {
  Cluster cluster({.gated = true});
  cluster.StartCoordinator();
  TcpProxy proxy(cluster.address());
  TestProcess& alice = cluster.StartWorker("alice", {.coordinator = proxy.address()});
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  proxy.Freeze();
  ExpectFencedAfterPartition(cluster, alice, sweep, [&] { proxy.Thaw(); });
}

// A network namespace with one line to ours; gone with the object.
class Namespace {
 public:
  Namespace() {
    works_ = geteuid() == 0 && Ip("netns add " + name_) &&
             Ip("link add " + near_ + " type veth peer name " + far_ + " netns " + name_) &&
             Ip("addr add " + near_address() + "/30 dev " + near_) && Ip("link set " + near_ + " up") &&
             Ip("-n " + name_ + " addr add " + prefix_ + "2/30 dev " + far_) &&
             Ip("-n " + name_ + " link set " + far_ + " up") && Ip("-n " + name_ + " link set lo up");
  }
  ~Namespace() {
    Ip("link del " + near_);
    Ip("netns del " + name_);
  }
  bool works() const { return works_; }
  std::string near_address() const { return prefix_ + "1"; }
  std::vector<std::string> Enter() const { return {"/usr/sbin/ip", "netns", "exec", name_}; }
  bool Cut() { return Ip("link set " + near_ + " down"); }
  bool Mend() { return Ip("link set " + near_ + " up"); }

 private:
  static bool Ip(const std::string& arguments) {
    return std::system(("/usr/sbin/ip " + arguments + " 2>/dev/null").c_str()) == 0;
  }
  const std::string name_ = "gridsweep-" + std::to_string(getpid());
  const std::string near_ = "gsn" + std::to_string(getpid());
  const std::string far_ = "gsf" + std::to_string(getpid());
  const std::string prefix_ = fmt::format("10.231.{}.", getpid() % 250);
  bool works_ = false;
};

TEST(NetworkFault, AMachineWhoseCableIsPulledIsFenced) {
  Namespace machine;
  if (!machine.works()) GTEST_SKIP() << "no network namespace can be made here (needs root and iproute2)";
  Cluster cluster(
      {.gated = true, .coordinator_flags = {"--allow-insecure"}, .listen = machine.near_address() + ":0"});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice", {.wrapper = machine.Enter()});
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  ASSERT_TRUE(machine.Cut());
  ExpectFencedAfterPartition(cluster, alice, sweep, [&] { machine.Mend(); });
}

TEST(NetworkFault, ADeadLineIsNoticedByTheCallsDeadline) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 20}}});
  cluster.StartCoordinator();
  TcpProxy proxy(cluster.address());
  TestProcess& alice = cluster.StartWorker("alice", {.coordinator = proxy.address()});
  ASSERT_TRUE(cluster.AwaitLog(alice, "registered"));
  // Half of it: requests arrive, and no answer comes back.
  proxy.Freeze(false, true);
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.AwaitLog(alice, "coordinator_away")) << "though no connection was closed";
  proxy.Thaw();
  ASSERT_TRUE(cluster.AwaitLog(alice, "coordinator_back"));
  ExpectUndisturbed(cluster, sweep, kFaultSweep);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 12);
}

TEST(NetworkFault, EverythingSaidTwiceIsDoneOnce) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 10}}});
  cluster.StartCoordinator();
  TcpProxy proxy(cluster.address());
  const WorkerSetup through_proxy{.coordinator = proxy.address()};
  cluster.StartWorker("alice", through_proxy);
  cluster.StartWorker("bob", through_proxy);
  WriteFile(cluster.dir() / "faults.yaml", kFaultSweep);
  ASSERT_EQ(cluster.Run({"submit", "faults.yaml", "--coordinator", proxy.address()}).code, 0);
  // In the middle of the sweep, while its workers go on, and after its end.
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 9; }));
  EXPECT_GT(proxy.Replay(), 0);
  ASSERT_TRUE(cluster.AwaitFinished("1"));
  EXPECT_GT(proxy.Replay(), 0);
  ExpectUndisturbed(cluster, "1", kFaultSweep);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_sweeps"), 1) << "one submit, however often it arrives";
  EXPECT_EQ(cluster.QueryInt("SELECT sum(epochs) FROM v_attempts"), 36);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 12);
}

// The greeting of HTTP/2 and an empty SETTINGS frame.
const std::string kHttp2 =
    std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9);

TEST(NetworkFault, NonsenseAndIdleConnectionsDoNotDisturbHonestWorkers) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const size_t crowd = std::min<size_t>(1000, files.rlim_cur / 4);
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 20}}});
  cluster.StartCoordinator();
  std::vector<RawClient> clients;
  std::mt19937 random(20261122);
  const auto noise = [&](size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  };
  for (size_t i = 0; i < crowd; ++i) {
    const RawClient& client = clients.emplace_back(cluster.address());
    ASSERT_TRUE(client.connected()) << i;
    switch (i % 8) {
      case 0:  // says nothing, for ever
        break;
      case 1:
        client.Say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        break;
      case 2:
        client.Say(noise(1 + random() % 4000));
        break;
      case 3:  // a greeting that never ends
        client.Say(std::string_view(kHttp2).substr(0, random() % kHttp2.size()));
        break;
      case 4:
        client.Say(kHttp2 + noise(1 + random() % 4000));
        break;
      case 5:  // a frame of 16 MiB is announced
        client.Say(kHttp2 + std::string("\xff\xff\xff\0\0\0\0\0\1", 9));
        break;
      case 6:  // a request of which only the header's first byte comes
        client.Say(kHttp2 + std::string("\0\0\x40\1\4\0\0\0\1\x82", 10));
        break;
      case 7:  // TLS, to a server that has none
        client.Say(std::string("\x16\x03\x01\x02\0\1\0\1\xfc\3\3", 11) + noise(200));
        break;
    }
  }
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ExpectUndisturbed(cluster, sweep, kFaultSweep);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 12);
  EXPECT_TRUE(cluster.coordinator().IsRunning());
}

// gRPC's own listener never takes a connection again after this.
TEST(NetworkFault, ConnectionsThatTakeAllFilesHoldUpOnlyNewOnesAndNotForEver) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "the sanitizer that looks at objects' types opens a pipe to do so, and takes the error for a wrong type";
#endif
  Cluster cluster({.lease_seconds = 60, .gated = true});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("alice to train", [&] { return TrainedBy(cluster, "alice") == 2; }));
  const pid_t coordinator = cluster.coordinator().pid();
  const std::filesystem::directory_iterator files(fmt::format("/proc/{}/fd", coordinator));
  const auto few = static_cast<rlim_t>(std::distance(begin(files), end(files)) + 10);
  const rlimit limit{.rlim_cur = few, .rlim_max = few};
  ASSERT_EQ(prlimit(coordinator, RLIMIT_NOFILE, &limit, nullptr), 0);
  {
    std::vector<RawClient> crowd;
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(crowd.emplace_back(cluster.address()).connected()) << i;
    ASSERT_TRUE(cluster.AwaitLog(cluster.coordinator(), "connections_full"));
    cluster.OpenGate();
    ASSERT_TRUE(cluster.AwaitFinished(sweep)) << "who is connected does not notice";
  }
  EXPECT_EQ(cluster.Cli({"list"}).code, 0);
  ExpectUndisturbed(cluster, sweep, kFaultSweep);
}

// Calls a method with these bytes for a message.
grpc::Status CallWith(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                      const std::string& bytes) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &response,
                 [&done](const grpc::Status& status) { done.set_value(status); });
  return done.get_future().get();
}

TEST(NetworkFault, NoMessageOfAnyMethodCrashesTheCoordinator) {
  Cluster cluster({.lease_seconds = 60});
  cluster.StartCoordinator();
  const std::string sweep = cluster.Submit(kFaultJob);
  const auto channel = ConnectTo(cluster.address());
  std::mt19937 random(20261122);
  for (const google::protobuf::ServiceDescriptor* service :
       {v1::SweepStatus::descriptor()->file()->FindServiceByName("SweepService"),
        v1::SyncRequest::descriptor()->file()->FindServiceByName("WorkerService")}) {
    ASSERT_NE(service, nullptr);
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string method = "/" + service->full_name() + "/" + service->method(i)->name();
      if (service->method(i)->server_streaming()) continue;
      for (int round = 0; round < 40; ++round) {
        std::string bytes(random() % 60, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random());
        const grpc::Status status = CallWith(channel, method, bytes);
        EXPECT_NE(status.error_code(), grpc::StatusCode::UNAVAILABLE)
            << method << ": " << status.error_message();
        EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << method;
      }
      if (i > 0) continue;  // the limit is the server's, not the method's
      const grpc::Status huge = CallWith(channel, method, std::string(kMaxMessageBytes + 1024, '\n'));
      EXPECT_THAT(huge.error_code(), AnyOf(grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::INTERNAL))
          << method << ": " << huge.error_message();
    }
  }
  EXPECT_TRUE(cluster.coordinator().IsRunning());
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_sweeps"), 1);
  cluster.StartWorker("alice");
  ExpectUndisturbed(cluster, sweep, kFaultJob);
}

// A worker that is only heard, on a connection of its own.
class Listener {
 public:
  Listener(int number, const std::string& address)
      : name_(fmt::format("idle-{}", number)), stub_(v1::WorkerService::NewStub(ConnectTo(address))) {}

  // Until it is answered: what was connected before a crash notices that by a call that fails.
  void Call() {
    for (int tries = 0; tries < 5; ++tries) {
      if (CallOnce() || last_.error_code() != grpc::StatusCode::UNAVAILABLE) return;
    }
  }
  const grpc::Status& last() const { return last_; }

 private:
  bool CallOnce() {
    v1::SyncRequest request;
    request.set_protocol_version(kProtocolVersion);
    request.set_worker(name_);
    request.set_session("session-of-" + name_);
    request.set_sync_seq(++seq_);
    request.mutable_info()->add_datasets("none");
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + kWaitLimit);
    v1::SyncResponse response;
    last_ = stub_->Sync(&context, request, &response);
    return last_.ok();
  }

  const std::string name_;
  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  uint64_t seq_ = 0;
  grpc::Status last_;
};

// `./dev bench control` does it with 2,000.
TEST(NetworkFault, ACrowdFindsItsCoordinatorAgain) {
  constexpr int kCrowd = 200, kThreads = 8;
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 20}}});
  cluster.StartCoordinator();
  std::vector<std::unique_ptr<Listener>> crowd;
  for (int i = 0; i < kCrowd; ++i) crowd.push_back(std::make_unique<Listener>(i, cluster.address()));
  const auto all_call = [&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = t; i < kCrowd; i += kThreads) crowd[static_cast<size_t>(i)]->Call();
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& listener : crowd) ASSERT_TRUE(listener->last().ok()) << listener->last().error_message();
  };
  ASSERT_NO_FATAL_FAILURE(all_call());
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 6; }));
  cluster.CrashCoordinator();
  ASSERT_NO_FATAL_FAILURE(all_call());
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_workers"), kCrowd + 1);
  ExpectUndisturbed(cluster, sweep, kFaultSweep);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 12);
}

}  // namespace
}  // namespace gridsweep
