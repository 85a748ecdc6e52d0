// What a trainer measures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/job/job_spec.h"

namespace gridsweep {

// One epoch of one attempt. Losses are mean cross-entropies in nats, without penalties; accuracies lie in [0,
// 1]. Any value may be NaN or infinite.
struct EpochMetrics {
  int64_t epoch = 0;  // counts from 1
  double train_loss = 0;
  double train_accuracy = 0;
  std::optional<double> val_loss;  // absent when nothing is held out
  std::optional<double> val_accuracy;
  double test_loss = 0;
  double test_accuracy = 0;
  double lr = 0;                  // learning rate used in this epoch
  double seconds = 0;             // wall time of training and evaluation
  double samples_per_second = 0;  // training images a second, evaluation excluded
  int64_t shared_by = 1;          // jobs that this epoch was trained once for
  friend bool operator==(const EpochMetrics&, const EpochMetrics&) = default;
};

// nullopt if `metric` was not measured (validation metrics without a validation set).
std::optional<double> MetricValue(const EpochMetrics& epoch, Metric metric);

// Index into `epochs` of the epoch that counts for `objective`: the best finite value, the earliest among
// equals, or the last. Returns nullopt if `epochs` is empty or no value is finite (kBest).
std::optional<size_t> ObjectiveEpoch(const std::vector<EpochMetrics>& epochs, const Objective& objective);

// The data set as a trainer found it.
struct DatasetInfo {
  std::string name;
  std::string digest;                    // 64 hex digits over the decompressed content
  std::vector<std::string> class_names;  // by label
  int64_t train_size = 0;
  int64_t test_size = 0;
};

// How many images `metric` is a mean over; 0 while the data set is unknown.
int64_t MeasuredImages(Metric metric, const TrainingSpec& training, const DatasetInfo& dataset);

// One test image: what it is and what the model says.
struct Prediction {
  int64_t index = 0;  // position in the test set
  int64_t actual = 0;
  int64_t predicted = 0;
  double confidence = 0;  // softmax probability of `predicted`
  friend bool operator==(const Prediction&, const Prediction&) = default;
};

// Taken on the test set with the weights of the objective's epoch.
struct Evaluation {
  std::vector<int64_t> confusion;  // classes × classes, row = actual, column = predicted; empty if not taken
  std::vector<Prediction> predictions;
};

}  // namespace gridsweep
