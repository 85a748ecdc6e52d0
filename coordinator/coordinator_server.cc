#include "coordinator/coordinator_server.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <chrono>
#include <utility>

#include "common/base/address.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/base/task_thread.h"
#include "common/rpc/channel.h"
#include "coordinator/artifacts/artifact_folder.h"
#include "coordinator/http/live_server.h"
#include "coordinator/http/page_server.h"
#include "coordinator/metrics/coordinator_metrics.h"
#include "coordinator/net/connection_acceptor.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/report/report_page.h"
#include "coordinator/security/authenticator.h"
#include "coordinator/service/analyst.h"
#include "coordinator/service/coordinator_state.h"
#include "coordinator/service/live_content.h"
#include "coordinator/service/sweep_service.h"
#include "coordinator/service/worker_service.h"
#include "coordinator/store/sqlite_store.h"

namespace gridsweep {
namespace {

constexpr std::chrono::seconds kDrain{5};
constexpr char kArtifactsSuffix[] = ".artifacts";
constexpr absl::Duration kAnalysisInterval = absl::Seconds(2);
// Whose role may call it may look at the live view.
constexpr std::string_view kSeeResults = "/gridsweep.v1.SweepService/Rank";

// Deletes files that no row refers to any more.
void CollectArtifacts(ArtifactFolder& artifacts, StoreReader& reader) {
  const absl::StatusOr<int> removed = artifacts.Collect([&reader] { return reader.ReferencedArtifacts(); });
  if (!removed.ok()) {
    Log(LogLevel::kWarning, "artifacts_not_collected", {{"error", Message(removed.status())}});
  } else if (*removed > 0) {
    Log(LogLevel::kDebug, "artifacts_collected", {{"files", *removed}, {"bytes_left", artifacts.bytes()}});
  }
}

// Below the ten seconds that Prometheus gives a scrape by default.
constexpr absl::Duration kWriterPatience = absl::Seconds(2);

absl::Status CheckMetricsAddress(const std::string& address) {
  if (CheckLoopback(address).ok()) return absl::OkStatus();
  return FailedPrecondition(
      "refusing to show the metrics on '{}': anyone who reaches the port could read them. Take an address of this machine alone, "
      "such as 127.0.0.1:9464, and let Prometheus run here or come through an SSH tunnel",
      address);
}

Page MetricsPage(const CoordinatorMetrics& metrics, CommitLoop* loop, StoreReader& reader) {
  const absl::StatusOr<CoordinatorState> state = TakeState(loop, reader, kWriterPatience);
  if (!state.ok()) return {.status = 503, .body = Message(state.status()) + "\n"};
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = RenderMetrics(metrics, *state)};
}

Page HealthPage(CommitLoop* loop) {
  const absl::Status healthy = CheckWriter(loop, kWriterPatience);
  if (!healthy.ok()) return {.status = 503, .body = Message(healthy) + "\n"};
  return {.body = "ok\n"};
}

}  // namespace

// Destroyed in reverse: the server first, the store last.
struct CoordinatorServer::Parts {
  StoreFiles files;
  std::unique_ptr<ArtifactFolder> artifacts;
  std::unique_ptr<JobQueue> queue;
  CoordinatorMetrics metrics;
  std::unique_ptr<CallGate> gate;
  std::atomic<grpc::HealthCheckServiceInterface*> health{nullptr};  // once the server runs
  std::unique_ptr<BatchRunner> runner;
  std::unique_ptr<CommitLoop> loop;
  std::unique_ptr<TaskThread> disk;
  std::unique_ptr<Analyst> analyst;
  std::unique_ptr<TaskThread> analysis;  // where the analyst works
  std::unique_ptr<WorkerService> worker_service;
  std::unique_ptr<SweepService> sweep_service;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> intake;  // of the server
  std::unique_ptr<ConnectionAcceptor> acceptor;
  std::unique_ptr<PageServer> pages;
  std::unique_ptr<TokenStore> tokens;  // of the live view
  std::unique_ptr<LiveContent> live_content;
  std::unique_ptr<LiveServer> live;
};

// Counts what the loop does, and tells the health service whether anything can be stored.
CommitLoop::Options CoordinatorServer::LoopOptions(Parts& parts, const CoordinatorConfig& config) {
  CommitLoop::Options options;
  options.on_broken = config.on_broken;
  options.on_batch = [&parts](const BatchReport& batch) {
    CoordinatorMetrics& metrics = parts.metrics;
    (batch.stored ? metrics.commits : metrics.failed_commits).fetch_add(1, std::memory_order_relaxed);
    if (batch.stored)
      metrics.operations.fetch_add(static_cast<int64_t>(batch.operations), std::memory_order_relaxed);
    metrics.in_trouble = batch.in_trouble;
    metrics.commit_seconds.Observe(absl::ToDoubleSeconds(batch.took));
    grpc::HealthCheckServiceInterface* const health = parts.health;
    if (health != nullptr) health->SetServingStatus(!batch.in_trouble);
  };
  return options;
}

