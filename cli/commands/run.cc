#include <filesystem>
#include <optional>

#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/local_cluster.h"
#include "cli/local_run_flags.h"
#include "cli/open_browser.h"
#include "cli/output_flags.h"
#include "cli/progress.h"
#include "cli/sweep_file.h"
#include "cli/sweep_watch.h"
#include "common/base/random.h"
#include "common/base/shell_word.h"
#include "common/data/dataset.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nStarts a coordinator and workers as child processes, submits the sweep, shows its progress, prints "
    "the ranked\n"
    "table and stops them again. Everything is stored in the database, epoch by epoch: after Ctrl-C, a crash or a "
    "power cut\n"
    "the same command goes on where it was, jobs under way from their last checkpoint. When the sweep is "
    "finished, the\n"
    "same command prints its table at once. After --again, the newest unfinished sweep of the file goes on "
    "first.\n\n"
    "If a coordinator already serves the database, the sweep is submitted there and only watched; when that "
    "one ends\n"
    "first, this command goes on with a coordinator and workers of its own. GRIDSWEEP_COORDINATOR is not "
    "read.\n\n"
    "Examples:\n"
    "  gridsweep run sweeps/quickstart.yaml\n"
    "  gridsweep run my.yaml --db results.db --slots 4 --data-dir ~/data\n"
    "  gridsweep run my.yaml --devices cuda:0,cuda:1 --slots 2\n"
    "  gridsweep run my.yaml --format csv > ranked.csv\n\n"
    "Exit codes: 0 done, 1 done with failed jobs, 2 wrong file or usage, 130 interrupted (run again to go "
    "on)";

constexpr absl::Duration kPatience = absl::Minutes(2);
// With one that has not answered yet: it may be stopping.
constexpr absl::Duration kFirstPatience = absl::Seconds(20);
// A service that is restarted gets its database back before we take it.
constexpr absl::Duration kTakeOver = absl::Seconds(3);
constexpr absl::Duration kInterval = absl::Milliseconds(250);

class RunCommand : public Command {
 public:
  std::string name() const override { return "run"; }
  std::string summary() const override { return "Run a sweep on this machine and print the ranked table"; }
  void Declare(CLI::App& app) override;
  absl::StatusOr<int> Run(Context& context) override;

 private:
  absl::StatusOr<int> RunAttached(const std::string& address, Context& context, ProgressDisplay& display);
  absl::StatusOr<int> RunLocally(Context& context, ProgressDisplay& display);
  // Submits, once however often it is called; says what is new, resumed or finished.
  absl::StatusOr<v1::SweepStatus> SubmitSweep(Client& client, ProgressDisplay& display);
  // Jobs are run in the order of their sweeps: an earlier one that was interrupted is trained first.
  absl::Status TellOfEarlierSweeps(Client& client, int64_t sweep, ProgressDisplay& display);
  absl::StatusOr<int> WatchAndRank(Client& client, const v1::SweepStatus& start, Context& context,
                                   ProgressDisplay& display, LocalCluster* cluster);
  void ShowLiveView(const LocalCluster& cluster, int64_t sweep, ProgressDisplay& display) const;
  absl::StatusOr<int> RunWith(LocalCluster& cluster, Context& context, ProgressDisplay& display);
  std::string InterruptedText(const std::string& what_next) const;
  absl::Status CheckDataset() const;

  std::string path_;
  SweepFile file_;
  std::string db_ = kDefaultDatabase;
  LocalRunFlags local_;
  bool again_ = false;
  bool retry_ = false;
  bool open_ = false;
  std::string client_key_;
  std::optional<v1::SubmitResponse> submitted_;
  bool prepared_ = false;    // submitted, and retried and resumed as wanted
  std::string attached_to_;  // the coordinator of somebody else that was called last
  absl::Time last_answer_;   // of that one
  bool is_away_ = false;     // likewise, and the user knows
  v1::JobCounts jobs_;       // as last seen
  FormatFlag format_;
  RankOptions rank_options_;
};

void RunCommand::Declare(CLI::App& app) {
  app.add_option("FILE", path_, "The sweep file")->required();
  app.add_option("--db", db_, "The results database; created if it does not exist")
      ->capture_default_str()
      ->type_name("FILE");
  local_.Declare(app);
  app.add_flag("--again", again_, "Run it anew even if the database holds this sweep already");
  app.add_flag("--open", open_, "Show the sweep in the browser while it runs");
  app.add_flag("--retry", retry_, "First start the sweep's failed and cancelled jobs anew");
  format_.Declare(app);
  app.add_flag("--no-times", rank_options_.no_times,
               "Leave times and ids out of the result, so that two runs can be compared byte for byte");
  app.footer(kDetails);
}

absl::Status RunCommand::CheckDataset() const {
  return FindUsableDataset(file_.spec.dataset,
                           local_.data_dirs.empty() ? DefaultDataDirs() : local_.data_dirs)
      .status();
}

