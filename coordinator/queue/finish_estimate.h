// When a sweep will end: expected work laid out over the slots there are, as it will be leased. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "coordinator/store/store.h"

namespace gridsweep {

// A slot that trains something now.
struct BusySlot {
  double seconds = 0;   // expected until it is free
  bool counts = false;  // it works for the sweep in question
};

// Equal bundles that wait.
struct WaitingWork {
  SweepId sweep;       // older ones run first
  double seconds = 0;  // of each
  int64_t bundles = 0;
  bool counts = false;
};

// A job of a bundle that is running.
struct RunningShare {
  double added_epochs = 0;  // that it adds to the common ones
  double epochs = 0;        // that it asks for
  double done = 0;          // of these
};

// Epochs that are still to be trained for a bundle. Of its jobs one pays for the common epochs.
double EpochsLeft(const std::vector<RunningShare>& bundle);

// The class's pending jobs as bundles, at `epoch_seconds` an epoch.
WaitingWork ExpectedWork(const WorkClass& work, double epoch_seconds, bool share, bool counts);

// Seconds until the last of what counts has ended, if every slot that becomes free takes the longest bundle that waits of the
// oldest sweep. Jobs of newer sweeps do not matter. REQUIRES: slots >= 1.
double EstimateFinish(const std::vector<BusySlot>& busy, int64_t slots, std::vector<WaitingWork> waiting);

}  // namespace gridsweep
