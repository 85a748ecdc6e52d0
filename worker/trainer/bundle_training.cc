#include "worker/trainer/bundle_training.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "common/data/split.h"
#include "worker/trainer/model_file.h"
#include "worker/trainer/seeding.h"
#include "worker/trainer/torch_guard.h"

namespace gridsweep {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

int64_t Classes(const DeviceDataset& data) {
  return static_cast<int64_t>(data.info.class_names.size());
}

// Whether Summarize can work on what a file says.
absl::Status CheckMeasurement(const Measurement& test, int64_t images, int64_t classes) {
  const bool fits = test.predicted.dim() == 1 && test.predicted.size(0) == images &&
                    test.confidence.dim() == 1 && test.confidence.size(0) == images;
  if (fits && test.predicted.ge(0).logical_and(test.predicted.lt(classes)).all().item<bool>())
    return absl::OkStatus();
  return InvalidArgument("its predictions are not those of {} images of {} classes", images, classes);
}

}  // namespace

BundleTraining::BundleTraining(std::vector<BundleJob> jobs, const Registry& registry,
                               std::shared_ptr<const DeviceDataset> data, at::Device device, Kernels kernels,
                               const CheckpointSettings& checkpoints)
    : registry_(registry),
      checkpoints_(checkpoints),
      data_(std::move(data)),
      device_(device),
      training_(jobs.front().spec.training),
      first_lr_(std::get<double>(jobs.front().spec.optimizer.params.at("lr"))),
      identity_(CheckpointIdentity::Of(jobs.front().spec, data_->info.digest, checkpoints.environment)),
      session_(jobs.front().spec, registry, {data_->rows, data_->columns, Classes(*data_)}, device, kernels),
      shuffle_(MakeGenerator(jobs.front().spec.seed, kShufflePurpose, at::kCPU)) {
  for (BundleJob& job : jobs) {
    auto scheduler = registry.schedulers.Make(job.spec.scheduler, first_lr_, training_.epochs);
    branches_.push_back(
        {std::move(job.spec), job.listener, std::move(job.resume), std::move(scheduler), {}, nullptr});
  }

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
  forks_ = Begin();
  while (!forks_.empty()) {
    Fork next = std::move(forks_.back());
    forks_.pop_back();
    Follow(std::move(next));
  }
}

std::vector<BundleTraining::Fork> BundleTraining::Begin() {
  std::vector<Fork> forks;
  CheckpointCache cache;
  for (Branch& branch : branches_) {
    const Start start = StartOf(branch, cache);
    branch.listener->Started(data_->info, static_cast<int64_t>(branch.epochs.size()));
    for (const auto& [sha256, why] : start.unusable) branch.listener->CheckpointUnusable(sha256, why);
    for (const EpochMetrics& metrics : branch.epochs) branch.listener->Epoch(metrics);
    // Shares the checkpoint's ownership.
    std::shared_ptr<const TrainingState> from;
    if (start.from != nullptr) from = {start.from, &start.from->state};
    const auto same = std::find_if(forks.begin(), forks.end(), [&](const Fork& fork) {
      return fork.from == from && fork.lr == start.lr;
    });
    if (same != forks.end()) {
      same->group.push_back(&branch);
    } else {
      const auto next = static_cast<int64_t>(branch.epochs.size()) + 1;
      forks.push_back({{&branch}, next, start.lr, std::move(from)});
    }
  }
  // The last is followed first: from scratch, while the session is new, then in the order of the jobs.
  std::reverse(forks.begin(), forks.end());
  std::stable_partition(forks.begin(), forks.end(), [](const Fork& fork) { return fork.from != nullptr; });
  return forks;
}

BundleTraining::Start BundleTraining::StartOf(Branch& branch, CheckpointCache& cache) const {
  Start start{nullptr, first_lr_, {}};
  if (!checkpoints_.folder) return start;
  for (const std::string& sha256 : branch.resume) {
    auto known = cache.find(sha256);
    if (known == cache.end()) known = cache.emplace(sha256, ReadUsable(sha256)).first;
    const auto& checkpoint = known->second;
    const absl::StatusOr<double> lr =
        checkpoint.ok() ? Adopt(**checkpoint, branch) : absl::StatusOr<double>(checkpoint.status());
    if (lr.ok()) {
      start.from = *checkpoint;
      start.lr = *lr;
      return start;
    }
    start.unusable.emplace_back(sha256, lr.status());
  }
  return start;
}

absl::StatusOr<std::shared_ptr<const Checkpoint>> BundleTraining::ReadUsable(
    const std::string& sha256) const {
  return GuardTorch([&]() -> absl::StatusOr<std::shared_ptr<const Checkpoint>> {
    GS_ASSIGN_OR_RETURN(const std::string file, checkpoints_.folder->Get(sha256));
    GS_ASSIGN_OR_RETURN(Checkpoint checkpoint, ReadCheckpoint(file, identity_));
    if (static_cast<int64_t>(checkpoint.epochs.size()) >= training_.epochs)
      return InvalidArgument("nothing is left to train after its epoch {}", checkpoint.epochs.size());
    GS_RETURN_IF_ERROR(session_.Check(checkpoint.state.session));
    GS_RETURN_IF_ERROR(CheckGeneratorState(shuffle_, checkpoint.state.shuffle));
    for (const auto& [epoch, record] : checkpoint.records) {
      GS_RETURN_IF_ERROR(session_.Check(record->model));
      GS_RETURN_IF_ERROR(CheckMeasurement(record->test, data_->test.size(), Classes(*data_)));
    }
    return std::make_shared<const Checkpoint>(std::move(checkpoint));
  });
}

