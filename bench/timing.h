// Clocks and order statistics of measurements.
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gridsweep {

inline double ClockSeconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Times {
  double wall = 0;
  double cpu = 0;  // of all threads of this process
};

inline Times Now() {
  return {ClockSeconds(CLOCK_MONOTONIC), ClockSeconds(CLOCK_PROCESS_CPUTIME_ID)};
}

// Pages that this process touched for the first time, or again after giving them back.
inline int64_t MinorFaults() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// REQUIRES: `values` is not empty. The lower of the two in the middle.
inline double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace gridsweep
