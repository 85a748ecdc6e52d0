// Turns what a job tells into the protocol's lines.
#pragma once

#include <atomic>

#include "worker/trainer/line_writer.h"
#include "worker/trainer/protocol.h"

namespace gridsweep {

// Borrows its arguments.
class EventListener : public JobListener {
 public:
  EventListener(LineWriter& writer, const TrainerIdentity& identity, int64_t attempt,
                const std::atomic<bool>* stopped)
      : writer_(writer), identity_(identity), attempt_(attempt), stopped_(stopped) {}

  void Started(const DatasetInfo& dataset) override {
    writer_.Write(StartedEvent(attempt_, dataset, identity_));
  }
  void Progress(int64_t epoch, double fraction) override {
    writer_.Write(ProgressEvent(attempt_, epoch, fraction));
  }
  void Epoch(const EpochMetrics& metrics) override { writer_.Write(EpochEvent(attempt_, metrics)); }
  bool Stopped() const override { return stopped_->load(std::memory_order_relaxed); }

 private:
  LineWriter& writer_;
  const TrainerIdentity& identity_;
  const int64_t attempt_;
  const std::atomic<bool>* stopped_;
};

}  // namespace gridsweep
