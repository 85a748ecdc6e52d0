// Every method of both services against any bytes, through real gRPC within this process, on a real store: whatever arrives, the
// answer is a status of ours, the file stays sound, and the coordinator goes on.
//
// Input: one byte chooses the method, as it stands in its service (with the highest bit WorkerService, without it SweepService);
// the rest is its request as it comes off the wire. The store holds one sweep; the worker "alice" of session "s" runs attempt 1 under the
// token of 32 times "a".
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <string>

#include "common/rpc/channel.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/service/sweep_service.h"
#include "coordinator/service/worker_service.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

constexpr char kSweep[] = R"(name: grid
dataset: tiny
training: {epochs: 2, validation: 0.1}
seeds: [1, 2]
grid: {model: [mlp, cnn], activation: [relu, tanh]}
)";

void Require(bool condition, const std::string& what) {
  if (condition) return;
  std::cerr << "request_fuzz: " << what << "\n";
  std::abort();
}

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;

const MethodDescriptor& MethodOf(uint8_t choice) {
  const auto* service = DescriptorPool::generated_pool()->FindServiceByName(
      (choice & 0x80) != 0 ? "gridsweep.v1.WorkerService" : "gridsweep.v1.SweepService");
  return *service->method((choice & 0x7f) % service->method_count());
}

// What CoordinatorServer composes, with a clock and tokens of ours and without a socket.
class Coordinator {
 public:
  Coordinator() {
    StoreOptions options;
    options.clock = &clock_;
    options.make_token = [] { return std::string(32, 'a'); };
    files_ = OpenSqliteStore(folder_ / "fuzz.db", options).value();
    queue_ = std::make_unique<JobQueue>(files_.store.get(), QueueOptions{});
    Require(queue_->Load(*files_.reader, clock_.Now()).ok(), "the store does not load");
    runner_ = std::make_unique<BatchRunner>(files_.store.get(), files_.reader.get(), queue_.get());
    loop_ = std::make_unique<CommitLoop>(runner_.get(), &clock_, CommitLoop::Options{});
    artifacts_ = ArtifactFolder::Open(folder_ / "fuzz.db.artifacts", 1 << 20).value();
    disk_ = std::make_unique<TaskThread>(absl::Hours(1), [] {});
    worker_service_ = std::make_unique<WorkerService>(loop_.get(), &gate_, &metrics_,
                                                      ArtifactParts{.loop = loop_.get(),
                                                                    .store = files_.store.get(),
                                                                    .folder = artifacts_.get(),
                                                                    .disk = disk_.get()});
    sweep_service_ = std::make_unique<SweepService>(SweepService::Parts{
        .loop = loop_.get(),
        .store = files_.store.get(),
        .reader = files_.reader.get(),
        .artifacts = artifacts_.get(),
        .clock = &clock_,
        .catalog = &Catalog::Builtin(),
        .limits = {.max_jobs = 1'000, .max_raw_factor = 2, .max_axis_values = 100},
        .query_limits = {.timeout = absl::Seconds(1), .max_rows = 100},
        .database = folder_ / "fuzz.db",
        .admit = [this](const std::string& address) { return gate_.AdmitUser(address); }});
    grpc::ServerBuilder builder;
    ConfigureServer(builder);
    builder.RegisterService(sweep_service_.get());
    builder.RegisterService(worker_service_.get());
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel({});
  }
  ~Coordinator() {
    channel_ = nullptr;
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
    loop_->Stop();
  }

  grpc::Status Call(const MethodDescriptor& method, const std::string& bytes) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, "/" + method.service()->full_name() + "/" + method.name(), grpc::StubOptions(),
                   &request, &response, [&done](const grpc::Status& status) { done.set_value(status); });
    return done.get_future().get();
  }
  StoreReader& reader() { return *files_.reader; }
  bool Works() {
    return loop_->Run([&](JobQueue&, const Instant&) { return absl::OkStatus(); }).ok() &&
           !files_.store->Trouble();
  }

 private:
  TempDir folder_;
  FakeClock clock_;
  CoordinatorMetrics metrics_;
  CallGate gate_{{}, &clock_, &metrics_};
  StoreFiles files_;
  std::unique_ptr<ArtifactFolder> artifacts_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<BatchRunner> runner_;
  std::unique_ptr<CommitLoop> loop_;
  std::unique_ptr<TaskThread> disk_;
  std::unique_ptr<WorkerService> worker_service_;
  std::unique_ptr<SweepService> sweep_service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

const MethodDescriptor& MethodNamed(const std::string& name) {
  const MethodDescriptor* const method =
      DescriptorPool::generated_pool()->FindMethodByName("gridsweep.v1." + name);
  Require(method != nullptr, "no method " + name);
  return *method;
}

void Prepare(Coordinator& coordinator) {
  v1::SubmitRequest submit;
  submit.set_client_key("key");
  submit.set_yaml(kSweep);
  Require(coordinator.Call(MethodNamed("SweepService.Submit"), submit.SerializeAsString()).ok(),
          "the sweep is not taken");
  v1::SyncRequest hello;
  hello.set_protocol_version(kProtocolVersion);
  hello.set_worker("alice");
  hello.set_session("s");
  hello.set_sync_seq(1);
  hello.set_room(1);
  hello.mutable_info()->add_datasets("tiny");
  hello.mutable_info()->add_devices()->set_slots(1);
  Require(coordinator.Call(MethodNamed("WorkerService.Sync"), hello.SerializeAsString()).ok(),
          "the worker is not taken");
}

}  // namespace
}  // namespace gridsweep

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep;
  if (size == 0) return 0;
  const MethodDescriptor& method = MethodOf(data[0]);
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  Coordinator coordinator;
  Prepare(coordinator);
  const grpc::Status status = coordinator.Call(method, bytes);
  const std::unique_ptr<google::protobuf::Message> parsed(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
  const std::string what =
      method.name() + " answers " + std::to_string(status.error_code()) + " " + status.error_message();
  Require(status.error_message().size() < 4'000, what);
  // gRPC's own answer to what is no message is INTERNAL; ours never is. UNKNOWN is an exception that escaped.
  if (parsed->ParseFromString(bytes) && !method.server_streaming()) {
    Require(status.error_code() != grpc::StatusCode::UNKNOWN &&
                status.error_code() != grpc::StatusCode::INTERNAL &&
                status.error_code() != grpc::StatusCode::DATA_LOSS,
            what);
  }
  Require(coordinator.Works(), "nothing is stored any more after " + what);
  const auto found = coordinator.reader().Examine();
  Require(found.ok() && found->damage.empty(), "the file is damaged after " + what);
  const auto sweeps = coordinator.reader().ListSweeps();
  Require(sweeps.ok() && !sweeps->empty(), "the sweeps cannot be read after " + what);
  return 0;
}
