#include "worker/agent/sample_courier.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/data/dataset.h"
#include "common/rpc/grpc_status.h"

namespace gridsweep::agent {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(30);

absl::StatusOr<bool> Send(v1::WorkerService::Stub& stub, const v1::OfferSampleImagesRequest& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
  v1::OfferSampleImagesResponse response;
  const grpc::Status status = stub.OfferSampleImages(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response.wanted();
}

}  // namespace

SampleCourier::SampleCourier(const std::shared_ptr<grpc::Channel>& channel,
                             std::vector<std::string> data_dirs)
    : stub_(v1::WorkerService::NewStub(channel)), data_dirs_(std::move(data_dirs)) {}

void SampleCourier::OnTrainerEvent(const TrainerEvent& event) {
  if (const auto* started = std::get_if<AttemptStarted>(&event.body)) {
    running_[event.attempt] = started->dataset;
    return;
  }
  const auto* finished = std::get_if<AttemptFinished>(&event.body);
  if (finished == nullptr && !std::holds_alternative<TrainerStopped>(event.body)) return;
  const auto attempt = running_.extract(event.attempt);
  if (attempt.empty() || finished == nullptr || finished->evaluation.predictions.empty()) return;
  const DatasetInfo& dataset = attempt.mapped();
  if (!offered_.insert(dataset.digest).second) return;
  Sample sample{.dataset = dataset.name, .digest = dataset.digest, .images = {}};
  for (const Prediction& prediction : finished->evaluation.predictions)
    sample.images.push_back(prediction.index);
  thread_.Post([this, sample = std::move(sample)] { Offer(sample); });
}

void SampleCourier::Offer(const Sample& sample) {
  v1::OfferSampleImagesRequest request;
  request.set_digest(sample.digest);
  const auto offer = [&]() -> absl::Status {
    GS_ASSIGN_OR_RETURN(const bool wanted, Send(*stub_, request));
    if (!wanted) return absl::OkStatus();
    GS_ASSIGN_OR_RETURN(const DatasetFiles files, FindDataset(sample.dataset, data_dirs_));
    GS_ASSIGN_OR_RETURN(const Dataset data, LoadDataset(files));
    if (data.digest != sample.digest)
      return FailedPrecondition("the files have changed since the trainer read them");
    request.set_height(data.rows);
    request.set_width(data.columns);
    const auto size = static_cast<size_t>(data.rows * data.columns);
    for (const int64_t image : sample.images) {
      if (image < 0 || image >= std::ssize(data.test_labels))
        return InvalidArgument("there is no test image {}", image);
      request.add_images(image);
      request.mutable_pixels()->append(
          reinterpret_cast<const char*>(data.test_pixels.data()) + static_cast<size_t>(image) * size, size);
    }
    return Send(*stub_, request).status();
  };
  if (const absl::Status offered = offer(); !offered.ok())
    Log(LogLevel::kInfo, "sample_not_sent", {{"dataset", sample.dataset}, {"error", Message(offered)}});
}

}  // namespace gridsweep::agent
