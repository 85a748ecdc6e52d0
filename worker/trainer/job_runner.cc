#include "worker/trainer/job_runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "common/data/split.h"
#include "common/job/job_spec.h"
#include "worker/trainer/evaluation.h"
#include "worker/trainer/seeding.h"
#include "worker/trainer/torch_guard.h"

namespace gridsweep {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

// Counts the images of one epoch, trained or evaluated, and says about once a second how far it is.
class EpochProgress {
 public:
  EpochProgress(JobListener& listener, int64_t epoch, int64_t images)
      : listener_(listener), epoch_(epoch), images_(static_cast<double>(images)) {}

  // False once the job should be given up.
  bool Add(int64_t images) {
    done_ += images;
    if (SecondsSince(last_) >= 1) {
      last_ = SteadyClock::now();
      listener_.Progress(epoch_, static_cast<double>(done_) / images_);
    }
    return !listener_.Stopped();
  }

 private:
  JobListener& listener_;
  const int64_t epoch_;
  const double images_;
  int64_t done_ = 0;
  SteadyClock::time_point last_ = SteadyClock::now();
};

// One job on its way: everything that changes from epoch to epoch.
class Training {
 public:
  Training(const JobSpec& spec, const Registry& registry, const DeviceDataset& data, at::Device device,
           JobListener& listener)
      : spec_(spec),
        data_(data),
        device_(device),
        listener_(listener),
        session_(spec, registry,
                 {data.rows, data.columns, static_cast<int64_t>(data.info.class_names.size())}, device),
        shuffle_(MakeGenerator(spec.seed, kShufflePurpose, at::kCPU)),
        lr_(std::get<double>(spec.optimizer.params.at("lr"))),
        scheduler_(registry.schedulers.Make(spec.scheduler, lr_, spec.training.epochs)) {
    const Split split = StratifiedSplit(data.train_labels, static_cast<int64_t>(data.info.class_names.size()),
                                        spec.training.validation, spec.training.samples);
    train_ = at::tensor(split.train, at::kLong);
    validation_ = at::tensor(split.validation, at::kLong).to(device);
    test_ = at::arange(data.test.size(), at::TensorOptions().dtype(at::kLong).device(device));
  }

  // Returns INVALID_ARGUMENT if the batches are too small for the model.
  absl::Status Check() const {
    if (train_.size(0) == 0)
      return InvalidArgument("nothing is left to train on: validation holds out every image");
    const int64_t smallest = std::min(spec_.training.batch_size, train_.size(0));
    if (smallest >= session_.min_batch()) return absl::OkStatus();
    return InvalidArgument(
        "batches of {} cannot train this model: batch normalization needs at least {} images; raise "
        "batch_size or set "
        "batch_norm to false",
        smallest, session_.min_batch());
  }

  JobOutcome Run() {
    for (int64_t epoch = 1; epoch <= spec_.training.epochs; ++epoch) {
      if (!RunEpoch(epoch)) return {JobOutcome::End::kStopped, "", {}};
      const EpochMetrics& metrics = epochs_.back();
      listener_.Epoch(metrics);
      if (!std::isfinite(metrics.train_loss) || !session_.ParametersFinite()) {
        return {JobOutcome::End::kDiverged,
                fmt::format("{} became non-finite in epoch {}",
                            std::isfinite(metrics.train_loss) ? "a parameter" : "the training loss", epoch),
                {}};
      }
      lr_ = scheduler_->Next(metrics);
    }
    Evaluation evaluation;
    if (objective_test_) {
      evaluation =
          Summarize(*objective_test_, data_.test, static_cast<int64_t>(data_.info.class_names.size()));
    }
    return {JobOutcome::End::kSucceeded, "", std::move(evaluation)};
  }

 private:
  // Trains and measures one epoch and appends it to epochs_. Returns false if the job should be given up.
  bool RunEpoch(int64_t epoch) {
    const auto begin = SteadyClock::now();
    EpochProgress progress(listener_, epoch, train_.size(0) + validation_.size(0) + test_.size(0));
    const BatchDone done = [&](int64_t images) { return progress.Add(images); };
    EpochMetrics metrics;
    metrics.epoch = epoch;
    metrics.lr = lr_;
    if (!Train(metrics, done)) return false;
    metrics.samples_per_second = static_cast<double>(train_.size(0)) / SecondsSince(begin);
    if (validation_.size(0) > 0) {
      const auto validation = Measure(session_, data_.train, validation_, done);
      if (!validation) return false;
      metrics.val_loss = validation->loss;
      metrics.val_accuracy = validation->accuracy;
    }
    auto test = Measure(session_, data_.test, test_, done);
    if (!test) return false;
    metrics.test_loss = test->loss;
    metrics.test_accuracy = test->accuracy;
    metrics.seconds = SecondsSince(begin);
    epochs_.push_back(metrics);
    if (ObjectiveEpoch(epochs_, spec_.objective) == epochs_.size() - 1) objective_test_ = std::move(test);
    return true;
  }

  bool Train(EpochMetrics& metrics, const BatchDone& done) {
    const int64_t n = train_.size(0);
    const at::Tensor order = train_.index_select(0, at::randperm(n, shuffle_, at::kLong)).to(device_);
    at::Tensor loss = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(device_));
    at::Tensor correct = at::zeros({}, order.options());
    for (int64_t begin = 0; begin < n;) {
      const int64_t count = NextBatch(n - begin);
      const Batch batch = Gather(data_.train, order.narrow(0, begin, count));
      const auto result = session_.Step(batch.images, batch.labels, lr_);
      loss.add_(result.loss, count);
      correct.add_(result.correct);
      begin += count;
      if (!done(count)) return false;
    }
    // The only read of the device in an epoch's training, hence the point where its time can be taken.
    metrics.train_loss = loss.item<double>() / static_cast<double>(n);
    metrics.train_accuracy = static_cast<double>(correct.item<int64_t>()) / static_cast<double>(n);
    return true;
  }

  // A last batch of one image joins the batch before it: batch normalization cannot train on one.
  int64_t NextBatch(int64_t left) const {
    const int64_t size = spec_.training.batch_size;
    return left <= size || (size > 1 && left == size + 1) ? left : size;
  }

  const JobSpec& spec_;
  const DeviceDataset& data_;
  const at::Device device_;
  JobListener& listener_;
  TrainingSession session_;
  at::Generator shuffle_;
  double lr_;
  std::unique_ptr<Scheduler> scheduler_;
  at::Tensor train_;              // int64 indices into the training set, on the CPU
  at::Tensor validation_, test_;  // on the device
  std::vector<EpochMetrics> epochs_;
  std::optional<Measurement> objective_test_;  // of the objective's epoch so far
};

}  // namespace

absl::StatusOr<JobOutcome> JobRunner::Run(const Json& job, JobListener& listener) {
  GS_ASSIGN_OR_RETURN(const JobSpec spec, JobSpecFromJson(job, catalog_));
  return GuardTorch([&]() -> absl::StatusOr<JobOutcome> {
    auto data = datasets_.Get(spec.dataset, spec.dataset_digest);
    // Another machine may have the data, so this is not the job's fault.
    if (absl::IsNotFound(data.status())) return Unavailable("{}", Message(data.status()));
    if (!data.ok()) return data.status();
    Training training(spec, registry_, **data, device_, listener);
    GS_RETURN_IF_ERROR(training.Check());
    listener.Started((*data)->info);
    return training.Run();
  });
}

}  // namespace gridsweep
