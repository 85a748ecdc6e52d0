// Turns what a job tells into the protocol's lines.
#pragma once

#include <atomic>
#include <functional>
#include <iostream>
#include <utility>

#include "worker/trainer/line_writer.h"
#include "worker/trainer/protocol.h"

namespace gridsweep {

// Borrows its arguments.
class EventListener : public JobListener {
 public:
  // `before_end` is called before the last event is written, because a reader of that event may run the attempt
  // again.
  EventListener(
      LineWriter& writer, const TrainerIdentity& identity, int64_t attempt, const std::atomic<bool>* stopped,
      std::function<void()> before_end = [] {})
      : writer_(writer),
        identity_(identity),
        attempt_(attempt),
        stopped_(stopped),
        before_end_(std::move(before_end)) {}

  void Started(const DatasetInfo& dataset, int64_t resumed_epoch) override {
    writer_.Write(StartedEvent(attempt_, dataset, identity_, resumed_epoch));
  }
  void CheckpointUnusable(const std::string& sha256, const absl::Status& why) override {
    writer_.Write(CheckpointUnusableEvent(attempt_, sha256, Message(why)));
  }
  void Progress(int64_t epoch, double fraction) override {
    writer_.Write(ProgressEvent(attempt_, epoch, fraction));
  }
  void Epoch(const EpochMetrics& metrics) override { writer_.Write(EpochEvent(attempt_, metrics)); }
  void Checkpointed(int64_t epoch, const StoredFile& file) override {
    writer_.Write(CheckpointEvent(attempt_, epoch, file));
  }
  void ModelStored(int64_t epoch, const StoredFile& file) override {
    writer_.Write(ModelEvent(attempt_, epoch, file));
  }
  void Warned(const std::string& what) override {
    std::cerr << fmt::format("gridsweep-trainer: WARNING: attempt {}: {}\n", attempt_, what);
  }
  bool Stopped() const override { return stopped_->load(std::memory_order_relaxed); }
  void Ended(const absl::StatusOr<JobOutcome>& outcome) override {
    before_end_();
    writer_.Write(EndEvent(attempt_, outcome));
  }

 private:
  LineWriter& writer_;
  const TrainerIdentity& identity_;
  const int64_t attempt_;
  const std::atomic<bool>* stopped_;
  const std::function<void()> before_end_;
};

}  // namespace gridsweep
