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
constexpr int kUnlimited = 1 << 20;
constexpr absl::Duration kMinInterval = absl::Seconds(5);
// Terminals that know it show a frame when it is whole; others ignore it.
constexpr char kBeginFrame[] = "\x1b[?2026h";
constexpr char kEndFrame[] = "\x1b[?2026l";

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
    lines.back() = Truncate(lines.back(), width);
  }
  const int64_t running = std::max<int64_t>(status.running_size(), status.summary().jobs().running());
  if (shown < running) lines.push_back(fmt::format("  … and {} more", running - shown));
  return lines;
}

std::string Colored(const std::string& text, const char* code, bool color) {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

// Without escape sequences, which take up no room.
int WidthOnScreen(const std::string& line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      while (i < line.size() && line[i] != 'm') ++i;
    } else {
      text += line[i];
    }
  }
  return DisplayWidth(text);
}

// What is always there: the bar, the pace, and what is in the way.
std::vector<std::string> HeadLines(const v1::SweepStatus& status, const Screen& screen, int width,
                                   const std::string& flags) {
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
  lines.push_back(Truncate(Pace(status), width));
  if (!status.trouble().empty())
    lines.push_back(Colored(Truncate(Printable(status.trouble()), width), "31", screen.color));
  if (!status.waiting_for().empty()) {
    lines.push_back(
        Colored(Truncate("waiting: " + Printable(status.waiting_for()), width), "33", screen.color));
  }
  return lines;
}

// The best cells so far, their figures below each other.
std::vector<std::string> LeaderLines(const v1::SweepStatus& status, int width) {
  if (status.leaders_size() == 0) return {};
  const std::string& metric = status.summary().objective().metric();
  std::vector<std::string> figures;
  int figure_width = 0;
  int label_width = 0;
  for (const v1::LeadingCell& cell : status.leaders()) {
    std::string figure =
        cell.has_ci() ? FormatInterval(metric, cell.mean(), cell.ci()) : FormatMetric(metric, cell.mean());
    if (status.summary().seeds() > 1)
      figure += fmt::format("  {} of {} seeds", cell.n(), status.summary().seeds());
    figure_width = std::max(figure_width, DisplayWidth(figure));
    label_width = std::max(label_width, DisplayWidth(Printable(cell.label())));
    figures.push_back(std::move(figure));
  }
  label_width = std::min(label_width, std::max(8, width - 7 - figure_width));
  std::vector<std::string> lines = {Truncate(fmt::format("best so far by {}", metric), width)};
  for (int i = 0; i < status.leaders_size(); ++i) {
    const std::string label =
        PadRight(Truncate(Printable(status.leaders(i).label()), label_width), label_width);
    lines.push_back(Truncate(
        fmt::format("  {}. {}  {}", i + 1, label, PadLeft(figures[static_cast<size_t>(i)], figure_width)),
        width));
  }
  return lines;
}

// "workers  alice 2 of 2 slots, bob idle": as many as a line holds.
std::vector<std::string> WorkerLines(const v1::SweepStatus& status, int width) {
  if (status.worker_lines_size() == 0) return {};
  std::string line =
      fmt::format("{} worker{}: ", FormatCount(status.workers()), status.workers() == 1 ? "" : "s");
  int shown = 0;
  for (const v1::WorkerLine& worker : status.worker_lines()) {
    const std::string text =
        worker.state() == "working"
            ? fmt::format("{} {}/{}", Printable(worker.name()), worker.running(), worker.slots())
            : fmt::format("{} {}", Printable(worker.name()), worker.state());
    const std::string joined = (shown > 0 ? ", " : "") + text;
    const std::string rest = fmt::format(", … {} more", status.workers() - shown);
    if (shown > 0 && DisplayWidth(line + joined + rest) > width) {
      line += rest;
      break;
    }
    line += joined;
    ++shown;
  }
  return {Truncate(line, width)};
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
  std::vector<std::string> lines = HeadLines(status, screen, width, flags);
  std::vector<std::string> leaders = LeaderLines(status, width);
  std::vector<std::string> workers = WorkerLines(status, width);
  int room = screen.height > 0 ? screen.height - 1 - static_cast<int>(lines.size()) : kUnlimited;
  // A few jobs are worth more than the rest.
  int most_jobs =
      std::min({max_jobs, status.running_size(), std::max(1, room - static_cast<int>(leaders.size()))});
  if (most_jobs < status.running_size() && most_jobs > 1) --most_jobs;  // "… and 3 more" takes up a line too
  std::vector<std::string> jobs = room > 0 ? JobLines(status, width, most_jobs) : std::vector<std::string>();
  const auto take = [&](std::vector<std::string>& part) {
    if (static_cast<int>(part.size()) > room) return;
    room -= static_cast<int>(part.size());
    lines.insert(lines.end(), part.begin(), part.end());
  };
  take(jobs);
  take(leaders);
  take(workers);
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

std::string ProgressDisplay::BackToTop(const Screen& screen) const {
  if (drawn_.empty()) return "";
  int rows = 0;
  for (const std::string& line : drawn_) {
    const int used = WidthOnScreen(line);
    rows += screen.width > 0 && used > screen.width ? (used + screen.width - 1) / screen.width : 1;
  }
  return fmt::format("\x1b[{}A\r", rows);
}

void ProgressDisplay::Show(const v1::SweepStatus& status, absl::Time now) {
  for (const std::string& failure : log_.NewFailures(status)) Say(failure);
  if (!sink_.is_terminal) {
    for (const std::string& line : log_.NewLines(status, now)) Say(line);
    return;
  }
  const Screen screen = sink_.Now();
  const std::vector<std::string> lines = RenderProgress(status, screen, kMaxJobsShown, flags_);
  if (lines == drawn_) return;
  // In one piece, each line over the old one: nothing flickers.
  std::string frame = kBeginFrame + BackToTop(screen);
  for (const std::string& line : lines) frame += "\r\x1b[K" + line + "\n";
  frame += std::string("\x1b[J") + kEndFrame;
  *sink_.stream << frame << std::flush;
  drawn_ = lines;
}

void ProgressDisplay::Say(const std::string& message) {
  Clear();
  *sink_.stream << message << std::endl;
}

void ProgressDisplay::Clear() {
  if (drawn_.empty()) return;
  *sink_.stream << BackToTop(sink_.Now()) << "\x1b[J" << std::flush;
  drawn_.clear();
}

}  // namespace gridsweep
