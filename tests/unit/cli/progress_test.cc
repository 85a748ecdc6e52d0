#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/versions.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

v1::SweepStatus Status(int64_t done = 12, int64_t failed = 1) {
  v1::SweepStatus status;
  v1::SweepSummary& sweep = *status.mutable_summary();
  sweep.set_id(3);
  sweep.set_name("emnist-baseline");
  sweep.set_state("active");
  sweep.set_epochs(10);
  sweep.set_seeds(3);
  sweep.mutable_objective()->set_metric("val_accuracy");
  sweep.mutable_jobs()->set_succeeded(done - failed);
  sweep.mutable_jobs()->set_failed(failed);
  sweep.mutable_jobs()->set_running(2);
  sweep.mutable_jobs()->set_pending(30 - done);
  status.set_epochs_done(done * 10 + 5);
  status.set_epochs_total(320);
  status.set_epochs_per_minute(42.1);
  status.set_eta_seconds(275);
  status.mutable_best()->set_label("cnn relu adam");
  status.mutable_best()->set_objective(0.84987);
  for (int i = 0; i < 2; ++i) {
    v1::RunningJob& job = *status.add_running();
    job.set_job(17 + i);
    job.set_attempt_number(1 + i);
    job.set_label(i == 0 ? "cnn relu sgd(lr=0.05, momentum=0.9) step(step_size=3)" : "mlp tanh adam none");
    job.set_seed(1);
    job.set_worker("local-1");
    job.set_device("cpu");
    job.set_epoch(4);
    job.set_epoch_fraction(0.456);
    for (const double value : {0.5, 0.7, 0.8}) job.add_curve(value);
  }
  const auto lead = [&status](const char* label, int64_t n, double mean) {
    v1::LeadingCell& cell = *status.add_leaders();
    cell.set_label(label);
    cell.set_n(n);
    cell.set_mean(mean);
    return &cell;
  };
  lead("cnn relu adam", 3, 0.84987)->set_ci(0.0061);
  lead("cnn relu rmsprop", 1, 0.845);
  status.set_workers(2);
  for (int i = 1; i <= 2; ++i) {
    v1::WorkerLine& worker = *status.add_worker_lines();
    worker.set_name(fmt::format("local-{}", i));
    worker.set_state(i == 1 ? "working" : "idle");
    worker.set_running(i == 1 ? 2 : 0);
    worker.set_slots(2);
  }
  return status;
}

