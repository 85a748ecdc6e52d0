// Live progress: pure renderings of a sweep's status, and the screen that redraws them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cli/context.h"
#include "common/results/table.h"
#include "gridsweep/v1/sweep_service.pb.h"

namespace gridsweep {

// Jobs that ran to an end; those that were cancelled did not.
int64_t DoneJobs(const v1::JobCounts& jobs);
// Jobs that have ended, of whatever kind.
int64_t EndedJobs(const v1::JobCounts& jobs);
int64_t TotalJobs(const v1::JobCounts& jobs);

// The lines of the live view, none wider than screen.width, and together at least one fewer than screen.height: an overall
// bar; epochs, throughput and ETA; one line per running job, at most `max_jobs` of them; the five best cells so far; the
// workers. Where there is no room for all, workers go first, then the last running jobs, then the cells. `flags`, such as
// " --db x.db", follow the commands that it suggests.
std::vector<std::string> RenderProgress(const v1::SweepStatus& status, const Screen& screen, int max_jobs,
                                        const std::string& flags = "");

// One line for logs and pipes: "12 of 32 jobs done, 1 failed; 120 of 320 epochs, 42.1 a minute, about 4 min
// 12 s left; best val_accuracy 85.0 % (cnn relu)".
std::string RenderProgressLine(const v1::SweepStatus& status);

// Decides what to say in lines that stay. Pure but for its memory of what was said.
class ProgressLog {
 public:
  // Failures that were not told yet, oldest first.
  std::vector<std::string> NewFailures(const v1::SweepStatus& status);
  // For logs and pipes: that nothing can be stored, and that it can again; why jobs wait, once it lasts some seconds, and a line of progress when jobs have ended, at most one
  // in five seconds but at least one for every tenth of the sweep.
  std::vector<std::string> NewLines(const v1::SweepStatus& status, absl::Time now);

 private:
  std::optional<int64_t> reported_done_;
  int64_t reported_tenth_ = 0;
  absl::Time last_line_ = absl::InfinitePast();
  std::string newest_failure_;
  std::string waiting_for_;
  absl::Time waiting_since_;
  bool waiting_told_ = false;
  bool in_trouble_ = false;
};

// Redraws in place on a terminal, appends log lines elsewhere. Messages stay above the live view.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(Sink sink, std::string flags = "")
      : sink_(std::move(sink)), flags_(std::move(flags)) {}
  ~ProgressDisplay() { Clear(); }

  void Show(const v1::SweepStatus& status, absl::Time now);
  void Say(const std::string& message);
  // Removes the live view.
  void Clear();

 private:
  // Moves the cursor to the first line of what is drawn. The window may be narrower than it was then, so that a line takes up
  // several now.
  std::string BackToTop(const Screen& screen) const;

  const Sink sink_;
  const std::string flags_;  // of suggested commands
  std::vector<std::string> drawn_;
  ProgressLog log_;
};

}  // namespace gridsweep
