#include "worker/trainer/bundle_training.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "common/data/split.h"
#include "worker/trainer/seeding.h"

namespace gridsweep {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

int64_t Classes(const DeviceDataset& data) {
  return static_cast<int64_t>(data.info.class_names.size());
}

}  // namespace

BundleTraining::BundleTraining(std::vector<BundleJob> jobs, const Registry& registry,
                               std::shared_ptr<const DeviceDataset> data, at::Device device, Kernels kernels)
    : data_(std::move(data)),
      device_(device),
      training_(jobs.front().spec.training),
      session_(jobs.front().spec, registry, {data_->rows, data_->columns, Classes(*data_)}, device, kernels),
      shuffle_(MakeGenerator(jobs.front().spec.seed, kShufflePurpose, at::kCPU)) {
  const double lr = std::get<double>(jobs.front().spec.optimizer.params.at("lr"));
  for (BundleJob& job : jobs) {
    auto scheduler = registry.schedulers.Make(job.spec.scheduler, lr, training_.epochs);
    branches_.push_back({std::move(job.spec), job.listener, std::move(scheduler), {}, std::nullopt});
  }
  Group all;
  for (Branch& branch : branches_) all.push_back(&branch);
  forks_.push_back({std::move(all), 1, lr, nullptr});

  const Split split =
      StratifiedSplit(data_->train_labels, Classes(*data_), training_.validation, training_.samples);
  train_ = at::tensor(split.train, at::kLong);
  validation_ = at::tensor(split.validation, at::kLong).to(device);
  test_ = at::arange(data_->test.size(), at::TensorOptions().dtype(at::kLong).device(device));
}

absl::Status BundleTraining::Check() const {
  if (train_.size(0) == 0)
    return InvalidArgument("nothing is left to train on: validation holds out every image");
  const int64_t smallest = std::min(training_.batch_size, train_.size(0));
  if (smallest >= session_.min_batch()) return absl::OkStatus();
  return InvalidArgument(
      "batches of {} cannot train this model: batch normalization needs at least {} images; raise "
      "batch_size or set "
      "batch_norm to false",
      smallest, session_.min_batch());
}

void BundleTraining::Run() {
  for (const Branch& branch : branches_) branch.listener->Started(data_->info);
  while (!forks_.empty()) {
    Fork next = std::move(forks_.back());
    forks_.pop_back();
    Follow(std::move(next));
  }
}

std::vector<JobListener*> BundleTraining::Unfinished() const {
  std::vector<JobListener*> unfinished;
  for (const Branch& branch : branches_) {
    if (!branch.over) unfinished.push_back(branch.listener);
  }
  return unfinished;
}

void BundleTraining::Follow(Fork fork) {
  if (!EndStopped(fork.group)) return;
  if (fork.from != nullptr) {
    session_.Restore(fork.from->session);
    shuffle_.set_state(fork.from->shuffle);
  }
  Group& group = fork.group;
  for (int64_t epoch = fork.epoch;; ++epoch) {
    Measurement test;
    const std::optional<EpochMetrics> metrics = RunEpoch(group, epoch, fork.lr, test);
    if (!metrics) return;
    std::erase_if(group, [](const Branch* branch) { return branch->over; });
    for (Branch* branch : group) {
      branch->epochs.push_back(*metrics);
      branch->epochs.back().shared_by = static_cast<int64_t>(group.size());
      if (ObjectiveEpoch(branch->epochs, branch->spec.objective) == branch->epochs.size() - 1)
        branch->objective_test = test;
      branch->listener->Epoch(branch->epochs.back());
    }
    if (!std::isfinite(metrics->train_loss) || !session_.ParametersFinite()) {
      const std::string why =
          fmt::format("{} became non-finite in epoch {}",
                      std::isfinite(metrics->train_loss) ? "a parameter" : "the training loss", epoch);
      for (Branch* branch : group) End(*branch, JobOutcome{JobOutcome::End::kDiverged, why, {}});
      return;
    }
    if (epoch == training_.epochs) {
      for (Branch* branch : group) End(*branch, Succeeded(*branch));
      return;
    }
    // By learning rate, in the order of the jobs.
    std::vector<std::pair<double, Group>> parts;
    for (Branch* branch : group) {
      const double lr = branch->scheduler->Next(branch->epochs.back());
      const auto same =
          std::find_if(parts.begin(), parts.end(), [&](const auto& part) { return part.first == lr; });
      if (same == parts.end()) {
        parts.push_back({lr, {branch}});
      } else {
        same->second.push_back(branch);
      }
    }
    if (parts.size() > 1) {
      const auto here = std::make_shared<const Checkpoint>(Checkpoint{session_.Save(), shuffle_.get_state()});
      for (size_t i = parts.size() - 1; i > 0; --i) {
        forks_.push_back({std::move(parts[i].second), epoch + 1, parts[i].first, here});
      }
    }
    fork.lr = parts[0].first;
    group = std::move(parts[0].second);
  }
}