absl::StatusOr<v1::SweepStatus> RunCommand::SubmitSweep(Client& client, ProgressDisplay& display) {
  if (!submitted_) {
    v1::SubmitRequest request;
    request.set_client_key(client_key_);
    request.set_yaml(file_.yaml);
    request.set_file_name(file_.path);
    request.set_resume(!again_);
    GS_ASSIGN_OR_RETURN(submitted_, client.Submit(request));
  }
  const std::string id = std::to_string(submitted_->sweep());
  GS_ASSIGN_OR_RETURN(v1::SweepStatus status, client.GetSweep(id));
  if (prepared_) return status;
  const v1::JobCounts& jobs = status.summary().jobs();
  if (retry_ && jobs.failed() + jobs.cancelled() > 0) {
    display.Say(fmt::format("starting {} failed and cancelled jobs anew", jobs.failed() + jobs.cancelled()));
    GS_RETURN_IF_ERROR(client.ControlSweep(id, v1::RETRY).status());
  }
  if (status.summary().state() == "paused") {
    display.Say("the sweep was paused, resuming it");
    GS_RETURN_IF_ERROR(client.ControlSweep(id, v1::RESUME).status());
  }
  GS_ASSIGN_OR_RETURN(status, client.GetSweep(id));
  const v1::SweepSummary& sweep = status.summary();
  const std::string title = fmt::format("sweep {} '{}'", sweep.id(), sweep.name());
  if (submitted_->created()) {
    display.Say(fmt::format("{}: {} cell{}, {} job{}", title, FormatCount(sweep.cells()),
                            sweep.cells() == 1 ? "" : "s", FormatCount(submitted_->jobs()),
                            submitted_->jobs() == 1 ? "" : "s"));
  } else if (HasEnded(sweep)) {
    display.Say(
        fmt::format("{} is {} already; --again runs it anew{}", title, sweep.state(),
                    jobs.failed() + jobs.cancelled() > 0 ? ", --retry its failed and cancelled jobs" : ""));
  } else {
    display.Say(fmt::format("{}: going on with {} of {} jobs done", title,
                            FormatCount(DoneJobs(sweep.jobs())), FormatCount(TotalJobs(sweep.jobs()))));
  }
  if (!HasEnded(sweep)) GS_RETURN_IF_ERROR(TellOfEarlierSweeps(client, sweep.id(), display));
  prepared_ = true;
  return status;
}

