#include "common/rpc/convert.h"

#include <algorithm>

namespace gridsweep {

v1::JobState ToProto(JobState state) {
  switch (state) {
    case JobState::kPending:
      return v1::PENDING;
    case JobState::kRunning:
      return v1::RUNNING;
    case JobState::kSucceeded:
      return v1::SUCCEEDED;
    case JobState::kDiverged:
      return v1::DIVERGED;
    case JobState::kFailed:
      return v1::FAILED;
    case JobState::kCancelled:
      return v1::CANCELLED;
  }
  return v1::JOB_STATE_UNSPECIFIED;
}

absl::StatusOr<JobState> FromProto(v1::JobState state) {
  for (const JobState candidate : kAllJobStates) {
    if (ToProto(candidate) == state) return candidate;
  }
  return InvalidArgument("unknown job state {}", static_cast<int>(state));
}

v1::EpochMetrics ToProto(const EpochMetrics& epoch) {
  v1::EpochMetrics proto;
  proto.set_epoch(epoch.epoch);
  proto.set_train_loss(epoch.train_loss);
  proto.set_train_accuracy(epoch.train_accuracy);
  if (epoch.val_loss) proto.set_val_loss(*epoch.val_loss);
  if (epoch.val_accuracy) proto.set_val_accuracy(*epoch.val_accuracy);
  proto.set_test_loss(epoch.test_loss);
  proto.set_test_accuracy(epoch.test_accuracy);
  proto.set_lr(epoch.lr);
  proto.set_seconds(epoch.seconds);
  proto.set_samples_per_second(epoch.samples_per_second);
  proto.set_shared_by(epoch.shared_by);
  return proto;
}

EpochMetrics FromProto(const v1::EpochMetrics& proto) {
  EpochMetrics epoch;
  epoch.epoch = proto.epoch();
  epoch.train_loss = proto.train_loss();
  epoch.train_accuracy = proto.train_accuracy();
  if (proto.has_val_loss()) epoch.val_loss = proto.val_loss();
  if (proto.has_val_accuracy()) epoch.val_accuracy = proto.val_accuracy();
  epoch.test_loss = proto.test_loss();
  epoch.test_accuracy = proto.test_accuracy();
  epoch.lr = proto.lr();
  epoch.seconds = proto.seconds();
  epoch.samples_per_second = proto.samples_per_second();
  epoch.shared_by = std::max<int64_t>(1, proto.shared_by());
  return epoch;
}

v1::DatasetInfo ToProto(const DatasetInfo& dataset) {
  v1::DatasetInfo proto;
  proto.set_name(dataset.name);
  proto.set_digest(dataset.digest);
  for (const std::string& name : dataset.class_names) proto.add_class_names(name);
  proto.set_train_size(dataset.train_size);
  proto.set_test_size(dataset.test_size);
  return proto;
}

DatasetInfo FromProto(const v1::DatasetInfo& proto) {
  return {.name = proto.name(),
          .digest = proto.digest(),
          .class_names = {proto.class_names().begin(), proto.class_names().end()},
          .train_size = proto.train_size(),
          .test_size = proto.test_size()};
}

v1::Evaluation ToProto(const Evaluation& evaluation) {
  v1::Evaluation proto;
  proto.mutable_confusion()->Add(evaluation.confusion.begin(), evaluation.confusion.end());
  for (const Prediction& prediction : evaluation.predictions) {
    v1::Prediction* out = proto.add_predictions();
    out->set_index(prediction.index);
    out->set_actual(prediction.actual);
    out->set_predicted(prediction.predicted);
    out->set_confidence(prediction.confidence);
  }
  return proto;
}

Evaluation FromProto(const v1::Evaluation& proto) {
  Evaluation evaluation;
  evaluation.confusion.assign(proto.confusion().begin(), proto.confusion().end());
  for (const v1::Prediction& prediction : proto.predictions()) {
    evaluation.predictions.push_back(
        {prediction.index(), prediction.actual(), prediction.predicted(), prediction.confidence()});
  }
  return evaluation;
}

}  // namespace gridsweep
