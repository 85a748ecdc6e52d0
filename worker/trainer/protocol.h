// The lines of docs/trainer-protocol.md. Pure; free of LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "worker/trainer/device.h"
#include "worker/trainer/job_listener.h"

namespace gridsweep {

// One job, or a bundle: jobs that differ in the scheduler alone, for one slot.
struct RunCommand {
  struct Job {
    int64_t attempt = 0;
    Json document;
    std::vector<std::string> resume;  // checkpoints to go on from, best first
  };
  std::vector<Job> jobs;  // not empty
};
struct StopCommand {
  int64_t attempt = 0;
};
using TrainerCommand = std::variant<RunCommand, StopCommand>;

// Returns INVALID_ARGUMENT saying what is wrong with the line.
absl::StatusOr<TrainerCommand> ParseTrainerCommand(std::string_view line);

// What a trainer says about itself.
struct TrainerIdentity {
  DeviceInfo device;
  std::string libtorch;
  std::string blas;
  std::string kernels;  // see kernels.h
  int slots = 1;
  // Library, matrix library, kernels and device model: numbers are comparable bit by bit where this is equal.
  std::string Environment() const;
};

Json HelloEvent(const TrainerIdentity& identity);
// `resumed_epoch` is 0 for a training from scratch.
Json StartedEvent(int64_t attempt, const DatasetInfo& dataset, const TrainerIdentity& identity,
                  int64_t resumed_epoch);
Json CheckpointUnusableEvent(int64_t attempt, const std::string& sha256, const std::string& error);
Json ProgressEvent(int64_t attempt, int64_t epoch, double fraction);
Json EpochEvent(int64_t attempt, const EpochMetrics& metrics);
Json CheckpointEvent(int64_t attempt, int64_t epoch, const StoredFile& file);
Json ModelEvent(int64_t attempt, int64_t epoch, const StoredFile& file);
// finished or stopped.
Json EndEvent(int64_t attempt, const absl::StatusOr<JobOutcome>& outcome);
Json ErrorEvent(std::string_view error);
// One line of --list-devices.
Json DeviceJson(const DeviceInfo& device);

}  // namespace gridsweep