std::string Text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// clang-format off
TEST(RenderProgress, At80Columns) {
  EXPECT_EQ(Text(RenderProgress(Status(), {.width = 80}, 16)), R"(████████████▌░░░░░░░░░░░░░░░░░░░  39 %  12 of 32 jobs done, 2 running, 1 failed
125 of 320 epochs, 42.1 a minute, about 4 min 35 s left
  cnn relu sgd(lr=0.05, momentum=0.9) step(step_…  seed 1  epoch 4/10  46 %  ▁▆█
  mlp tanh adam none                               seed 1  epoch 4/10  46 %  ▁▆█
best so far by val_accuracy
  1. cnn relu adam     85.0 ± 0.6 %  3 of 3 seeds
  2. cnn relu rmsprop        84.5 %  1 of 3 seeds
2 workers: local-1 2/2, local-2 idle
)");
}

TEST(RenderProgress, At140Columns) {
  EXPECT_EQ(Text(RenderProgress(Status(), {.width = 140}, 16)), R"(███████████████▋░░░░░░░░░░░░░░░░░░░░░░░░  39 %  12 of 32 jobs done, 2 running, 1 failed
125 of 320 epochs, 42.1 a minute, about 4 min 35 s left
  cnn relu sgd(lr=0.05, momentum=0.9) step(step_size=3)  seed 1  epoch 4/10  46 %  ▁▆█  local-1 cpu
  mlp tanh adam none                                     seed 1  epoch 4/10  46 %  ▁▆█  local-1 cpu, attempt 2
best so far by val_accuracy
  1. cnn relu adam     85.0 ± 0.6 %  3 of 3 seeds
  2. cnn relu rmsprop        84.5 %  1 of 3 seeds
2 workers: local-1 2/2, local-2 idle
)");
}
// clang-format on

TEST(RenderProgress, NeverExceedsTheWidth) {
  for (int width = 20; width < 200; ++width) {
    for (const std::string& line : RenderProgress(Status(), {.width = width}, 16)) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

TEST(RenderProgress, NeverExceedsTheHeight) {
  v1::SweepStatus status = Status();
  for (int i = 0; i < 30; ++i) *status.add_running() = status.running(0);
  for (int height = 4; height < 60; ++height) {
    const std::vector<std::string> lines = RenderProgress(status, {.width = 80, .height = height}, 16);
    EXPECT_LT(static_cast<int>(lines.size()), height);
    EXPECT_GE(lines.size(), 2u) << "the bar and the pace are always there";
  }
  EXPECT_THAT(Text(RenderProgress(status, {.width = 80, .height = 12}, 16)), HasSubstr("best so far"))
      << "cells go after jobs";
}

TEST(RenderProgress, SaysWhyNothingHappens) {
  v1::SweepStatus status = Status();
  status.set_waiting_for("no worker has the data set 'x'");
  EXPECT_THAT(Text(RenderProgress(status, {.width = 80}, 16)),
              HasSubstr("waiting: no worker has the data set 'x'"));
  status.mutable_summary()->set_state("paused");
  EXPECT_THAT(Text(RenderProgress(status, {.width = 80}, 16)), HasSubstr("paused"));
}

TEST(RenderProgress, APausedSweepIsResumedByACommandThatReachesIt) {
  v1::SweepStatus status = Status();
  status.mutable_summary()->set_state("paused");
  EXPECT_THAT(Text(RenderProgress(status, {.width = 80}, 16, " --db x.db")),
              HasSubstr("gridsweep resume 3 --db x.db goes on"));
}

TEST(RenderProgress, CancelledJobsAreNotDone) {
  v1::SweepStatus status = Status();
  status.mutable_summary()->mutable_jobs()->set_cancelled(3);
  EXPECT_THAT(RenderProgressLine(status),
              testing::StartsWith("12 of 35 jobs done, 2 running, 1 failed, 3 cancelled;"));
}

TEST(RenderProgress, AnEmptyStatusIsHarmless) {
  EXPECT_THAT(RenderProgress(v1::SweepStatus(), {.width = 80}, 16), Not(IsEmpty()));
}

TEST(RenderProgress, ManyRunningJobsAreCounted) {
  EXPECT_THAT(Text(RenderProgress(Status(), {.width = 80}, 1)), HasSubstr("… and 1 more"));
}

TEST(RenderProgressLine, IsOneSentence) {
  EXPECT_EQ(RenderProgressLine(Status()),
            "12 of 32 jobs done, 2 running, 1 failed; 125 of 320 epochs, 42.1 a minute, about 4 min 35 s "
            "left; best "
            "val_accuracy 85.0 % (cnn relu adam)");
}

class ProgressLogTest : public ::testing::Test {
 protected:
  ProgressLog log_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
};

TEST_F(ProgressLogTest, SaysNothingTwice) {
  EXPECT_THAT(log_.NewLines(Status(12), now_), IsEmpty()) << "where it began is known";
  EXPECT_EQ(log_.NewLines(Status(13), now_).size(), 1u);
  EXPECT_THAT(log_.NewLines(Status(13), now_ + absl::Minutes(5)), IsEmpty());
}

TEST_F(ProgressLogTest, SpeaksAtMostEveryFiveSecondsButAtEveryTenth) {
  log_.NewLines(Status(12), now_);
  EXPECT_EQ(log_.NewLines(Status(13), now_ + absl::Seconds(5)).size(), 1u);
  EXPECT_THAT(log_.NewLines(Status(14), now_ + absl::Seconds(6)), IsEmpty());
  EXPECT_EQ(log_.NewLines(Status(16), now_ + absl::Seconds(7)).size(), 1u) << "half of all jobs";
  EXPECT_EQ(log_.NewLines(Status(17), now_ + absl::Seconds(13)).size(), 1u);
}

TEST_F(ProgressLogTest, TellsOfWaitingOnlyWhenItLasts) {
  v1::SweepStatus status = Status();
  status.set_waiting_for("no worker is connected");
  EXPECT_THAT(log_.NewLines(status, now_), IsEmpty());
  EXPECT_THAT(log_.NewLines(status, now_ + absl::Seconds(6)), ElementsAre("waiting: no worker is connected"));
  EXPECT_THAT(log_.NewLines(status, now_ + absl::Seconds(60)), IsEmpty());
}

TEST_F(ProgressLogTest, TellsEachFailureOnceInOrder) {
  v1::SweepStatus status = Status();
  EXPECT_THAT(log_.NewFailures(status), IsEmpty());
  status.add_recent_failures("job 2: b");
  status.add_recent_failures("job 1: a");
  EXPECT_THAT(log_.NewFailures(status), ElementsAre("job 1: a", "job 2: b"));
  EXPECT_THAT(log_.NewFailures(status), IsEmpty());
  status.mutable_recent_failures()->Clear();
  status.add_recent_failures("job 3: c");
  status.add_recent_failures("job 2: b");
  EXPECT_THAT(log_.NewFailures(status), ElementsAre("job 3: c"));
}

TEST(ProgressDisplay, RedrawsOnATerminalAndLeavesNothingBehind) {
  std::ostringstream screen;
  ProgressDisplay display({.stream = &screen, .is_terminal = true, .screen = {.width = 80}});
  display.Show(Status(), absl::Now());
  EXPECT_THAT(screen.str(), Not(HasSubstr("A\r")));
  display.Show(Status(13), absl::Now());
  EXPECT_THAT(screen.str(), HasSubstr("\x1b[8A\r"));
  display.Say("a message");
  EXPECT_TRUE(screen.str().ends_with("\x1b[8A\r\x1b[Ja message\n")) << screen.str();
}

TEST(ProgressDisplay, AfterANarrowerWindowItFindsTheTopOfWhatItHasDrawn) {
  std::ostringstream screen;
  int width = 80;
  ProgressDisplay display({.stream = &screen, .is_terminal = true, .screen = {}, .look = [&width] {
                             return Screen{.width = width, .color = true};
                           }});
  display.Show(Status(), absl::Now());
  width = 40;  // lines of up to 80 columns take up two rows
  display.Show(Status(), absl::Now());
  EXPECT_THAT(screen.str(), HasSubstr("\x1b[14A\r")) << screen.str();
}

TEST(ProgressDisplay, WritesNoEscapesElsewhere) {
  std::ostringstream log;
  ProgressDisplay display({.stream = &log});
  display.Show(Status(), absl::Now());
  display.Show(Status(20), absl::Now());
  display.Clear();
  EXPECT_THAT(log.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(log.str(), HasSubstr("20 of 32 jobs done"));
}

TEST(FindVersion, ReadsWhatOtherProgramsPrint) {
  EXPECT_EQ(FindVersion("gridsweep-coordinator 0.1.0\ncommit ab12\ngRPC 1.51.1\nSQLite 3.40.1", "SQLite"),
            "3.40.1");
  EXPECT_EQ(FindVersion("gridsweep-trainer 0.1.0 (ab12), LibTorch 2.6.0+cpu", "LibTorch"), "2.6.0+cpu");
  EXPECT_EQ(FindVersion("libtorch version: 1.13.0\n", "LibTorch"), "1.13.0");
  EXPECT_EQ(FindVersion("LibTorch\nSQLite 3", "LibTorch"), "");
  EXPECT_EQ(FindVersion("", "LibTorch"), "");
}

}  // namespace
}  // namespace gridsweep
