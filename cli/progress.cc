#include "cli/progress.h"

#include <algorithm>
#include <cmath>

#include "common/results/format_number.h"
#include "common/results/sparkline.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr int kDefaultWidth = 80;
constexpr int kMaxBar = 40;
constexpr int kCurveWidth = 16;
constexpr int kMinLabel = 32;
constexpr int kMaxJobsShown = 16;
constexpr absl::Duration kMinInterval = absl::Seconds(5);

std::string Bar(double share, int width) {
  static constexpr const char* kPartial[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::clamp(share, 0.0, 1.0) * width * 8);
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  int drawn = eighths / 8;
  if (eighths % 8 != 0) {
    bar += kPartial[eighths % 8];
    ++drawn;
  }
  for (; drawn < width; ++drawn) bar += "░";
  return bar;
}

double Share(const v1::SweepStatus& status) {
  if (status.epochs_total() <= 0) return 0;
  return std::min(1.0,
                  static_cast<double>(status.epochs_done()) / static_cast<double>(status.epochs_total()));
}

std::string Counts(const v1::JobCounts& jobs) {
  std::string text =
      fmt::format("{} of {} jobs done", FormatCount(DoneJobs(jobs)), FormatCount(TotalJobs(jobs)));
  const auto add = [&](int64_t count, std::string_view word) {
    if (count > 0) text += fmt::format(", {} {}", FormatCount(count), word);
  };
  add(jobs.running(), "running");
  add(jobs.failed(), "failed");
  add(jobs.diverged(), "diverged");
  add(jobs.cancelled(), "cancelled");
  return text;
}

std::string Pace(const v1::SweepStatus& status) {
  std::string text =
      fmt::format("{} of {} epochs", FormatCount(status.epochs_done()), FormatCount(status.epochs_total()));
  if (status.epochs_per_minute() > 0) text += fmt::format(", {:.3g} a minute", status.epochs_per_minute());
  if (status.eta_seconds() >= 0 && status.epochs_done() < status.epochs_total()) {
    text += fmt::format(", about {} left", FormatDuration(std::ceil(status.eta_seconds())));
  }
  return text;
}

std::string Best(const v1::SweepStatus& status) {
  if (!status.has_best()) return "";
  const std::string& metric = status.summary().objective().metric();
  return fmt::format("best {} {} ({})", metric, FormatMetric(metric, status.best().objective()),
                     status.best().label());
}

std::string EpochText(const v1::RunningJob& job, int64_t epochs) {
  return fmt::format("epoch {}/{} {:>3.0f} %", job.epoch(), epochs, job.epoch_fraction() * 100);
}

// One running job. Epoch and curve have the same width in every job, so that they stand below each other.
struct JobLine {
  std::string label;
  std::string progress;
  std::string place;
};

std::vector<JobLine> CollectJobs(const v1::SweepStatus& status, int count) {
  std::vector<JobLine> jobs;
  int epoch_width = 0;
  int curve_width = 0;
  const auto curve = [&](int i) {
    return Sparkline({status.running(i).curve().begin(), status.running(i).curve().end()}, kCurveWidth);
  };
  for (int i = 0; i < count; ++i) {
    epoch_width =
        std::max(epoch_width, DisplayWidth(EpochText(status.running(i), status.summary().epochs())));
    curve_width = std::max(curve_width, DisplayWidth(curve(i)));
  }
  for (int i = 0; i < count; ++i) {
    const v1::RunningJob& job = status.running(i);
    const std::string seed = status.summary().seeds() > 1 ? fmt::format("seed {}  ", job.seed()) : "";
    const std::string again =
        job.attempt_number() > 1 ? fmt::format(", attempt {}", job.attempt_number()) : "";
    jobs.push_back({Printable(job.label()),
                    seed + PadRight(EpochText(job, status.summary().epochs()), epoch_width) + "  " +
                        PadRight(curve(i), curve_width),
                    fmt::format("{} {}{}", Printable(job.worker()), Printable(job.device()), again)});
  }
  return jobs;
}

std::vector<std::string> JobLines(const v1::SweepStatus& status, int width, int max_jobs) {
  const int shown = std::min(max_jobs, status.running_size());
  const std::vector<JobLine> jobs = CollectJobs(status, shown);
  int label_width = 0;
  int progress_width = 0;
  int place_width = 0;
  for (const JobLine& job : jobs) {
    label_width = std::max(label_width, DisplayWidth(job.label));
    progress_width = std::max(progress_width, DisplayWidth(job.progress));
    place_width = std::max(place_width, DisplayWidth(job.place));
  }
  // Where a job runs matters less than which it is.
  const int room = width - 4 - progress_width;
  const bool with_place = room - 2 - place_width >= std::min(label_width, kMinLabel);
  label_width = std::min(label_width, std::max(8, with_place ? room - 2 - place_width : room));
  std::vector<std::string> lines;
  for (const JobLine& job : jobs) {
    lines.push_back("  " + PadRight(Truncate(job.label, label_width), label_width) + "  " +
                    PadRight(job.progress, progress_width) + (with_place ? "  " + job.place : ""));
  }
  const int64_t running = std::max<int64_t>(status.running_size(), status.summary().jobs().running());
  if (shown < running) lines.push_back(fmt::format("  … and {} more", running - shown));
  return lines;
}

std::string Colored(const std::string& text, const char* code, bool color) {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

}  // namespace