absl::Status RunCommand::TellOfEarlierSweeps(Client& client, int64_t sweep, ProgressDisplay& display) {
  GS_ASSIGN_OR_RETURN(const v1::ListSweepsResponse all, client.ListSweeps());
  for (const v1::SweepSummary& other : all.sweeps()) {
    const int64_t open = other.jobs().pending() + other.jobs().running();
    if (other.id() >= sweep || other.state() != "active" || open == 0) continue;
    display.Say(fmt::format(
        "sweep {} '{}' of this database is unfinished and comes first with {} jobs; gridsweep cancel {}{} ends it",
        other.id(), other.name(), FormatCount(open), other.id(), RepeatedDatabase(db_)));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> RunCommand::WatchAndRank(Client& client, const v1::SweepStatus& start, Context& context,
                                             ProgressDisplay& display, LocalCluster* cluster) {
  const std::string id = std::to_string(start.summary().id());
  v1::SweepStatus status = start;
  jobs_ = start.summary().jobs();
  if (!HasEnded(status.summary())) {
    // Our own coordinator is started again if it dies; for another's, Run looks.
    const absl::Duration patience = cluster != nullptr ? kPatience : absl::ZeroDuration();
    GS_ASSIGN_OR_RETURN(status, WatchSweep(client, id, context, display, patience, [&]() -> absl::Status {
                          if (cluster == nullptr) return absl::OkStatus();
                          GS_ASSIGN_OR_RETURN(const auto messages, cluster->Supervise(absl::Now()));
                          for (const std::string& message : messages) display.Say(message);
                          return absl::OkStatus();
                        }));
  }
  if (context.interruptions() > 0) {
    if (status.has_summary()) jobs_ = status.summary().jobs();
    return kExitInterrupted;
  }
  v1::RankRequest request;
  request.set_sweep(id);
  GS_RETURN_IF_ERROR(PrintRanking(client, request, format_.format, rank_options_, context));
  return SweepExitCode(status.summary());
}

std::string RunCommand::InterruptedText(const std::string& what_next) const {
  return fmt::format("interrupted: {} of {} jobs done; {}", FormatCount(DoneJobs(jobs_)),
                     FormatCount(TotalJobs(jobs_)), what_next);
}

absl::StatusOr<int> RunCommand::RunAttached(const std::string& address, Context& context,
                                            ProgressDisplay& display) {
  if (address != attached_to_) {
    display.Say(prepared_
                    ? fmt::format("a coordinator at {} serves '{}' now: going on there", address, db_)
                    : fmt::format("a coordinator at {} already serves '{}': submitting there", address, db_));
    if (local_.no_share) display.Say("--no-share has no effect there: it is a flag of the coordinator");
    if (open_) display.Say("--open has no effect there: start that coordinator with --http");
    is_away_ = false;
  }
  attached_to_ = address;
  Client client(address);
  GS_ASSIGN_OR_RETURN(const v1::SweepStatus status, SubmitSweep(client, display));
  if (is_away_) display.Say("the coordinator is back");
  is_away_ = false;
  const absl::StatusOr<int> code = WatchAndRank(client, status, context, display, nullptr);
  last_answer_ = context.clock->Now().wall;  // it answered until the call that failed
  if (code.ok() && *code == kExitInterrupted)
    display.Say(InterruptedText("the sweep goes on at its coordinator"));
  return code;
}

void RunCommand::ShowLiveView(const LocalCluster& cluster, int64_t sweep, ProgressDisplay& display) const {
  const std::string url = fmt::format("{}#/sweep/{}/overview", cluster.live_url(), sweep);
  const absl::Status opened = OpenBrowser(url);
  display.Say(fmt::format("live view, until this command ends: {}{}", url,
                          opened.ok() ? "" : fmt::format(" ({}: open it yourself)", Message(opened))));
}

absl::StatusOr<int> RunCommand::RunWith(LocalCluster& cluster, Context& context, ProgressDisplay& display) {
  // Gone before the coordinator is stopped: a server waits a while for its clients to hang up.
  Client client(cluster.address());
  GS_ASSIGN_OR_RETURN(const v1::SweepStatus status, SubmitSweep(client, display));
  if (open_) ShowLiveView(cluster, status.summary().id(), display);
  if (!HasEnded(status.summary())) GS_RETURN_IF_ERROR(cluster.StartWorkers());
  return WatchAndRank(client, status, context, display, &cluster);
}

absl::StatusOr<int> RunCommand::RunLocally(Context& context, ProgressDisplay& display) {
  GS_RETURN_IF_ERROR(CheckDataset());
  LocalClusterSpec spec = local_.Spec(context.program_dir, db_);
  if (open_) spec.http = "127.0.0.1:0";
  GS_ASSIGN_OR_RETURN(const auto cluster, LocalCluster::Start(std::move(spec)));
  const absl::StatusOr<int> code = RunWith(*cluster, context, display);
  display.Clear();
  const bool interrupted = code.ok() && *code == kExitInterrupted;
  if (interrupted) display.Say("stopping; interrupt again to stop at once");
  cluster->Stop(context, 1);
  if (interrupted) display.Say(InterruptedText("run the same command to resume"));
  if (code.ok() && !interrupted) {
    // The sweep is over: nothing goes on from them.
    std::error_code ignored;
    std::filesystem::remove_all(CheckpointsBeside(db_), ignored);
  }
  return code;
}

absl::StatusOr<int> RunCommand::Run(Context& context) {
  GS_ASSIGN_OR_RETURN(file_, ReadSweepFile(path_));
  context.hold_signals();
  // The same file is the same sweep: that is what makes `run` go on where it was.
  client_key_ = "run-" + SweepContentHash(file_.spec) + (again_ ? "-" + RandomHex(8) : "");
  ProgressDisplay display(context.err, RepeatedDatabase(db_));
  last_answer_ = context.clock->Now().wall;
  // A coordinator that another `run` has started ends with it, at any time: then there is a next one, or ours.
  while (true) {
    GS_ASSIGN_OR_RETURN(const std::optional<LiveCoordinator> live, FindLiveCoordinator(db_));
    const absl::Duration silent = context.clock->Now().wall - last_answer_;
    if (live && live->secure) {
      return FailedPrecondition(
          "a coordinator that wants tokens holds '{}': hand the sweep in with gridsweep submit {} --coordinator {} --ca FILE "
          "--token-file FILE",
          db_, ShellWord(path_), live->address);
    }
    if (live) {
      const absl::StatusOr<int> code = RunAttached(live->address, context, display);
      if (!absl::IsUnavailable(code.status())) return code;
      const absl::Duration patience = prepared_ ? kPatience : kFirstPatience;
      if (context.clock->Now().wall - last_answer_ > patience) return code;
    } else if (attached_to_.empty() || silent > kTakeOver) {
      if (!attached_to_.empty()) {
        display.Say(fmt::format("no coordinator serves '{}' any more: going on with one of our own", db_));
      }
      const absl::StatusOr<int> code = RunLocally(context, display);
      if (!absl::IsFailedPrecondition(code.status())) return code;
      GS_ASSIGN_OR_RETURN(const std::optional<LiveCoordinator> quicker, FindLiveCoordinator(db_));
      if (!quicker) return code;
      continue;
    }
    if (context.interruptions() > 0) {
      display.Say(InterruptedText("run the same command to go on"));
      return kExitInterrupted;
    }
    if (!is_away_) display.Say("the coordinator does not answer, waiting for it");
    is_away_ = true;
    context.sleep(kInterval);
  }
}

}  // namespace

std::unique_ptr<Command> MakeRunCommand() {
  return std::make_unique<RunCommand>();
}

}  // namespace gridsweep