std::optional<EpochMetrics> BundleTraining::RunEpoch(const Group& group, int64_t epoch, double lr,
                                                     Measurement& test) {
  const auto begin = SteadyClock::now();
  auto told = begin;
  int64_t images = 0;
  const auto all_images = static_cast<double>(train_.size(0) + validation_.size(0) + test_.size(0));
  // Says about once a second how far the epoch is, trained and evaluated images alike.
  const BatchDone done = [&](int64_t more) {
    images += more;
    if (!EndStopped(group)) return false;
    if (SecondsSince(told) >= 1) {
      told = SteadyClock::now();
      for (const Branch* branch : group) {
        if (!branch->over) branch->listener->Progress(epoch, static_cast<double>(images) / all_images);
      }
    }
    return true;
  };
  EpochMetrics metrics;
  metrics.epoch = epoch;
  metrics.lr = lr;
  if (!Train(metrics, done)) return std::nullopt;
  metrics.samples_per_second = static_cast<double>(train_.size(0)) / SecondsSince(begin);
  if (validation_.size(0) > 0) {
    const auto validation = Measure(session_, data_->train, validation_, done);
    if (!validation) return std::nullopt;
    metrics.val_loss = validation->loss;
    metrics.val_accuracy = validation->accuracy;
  }
  auto measured = Measure(session_, data_->test, test_, done);
  if (!measured) return std::nullopt;
  metrics.test_loss = measured->loss;
  metrics.test_accuracy = measured->accuracy;
  metrics.seconds = SecondsSince(begin);
  test = *std::move(measured);
  return metrics;
}

bool BundleTraining::Train(EpochMetrics& metrics, const BatchDone& done) {
  const int64_t n = train_.size(0);
  const at::Tensor order = train_.index_select(0, at::randperm(n, shuffle_, at::kLong)).to(device_);
  at::Tensor loss = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(device_));
  at::Tensor correct = at::zeros({}, order.options());
  for (int64_t begin = 0; begin < n;) {
    const int64_t count = NextBatch(n - begin);
    const Batch batch = Gather(data_->train, order.narrow(0, begin, count));
    const auto result = session_.Step(batch.images, batch.labels, metrics.lr);
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
int64_t BundleTraining::NextBatch(int64_t left) const {
  const int64_t size = training_.batch_size;
  return left <= size || (size > 1 && left == size + 1) ? left : size;
}

bool BundleTraining::EndStopped(const Group& group) {
  for (Branch& branch : branches_) {  // also those that wait for their turn
    if (!branch.over && branch.listener->Stopped())
      End(branch, JobOutcome{JobOutcome::End::kStopped, "", {}});
  }
  return std::any_of(group.begin(), group.end(), [](const Branch* branch) { return !branch->over; });
}

void BundleTraining::End(Branch& branch, const absl::StatusOr<JobOutcome>& outcome) {
  branch.over = true;
  branch.listener->Ended(outcome);
}

JobOutcome BundleTraining::Succeeded(const Branch& branch) const {
  JobOutcome outcome;
  if (branch.objective_test)
    outcome.evaluation = Summarize(*branch.objective_test, data_->test, Classes(*data_));
  return outcome;
}

}  // namespace gridsweep