AuthenticatorHooks CoordinatorServer::Hooks(Parts& parts) {
  return {.admit = [&parts](const std::string& who) { return parts.gate->AdmitUser(who); },
          .on_denied = [&parts] { parts.metrics.denied_calls.fetch_add(1, std::memory_order_relaxed); }};
}

CoordinatorServer::CoordinatorServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

CoordinatorServer::~CoordinatorServer() {
  Shutdown();
}

absl::StatusOr<std::unique_ptr<CoordinatorServer>> CoordinatorServer::Start(const CoordinatorConfig& config,
                                                                            const Clock& clock,
                                                                            const Catalog& catalog) {
  GS_RETURN_IF_ERROR(CheckAddress("address to listen on", config.listen));
  GS_RETURN_IF_ERROR(CheckFileLimit());
  if (!config.metrics.empty()) GS_RETURN_IF_ERROR(CheckMetricsAddress(config.metrics));
  const SecurityDirectory security(config.security);
  const bool secure = !config.security.empty();
  if (secure) GS_RETURN_IF_ERROR(security.Check(clock.Now().wall));
  if (const absl::Status safe = CheckLoopback(config.listen); !secure && !safe.ok()) {
    if (!config.allow_insecure) return safe;
    Log(LogLevel::kWarning, "insecure_listen",
        {{"address", config.listen}, {"risk", "anyone who reaches this port controls the sweeps"}});
  }
  auto parts = std::make_unique<Parts>();
  parts->gate = std::make_unique<CallGate>(config.calls, &clock, &parts->metrics);
  SweepService::Parts service{
      .clock = &clock, .catalog = &catalog, .limits = config.limits, .database = config.database};
  if (config.read_only) {
    GS_ASSIGN_OR_RETURN(parts->files, OpenSqliteStoreReadOnly(config.database));
    parts->artifacts = ArtifactFolder::OpenReadOnly(config.database + kArtifactsSuffix);
  } else {
    GS_ASSIGN_OR_RETURN(parts->files, OpenSqliteStore(config.database));
    GS_ASSIGN_OR_RETURN(parts->artifacts,
                        ArtifactFolder::Open(config.database + kArtifactsSuffix, config.artifacts_limit));
    QueueOptions options = config.queue;
    options.jitter = RandomUnit;
    parts->queue = std::make_unique<JobQueue>(parts->files.store.get(), options);
    GS_RETURN_IF_ERROR(parts->queue->Load(*parts->files.reader, clock.Now()));
    parts->runner = std::make_unique<BatchRunner>(parts->files.store.get(), parts->files.reader.get(),
                                                  parts->queue.get());
    parts->loop = std::make_unique<CommitLoop>(parts->runner.get(), &clock, LoopOptions(*parts, config));
    const auto collect = [artifacts = parts->artifacts.get(), reader = parts->files.reader.get()] {
      CollectArtifacts(*artifacts, *reader);
    };
    parts->disk = std::make_unique<TaskThread>(config.collect, collect);
    parts->worker_service =
        std::make_unique<WorkerService>(parts->loop.get(), parts->gate.get(), &parts->metrics,
                                        ArtifactParts{.loop = parts->loop.get(),
                                                      .store = parts->files.store.get(),
                                                      .folder = parts->artifacts.get(),
                                                      .disk = parts->disk.get(),
                                                      .collect = collect});
    parts->analyst = std::make_unique<Analyst>(parts->loop.get(), parts->files.store.get(),
                                               parts->files.reader.get(), &clock);
    parts->analysis = std::make_unique<TaskThread>(
        kAnalysisInterval, [analyst = parts->analyst.get()] { analyst->Look(/*last=*/false); });
    service.loop = parts->loop.get();
    service.store = parts->files.store.get();
  }
  service.reader = parts->files.reader.get();
  service.artifacts = parts->artifacts.get();
  // Where callers have names, the authenticator asks by name.
  if (!secure)
    service.admit = [gate = parts->gate.get()](const std::string& address) {
      return gate->AdmitUser(address);
    };
  parts->sweep_service = std::make_unique<SweepService>(std::move(service));
  if (!config.http.empty()) GS_RETURN_IF_ERROR(StartLiveView(*parts, config, clock));

  if (!config.metrics.empty()) {
    GS_ASSIGN_OR_RETURN(
        parts->pages,
        PageServer::Start(config.metrics,
                          {{"/metrics",
                            [&parts = *parts] {
                              return MetricsPage(parts.metrics, parts.loop.get(), *parts.files.reader);
                            }},
                           {"/healthz", [&parts = *parts] { return HealthPage(parts.loop.get()); }}}));
  }
  grpc::EnableDefaultHealthCheckService(true);
  GS_ASSIGN_OR_RETURN(ListeningSockets sockets, ListeningSockets::Bind(config.listen));
  const int port = sockets.port();
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  parts->intake = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      secure ? SecureCredentials(security, config.client_certificates, &clock, Hooks(*parts))
             : grpc::InsecureServerCredentials());
  builder.RegisterService(parts->sweep_service.get());
  if (parts->worker_service != nullptr) builder.RegisterService(parts->worker_service.get());
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr) return Internal("gRPC cannot start a server");
  parts->acceptor = std::make_unique<ConnectionAcceptor>(
      std::move(sockets), config.max_connections,
      [intake = parts->intake.get()](int listener, int connection) {
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
        parameters.listener_fd = listener;
        parameters.fd = connection;
        intake->HandleNewConnection(&parameters);
      });
  parts->health = parts->server->GetHealthCheckService();
  std::unique_ptr<CoordinatorServer> server(new CoordinatorServer(std::move(parts)));
  server->address_ = fmt::format("{}:{}", config.listen.substr(0, config.listen.rfind(':')), port);
  if (!config.read_only)
    GS_RETURN_IF_ERROR(PublishAddress(*server->parts_->files.store, server->address_, secure));
  return server;
}