absl::StatusOr<double> BundleTraining::Adopt(const Checkpoint& checkpoint, Branch& branch) const {
  auto scheduler = registry_.schedulers.Make(branch.spec.scheduler, first_lr_, training_.epochs);
  double lr = first_lr_;
  for (const EpochMetrics& epoch : checkpoint.epochs) {
    if (epoch.lr != lr) {
      return FailedPrecondition("its learning rate in epoch {} is {}, this job's {}", epoch.epoch, epoch.lr,
                                lr);
    }
    lr = scheduler->Next(epoch);
  }
  std::shared_ptr<const EpochRecord> objective;
  if (const auto counts = ObjectiveEpoch(checkpoint.epochs, branch.spec.objective)) {
    const auto record = checkpoint.records.find(checkpoint.epochs[*counts].epoch);
    if (record == checkpoint.records.end())
      return FailedPrecondition("it has no model of epoch {}, the best so far", *counts + 1);
    objective = record->second;
  }
  branch.scheduler = std::move(scheduler);
  branch.epochs = checkpoint.epochs;
  branch.objective = std::move(objective);
  return lr;
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
    fork.from = nullptr;
  }
  Group& group = fork.group;
  auto stored = SteadyClock::now();
  for (int64_t epoch = fork.epoch;; ++epoch) {
    Measurement test;
    const std::optional<EpochMetrics> metrics = RunEpoch(group, epoch, fork.lr, test);
    if (!metrics) return;
    std::erase_if(group, [](const Branch* branch) { return branch->over; });
    std::shared_ptr<const EpochRecord> record;  // made once, for all whose objective counts this epoch
    for (Branch* branch : group) {
      branch->epochs.push_back(*metrics);
      branch->epochs.back().shared_by = static_cast<int64_t>(group.size());
      if (ObjectiveEpoch(branch->epochs, branch->spec.objective) == branch->epochs.size() - 1) {
        if (record == nullptr) record = Record(epoch, test);
        branch->objective = record;
      }
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
      for (Branch* branch : group) {
        StoreModel(*branch);
        End(*branch, Succeeded(*branch));
      }
      return;
    }
    if (checkpoints_.folder && SecondsSince(stored) >= checkpoints_.interval_seconds) {
      if (!EndStopped(group)) return;
      StoreCheckpoint(group);
      stored = SteadyClock::now();
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
      const auto here =
          std::make_shared<const TrainingState>(TrainingState{session_.Save(), shuffle_.get_state()});
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

std::shared_ptr<const EpochRecord> BundleTraining::Record(int64_t epoch, const Measurement& test) const {
  EpochRecord record{epoch, test, {}};
  if (checkpoints_.folder) record.model = session_.SaveModel();
  return std::make_shared<const EpochRecord>(std::move(record));
}

void BundleTraining::StoreCheckpoint(const Group& group) {
  const auto stored = GuardTorch([&]() -> absl::StatusOr<StoredFile> {
    // All of the group have trained the same epochs.
    Checkpoint checkpoint{{session_.Save(), shuffle_.get_state()}, group.front()->epochs, {}};
    for (const Branch* branch : group) {
      if (branch->objective != nullptr) checkpoint.records[branch->objective->epoch] = branch->objective;
    }
    GS_ASSIGN_OR_RETURN(const std::string file, WriteCheckpoint(checkpoint, identity_));
    return checkpoints_.folder->Put(file);
  });
  for (const Branch* branch : group) {
    if (stored.ok()) {
      branch->listener->Checkpointed(branch->epochs.back().epoch, *stored);
    } else {
      branch->listener->Warned(fmt::format("no checkpoint: {}", Message(stored.status())));
    }
  }
}

void BundleTraining::StoreModel(const Branch& branch) const {
  if (!checkpoints_.folder || branch.objective == nullptr) return;
  const EpochRecord& record = *branch.objective;
  const auto stored = GuardTorch([&]() -> absl::StatusOr<StoredFile> {
    GS_ASSIGN_OR_RETURN(const std::string file,
                        WriteModelFile(session_.Named(record.model), branch.spec, *data_,
                                       branch.epochs[static_cast<size_t>(record.epoch) - 1]));
    return checkpoints_.folder->Put(file);
  });
  if (stored.ok()) {
    branch.listener->ModelStored(record.epoch, *stored);
  } else {
    branch.listener->Warned(fmt::format("its model is not kept: {}", Message(stored.status())));
  }
}

void BundleTraining::End(Branch& branch, const absl::StatusOr<JobOutcome>& outcome) {
  branch.over = true;
  branch.listener->Ended(outcome);
}

JobOutcome BundleTraining::Succeeded(const Branch& branch) const {
  JobOutcome outcome;
  if (branch.objective != nullptr)
    outcome.evaluation = Summarize(branch.objective->test, data_->test, Classes(*data_));
  return outcome;
}

}  // namespace gridsweep
