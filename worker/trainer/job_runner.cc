#include "worker/trainer/job_runner.h"

#include <optional>

#include "common/job/job_spec.h"
#include "worker/trainer/torch_guard.h"

namespace gridsweep {
namespace {

// Tells each of `listeners` that its job could not be trained. Where several shared the work, none is blamed: each
// shall be tried alone. A wrong document is wrong wherever it is run, and data that are unusable are so for all.
void Fail(const std::vector<JobListener*>& listeners, const absl::Status& error) {
  const bool whose_is_known =
      listeners.size() == 1 || absl::IsInvalidArgument(error) || absl::IsUnavailable(error);
  for (JobListener* listener : listeners) {
    if (whose_is_known) {
      listener->Ended(error);
    } else {
      listener->Ended(
          JobOutcome{JobOutcome::End::kStopped, std::string(Message(error)), {}, /*retry_alone=*/true});
    }
  }
}

}  // namespace

absl::Status JobRunner::Run(const std::vector<JobTask>& tasks) {
  std::vector<BundleJob> jobs;
  for (const JobTask& task : tasks) {
    absl::StatusOr<JobSpec> spec = JobSpecFromJson(task.document, catalog_);
    if (spec.ok() && !jobs.empty() &&
        (PrefixKey(*spec) != PrefixKey(jobs[0].spec) ||
         spec->dataset_digest != jobs[0].spec.dataset_digest)) {
      spec = InvalidArgument("jobs of one bundle may differ in the scheduler alone");
    }
    if (spec.ok()) {
      jobs.push_back({*std::move(spec), task.listener, task.resume});
    } else {
      task.listener->Ended(spec.status());
    }
  }
  if (jobs.empty()) return absl::OkStatus();

  std::vector<JobListener*> listeners;
  for (const BundleJob& job : jobs) listeners.push_back(job.listener);
  std::optional<BundleTraining> training;
  const std::string dataset = jobs[0].spec.dataset, digest = jobs[0].spec.dataset_digest;
  const absl::Status status = GuardTorch([&]() -> absl::Status {
    auto data = datasets_.Get(dataset, digest);
    // Another machine may have the data, and in order, so this is no job's fault.
    if (!data.ok()) return Unavailable("{}", Message(data.status()));
    training.emplace(std::move(jobs), registry_, *data, device_, kernels_, checkpoints_);
    GS_RETURN_IF_ERROR(training->Check());
    training->Run();
    return absl::OkStatus();
  });
  if (!status.ok()) Fail(training ? training->Unfinished() : listeners, status);
  return absl::IsAborted(status) ? status : absl::OkStatus();
}

}  // namespace gridsweep