int64_t DoneJobs(const v1::JobCounts& jobs) {
  return jobs.succeeded() + jobs.diverged() + jobs.failed();
}

int64_t EndedJobs(const v1::JobCounts& jobs) {
  return DoneJobs(jobs) + jobs.cancelled();
}

int64_t TotalJobs(const v1::JobCounts& jobs) {
  return EndedJobs(jobs) + jobs.pending() + jobs.running();
}

std::vector<std::string> RenderProgress(const v1::SweepStatus& status, const Screen& screen, int max_jobs,
                                        const std::string& flags) {
  const int width = screen.width > 0 ? screen.width : kDefaultWidth;
  const std::string counts = Counts(status.summary().jobs());
  const int bar_width = std::clamp(width - DisplayWidth(counts) - 9, 10, kMaxBar);
  const double share = Share(status);
  std::vector<std::string> lines;
  const std::string percent = fmt::format("{:>3.0f} %", share * 100);
  if (bar_width + DisplayWidth(counts) + 9 <= width) {
    lines.push_back(Colored(Bar(share, bar_width), "32", screen.color) +
                    fmt::format(" {}  {}", percent, counts));
  } else {
    lines.push_back(Truncate(fmt::format("{}  {}", percent, counts), width));
  }
  const std::string state = status.summary().state();
  if (state == "paused")
    lines.push_back(Truncate(
        fmt::format("paused: no new jobs start; gridsweep resume {}{} goes on", status.summary().id(), flags),
        width));
  const std::string best = Best(status);
  const std::string both = Pace(status) + (best.empty() ? "" : "; " + best);
  if (DisplayWidth(both) <= width) {
    lines.push_back(both);
  } else {
    lines.push_back(Truncate(Pace(status), width));
    lines.push_back(Truncate(Printable(best), width));
  }
  if (!status.trouble().empty())
    lines.push_back(Colored(Truncate(Printable(status.trouble()), width), "31", screen.color));
  if (!status.waiting_for().empty()) {
    lines.push_back(
        Colored(Truncate("waiting: " + Printable(status.waiting_for()), width), "33", screen.color));
  }
  for (const std::string& line : JobLines(status, width, max_jobs)) lines.push_back(Truncate(line, width));
  for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
  return lines;
}

std::string RenderProgressLine(const v1::SweepStatus& status) {
  const std::string best = Best(status);
  return fmt::format("{}; {}{}", Counts(status.summary().jobs()), Pace(status),
                     best.empty() ? "" : "; " + Printable(best));
}

std::vector<std::string> ProgressLog::NewFailures(const v1::SweepStatus& status) {
  std::vector<std::string> lines;
  // Newest first: everything before the one we know is new.
  for (const std::string& failure : status.recent_failures()) {
    if (failure == newest_failure_) break;
    lines.push_back(Printable(failure));
  }
  if (status.recent_failures_size() > 0) newest_failure_ = status.recent_failures(0);
  std::reverse(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> ProgressLog::NewLines(const v1::SweepStatus& status, absl::Time now) {
  std::vector<std::string> lines;
  if (status.trouble().empty() != !in_trouble_) {
    in_trouble_ = !in_trouble_;
    lines.push_back(in_trouble_ ? Printable(status.trouble()) : "the database can be written again");
  }
  if (status.waiting_for() != waiting_for_) {
    waiting_for_ = status.waiting_for();
    waiting_since_ = now;
    waiting_told_ = false;
  }
  if (!waiting_for_.empty() && !waiting_told_ && now - waiting_since_ >= kMinInterval) {
    waiting_told_ = true;
    lines.push_back("waiting: " + Printable(waiting_for_));
  }
  const int64_t done = EndedJobs(status.summary().jobs());
  const int64_t total = std::max<int64_t>(1, TotalJobs(status.summary().jobs()));
  const int64_t tenth = done * 10 / total;
  if (!reported_done_) {
    reported_done_ = done;
    reported_tenth_ = tenth;
  }
  const bool due = now - last_line_ >= kMinInterval || tenth > reported_tenth_;
  if (reported_done_ != done && due) {
    reported_done_ = done;
    reported_tenth_ = tenth;
    last_line_ = now;
    lines.push_back(RenderProgressLine(status));
  }
  return lines;
}

void ProgressDisplay::Show(const v1::SweepStatus& status, absl::Time now) {
  for (const std::string& failure : log_.NewFailures(status)) Say(failure);
  if (!is_terminal_) {
    for (const std::string& line : log_.NewLines(status, now)) Say(line);
    return;
  }
  const std::vector<std::string> lines = RenderProgress(status, screen_, kMaxJobsShown, flags_);
  if (lines == drawn_) return;
  std::string frame = drawn_.empty() ? "" : fmt::format("\x1b[{}A", drawn_.size());
  for (const std::string& line : lines) frame += "\r\x1b[K" + line + "\n";
  frame += "\x1b[J";
  stream_ << frame << std::flush;
  drawn_ = lines;
}

void ProgressDisplay::Say(const std::string& message) {
  Clear();
  stream_ << message << std::endl;
}

void ProgressDisplay::Clear() {
  if (drawn_.empty()) return;
  stream_ << fmt::format("\x1b[{}A\r\x1b[J", drawn_.size()) << std::flush;
  drawn_.clear();
}

}  // namespace gridsweep
