#include "coordinator/service/worker_service.h"

#include <chrono>
#include <memory>

#include "common/base/log.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/convert_sync.h"

namespace gridsweep {
namespace {

void LogExchange(const SyncInput& input, const SyncOutput& output) {
  if (input.info)
    Log(LogLevel::kInfo, "worker_registered",
        {{"worker", input.worker}, {"host", input.info->record.host}, {"slots", input.info->record.slots}});
  for (const ClaimedJob& job : output.leases) {
    Log(LogLevel::kInfo, "job_leased",
        {{"job", job.attempt.job.value},
         {"attempt", job.attempt.attempt.value},
         {"number", job.attempt.number},
         {"worker", input.worker}});
  }
  for (const AttemptEvents& events : input.events) {
    for (const AttemptEvent& event : events.events) {
      const auto* finished = std::get_if<AttemptFinished>(&event.what);
      if (finished == nullptr) continue;
      Log(LogLevel::kInfo, "attempt_reported",
          {{"attempt", events.attempt.value},
           {"worker", input.worker},
           {"outcome", AttemptStateName(finished->outcome)},
           LogField::IfAny("error", finished->error)});
    }
  }
}

void Count(CoordinatorMetrics& metrics, const SyncInput& input, const SyncOutput& output,
           const absl::Status& status, std::chrono::steady_clock::duration took) {
  metrics.sync_seconds.Observe(std::chrono::duration<double>(took).count());
  if (absl::IsResourceExhausted(status)) metrics.refused_requests.fetch_add(1, std::memory_order_relaxed);
  if (!status.ok()) return;
  int64_t epochs = 0, ended = 0;
  for (const AttemptEvents& events : input.events) {
    for (const AttemptEvent& event : events.events) {
      epochs += std::holds_alternative<EpochMetrics>(event.what) ? 1 : 0;
      ended += std::holds_alternative<AttemptFinished>(event.what) ? 1 : 0;
    }
  }
  metrics.attempts_reported.fetch_add(ended, std::memory_order_relaxed);
  metrics.leases_granted.fetch_add(static_cast<int64_t>(output.leases.size()), std::memory_order_relaxed);
  metrics.epochs_reported.fetch_add(epochs, std::memory_order_relaxed);
}

constexpr int64_t kMostSampleImages = 1024;
constexpr int64_t kMostSampleSide = 1024;
constexpr int64_t kMostSampleBytes = 3 << 20;

// Empty if the request has no pixels.
absl::StatusOr<std::vector<SampleImage>> SampleImagesFrom(const v1::OfferSampleImagesRequest& request) {
  std::vector<SampleImage> images;
  if (request.pixels().empty()) return images;
  const int64_t count = request.images_size();
  const bool fits = count >= 1 && count <= kMostSampleImages && request.height() >= 1 &&
                    request.height() <= kMostSampleSide && request.width() >= 1 &&
                    request.width() <= kMostSampleSide && std::ssize(request.pixels()) <= kMostSampleBytes &&
                    count * request.height() * request.width() == std::ssize(request.pixels());
  if (!fits)
    return InvalidArgument("{} bytes for {} images of {} x {}", request.pixels().size(), count,
                           request.height(), request.width());
  const auto size = static_cast<size_t>(request.height() * request.width());
  for (int i = 0; i < request.images_size(); ++i) {
    if (request.images(i) < 0) return InvalidArgument("an image at position {}", request.images(i));
    images.push_back({.index = request.images(i),
                      .height = request.height(),
                      .width = request.width(),
                      .pixels = request.pixels().substr(static_cast<size_t>(i) * size, size)});
  }
  return images;
}

// What a worker is told when the store fails: keep the events and call again.
absl::Status AsTransient(const absl::Status& status) {
  if (absl::IsAborted(status) || absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status))
    return status;
  return absl::UnavailableError(Message(status));
}

}  // namespace

grpc::ServerUnaryReactor* WorkerService::Sync(grpc::CallbackServerContext* context,
                                              const v1::SyncRequest* request, v1::SyncResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto input = FromProto(*request);
  absl::Status admitted = input.status();
  if (admitted.ok()) admitted = gate_->AdmitWorker(input->worker, AddressOf(context->peer()));
  if (!admitted.ok()) {
    reactor->Finish(ToGrpc(admitted));
    return reactor;
  }
  struct Exchange {
    SyncInput input;
    SyncOutput output;
    std::chrono::steady_clock::time_point begin;
  };
  const auto exchange =
      std::make_shared<Exchange>(Exchange{*std::move(input), {}, std::chrono::steady_clock::now()});
  loop_->Post(
      [exchange](JobQueue& queue, const Instant& now) -> absl::Status {
        GS_ASSIGN_OR_RETURN(exchange->output, queue.Sync(exchange->input, now));
        return absl::OkStatus();
      },
      [exchange, reactor, response, gate = gate_, metrics = metrics_](const absl::Status& status) {
        Count(*metrics, exchange->input, exchange->output, status,
              std::chrono::steady_clock::now() - exchange->begin);
        if (status.ok()) {
          if (!exchange->output.send_info) gate->Registered(exchange->input.worker);
          ToProto(exchange->output, response);
          LogExchange(exchange->input, exchange->output);
        }
        reactor->Finish(status.ok() ? grpc::Status::OK : ToGrpc(AsTransient(status)));
      });
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::OfferSampleImages(grpc::CallbackServerContext* context,
                                                           const v1::OfferSampleImagesRequest* request,
                                                           v1::OfferSampleImagesResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<std::vector<SampleImage>> images = SampleImagesFrom(*request);
  if (!images.ok()) {
    reactor->Finish(ToGrpc(images.status()));
    return reactor;
  }
  loop_->Post(
      [store = artifacts_.store, digest = request->digest(), images = *std::move(images), response](
          JobQueue&, const Instant&) -> absl::Status {
        GS_ASSIGN_OR_RETURN(const bool wanted, store->WantsSampleImages(digest));
        response->set_wanted(wanted);
        return wanted && !images.empty() ? store->RecordSampleImages(digest, images) : absl::OkStatus();
      },
      [reactor](const absl::Status& status) {
        reactor->Finish(status.ok() ? grpc::Status::OK : ToGrpc(AsTransient(status)));
      });
  return reactor;
}

}  // namespace gridsweep
