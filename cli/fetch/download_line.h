// What a download shows of itself.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "cli/context.h"

namespace gridsweep {

// "[########------------]  42 %  230.1/535.7 MiB  12.0 MiB/s  ETA 25 s", no wider than `width` columns: what stands
// last is left out first. Without a total (0): "230.1 MiB  12.0 MiB/s". A rate of 0 is not known.
std::string RenderDownloadBar(int64_t done, int64_t total, double bytes_per_second, int width);

// A bar that redraws itself on a terminal; elsewhere a line for every tenth. Not thread-safe.
class DownloadLine {
 public:
  explicit DownloadLine(const Sink& sink) : sink_(sink) {}

  // `total` is 0 while unknown.
  void Show(int64_t done, int64_t total, absl::Time now);
  // A line of its own.
  void Say(const std::string& message);
  void End();

 private:
  const Sink& sink_;
  absl::Time started_ = absl::InfinitePast();  // with the first bytes shown
  int64_t first_ = 0;                          // bytes that were there then
  absl::Time shown_ = absl::InfinitePast();
  int64_t last_total_ = 0;
  int64_t tenth_ = -1;
  bool open_ = false;
};

}  // namespace gridsweep