std::string CoordinatorServer::metrics_address() const {
  return parts_ == nullptr || parts_->pages == nullptr ? "" : parts_->pages->address();
}

std::string CoordinatorServer::live_url() const {
  return parts_ == nullptr || parts_->live == nullptr ? "" : parts_->live->url();
}

absl::Status CoordinatorServer::StartLiveView(Parts& parts, const CoordinatorConfig& config,
                                              const Clock& clock) {
  const SecurityDirectory security(config.security);
  const bool secure = !config.security.empty();
  if (!secure && !CheckLoopback(config.http).ok()) {
    return FailedPrecondition(
        "refusing to show the live view on '{}': anyone who reaches the port could read the results. Give the coordinator a "
        "--security directory, which brings TLS and tokens, or take an address of this machine alone, such as 127.0.0.1:8080, "
        "and come through an SSH tunnel",
        config.http);
  }
  GS_ASSIGN_OR_RETURN(const std::string_view page, DashboardPage());
  parts.live_content =
      std::make_unique<LiveContent>(parts.sweep_service.get(), parts.files.reader.get(), &clock);
  LiveServer::Options options{.address = config.http};
  if (secure) {
    parts.tokens = std::make_unique<TokenStore>(security.tokens());
    options.certificate = security.server_certificate();
    options.key = security.server_key();
    options.admits = [tokens = parts.tokens.get()](const std::string& token) {
      const auto known = tokens->Find(token);
      return known.ok() && known->has_value() && IsAllowed((*known)->role, kSeeResults);
    };
  }
  LiveContent* const content = parts.live_content.get();
  GS_ASSIGN_OR_RETURN(
      parts.live,
      LiveServer::Start(std::move(options),
                        {.page = std::string(page),
                         .sweeps = [content] { return content->Sweeps(); },
                         .report = [content](int64_t sweep) { return content->Report(SweepId{sweep}); },
                         .progress = [content](int64_t sweep) { return content->Progress(SweepId{sweep}); },
                         .section =
                             [content](int64_t sweep, const std::string& name) {
                               return content->Section(SweepId{sweep}, name);
                             }}));
  return absl::OkStatus();
}

void CoordinatorServer::Shutdown() {
  if (parts_ == nullptr) return;
  parts_->live = nullptr;
  parts_->pages = nullptr;
  if (grpc::HealthCheckServiceInterface* const health = parts_->health.exchange(nullptr); health != nullptr)
    health->SetServingStatus(false);
  if (parts_->acceptor != nullptr) parts_->acceptor->Stop();
  if (parts_->server != nullptr) parts_->server->Shutdown(std::chrono::system_clock::now() + kDrain);
  if (parts_->analysis != nullptr) {
    // What ended last is to be found in the database too.
    parts_->analysis->Post([analyst = parts_->analyst.get()] { analyst->Look(/*last=*/true); });
    parts_->analysis->Stop();
  }
  if (parts_->loop != nullptr) parts_->loop->Stop();
  parts_ = nullptr;
}

}  // namespace gridsweep
