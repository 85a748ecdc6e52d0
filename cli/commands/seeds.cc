#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/convert_results.h"
#include "cli/local_run_flags.h"
#include "cli/output_flags.h"
#include "cli/sweep_watch.h"
#include "common/results/format_number.h"
#include "common/results/seed_plan.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nWith --until-separated, seed after seed goes to the cells that may still be the best, and to no others, until the leader\n"
    "differs from each of them (paired t test over seeds, Holm's correction for the number of cells, Bonferroni's for looking\n"
    "again after every seed: together they err in at most 5 % of sweeps) or they have --max seeds each. With --to every cell\n"
    "gets as many seeds. What is added is a revision of the sweep and kept with the reason (view v_revisions).\n\n"
    "The jobs are trained by the workers of the coordinator that holds the database; if none runs, by workers of this machine.\n"
    "It can be interrupted and repeated: it goes on where it was.\n\n"
    "Examples:\n"
    "  gridsweep seeds emnist-baseline --until-separated --max 10\n"
    "  gridsweep seeds 3 --to 5 --coordinator node1:7077\n\n"
    "Exit codes: 0 done, 1 done with failed jobs, 3 no coordinator, 130 interrupted";

constexpr absl::Duration kPatience = absl::Minutes(2);

class SeedsCommand : public Command {
 public:
  std::string name() const override { return "seeds"; }
  std::string summary() const override {
    return "Add seeds to a sweep, where they tell which cell is the best";
  }
  void Declare(CLI::App& app) override;
  absl::StatusOr<int> Run(Context& context) override;

 private:
  // Adds and waits, round after round, at a coordinator that has workers.
  absl::StatusOr<int> Spend(Client& client, LocalCluster* cluster, Context& context,
                            ProgressDisplay& display);
  absl::StatusOr<int> SpendLocally(Context& context, ProgressDisplay& display);
  absl::StatusOr<RankedTable> Rank(Client& client);
  // Returns what is to be done next, of which the user has been told.
  absl::StatusOr<SeedPlan> Plan(const RankedTable& ranked, ProgressDisplay& display);
  absl::Status WaitForEnd(Client& client, LocalCluster* cluster, Context& context, ProgressDisplay& display);
  void Print(const RankedTable& ranked, Context& context) const;

  std::string sweep_;
  bool until_separated_ = false;
  int64_t max_ = 0;
  int64_t to_ = 0;
  LocalRunFlags local_;
  CoordinatorFlags flags_;
  FormatFlag format_;
  std::map<int64_t, int64_t> before_;  // seeds by cell, when the command began
  int64_t looks_ = 0;
  v1::SweepSummary last_;
};

void SeedsCommand::Declare(CLI::App& app) {
  app.add_option("SWEEP", sweep_, "The sweep's id, or its name for the newest of that name")->required();
  CLI::Option* const until = app.add_flag("--until-separated", until_separated_,
                                          "Add seeds only where the best cell is not clear yet");
  CLI::Option* const most = app.add_option("--max", max_, "At most so many seeds a cell")
                                ->check(CLI::Range(2, 1000))
                                ->option_text("N");
  until->needs(most);
  most->needs(until);
  app.add_option("--to", to_, "Give every cell so many seeds")
      ->check(CLI::Range(1, 1000))
      ->option_text("N")
      ->excludes(until);
  flags_.Declare(app);
  local_.Declare(app);
  format_.Declare(app);
  app.footer(kDetails);
}

absl::StatusOr<RankedTable> SeedsCommand::Rank(Client& client) {
  v1::RankRequest request;
  request.set_sweep(sweep_);
  GS_ASSIGN_OR_RETURN(const v1::RankResponse response, client.Rank(request));
  last_ = response.sweep();
  // From now on it is that sweep, also if a newer one of its name is submitted.
  sweep_ = std::to_string(last_.id());
  return FromProto(response, /*by_level=*/false);
}

absl::StatusOr<SeedPlan> SeedsCommand::Plan(const RankedTable& ranked, ProgressDisplay& display) {
  if (to_ > 0) {
    SeedPlan plan{.verdict = SeedPlan::Verdict::kExhausted};
    for (const RankedRow& row : ranked.rows) {
      if (row.jobs.total() >= to_) continue;
      plan.verdict = SeedPlan::Verdict::kGoOn;
      plan.cells.push_back(row.cell);
    }
    plan.seeds = to_;
    return plan;
  }
  if (looks_ == 0) {
    int64_t fewest = max_;
    for (const RankedRow& row : ranked.rows) fewest = std::min(fewest, row.jobs.total());
    looks_ = std::max<int64_t>(1, max_ - fewest + 1);
  }
  const SeedPlan plan = PlanSeeds(ranked.rows, max_, looks_);
  switch (plan.verdict) {
    case SeedPlan::Verdict::kGoOn:
      display.Say(fmt::format("{}: seed {} for each of them", ReasonOf(plan), plan.seeds));
      break;
    case SeedPlan::Verdict::kSeparated:
      display.Say(
          fmt::format("the leader is separated from every other cell (p < {:.2g})", plan.significance));
      break;
    case SeedPlan::Verdict::kExhausted:
      display.Say(fmt::format("{} still, with {} seeds each: more seeds may not tell them apart either",
                              ReasonOf(plan), max_));
      break;
    case SeedPlan::Verdict::kNoResult:
      return FailedPrecondition("sweep '{}' has no result yet: there is nothing to tell apart",
                                ranked.sweep_name);
  }
  return plan;
}

absl::Status SeedsCommand::WaitForEnd(Client& client, LocalCluster* cluster, Context& context,
                                      ProgressDisplay& display) {
  if (cluster != nullptr) GS_RETURN_IF_ERROR(cluster->StartWorkers());
  GS_ASSIGN_OR_RETURN(const v1::SweepStatus status,
                      WatchSweep(client, sweep_, context, display, kPatience, [&]() -> absl::Status {
                        if (cluster == nullptr) return absl::OkStatus();
                        GS_ASSIGN_OR_RETURN(const auto messages, cluster->Supervise(absl::Now()));
                        for (const std::string& message : messages) display.Say(message);
                        return absl::OkStatus();
                      }));
  if (status.has_summary()) last_ = status.summary();
  return absl::OkStatus();
}

absl::StatusOr<int> SeedsCommand::Spend(Client& client, LocalCluster* cluster, Context& context,
                                        ProgressDisplay& display) {
  while (true) {
    GS_ASSIGN_OR_RETURN(const RankedTable ranked, Rank(client));
    if (before_.empty()) {
      for (const RankedRow& row : ranked.rows) before_[row.cell] = row.jobs.total();
    }
    if (!HasEnded(last_)) {
      GS_RETURN_IF_ERROR(WaitForEnd(client, cluster, context, display));
      if (context.interruptions() > 0) return kExitInterrupted;
      continue;
    }
    GS_ASSIGN_OR_RETURN(const SeedPlan plan, Plan(ranked, display));
    if (plan.verdict != SeedPlan::Verdict::kGoOn) {
      Print(ranked, context);
      return SweepExitCode(last_);
    }
    v1::AddSeedsRequest request;
    request.set_sweep(sweep_);
    request.mutable_cells()->Add(plan.cells.begin(), plan.cells.end());
    request.set_seeds(plan.seeds);
    request.set_reason(to_ > 0 ? fmt::format("every cell gets {} seeds", to_) : ReasonOf(plan));
    GS_ASSIGN_OR_RETURN(const v1::AddSeedsResponse added, client.AddSeeds(request));
    if (added.jobs() == 0) return Internal("the coordinator added no seeds");
  }
}

void SeedsCommand::Print(const RankedTable& ranked, Context& context) const {
  Table table;
  table.columns = {{.key = "rank", .header = "rank", .align = Align::kRight}};
  for (const std::string& axis : ranked.axes)
    table.columns.push_back({.key = axis, .header = axis, .min_width = 6});
  table.columns.insert(
      table.columns.end(),
      {{.key = "cell", .header = "", .audience = Audience::kMachines},
       {.key = "seeds_before", .header = "seeds before", .align = Align::kRight},
       {.key = "seeds", .header = "seeds now", .align = Align::kRight},
       {.key = "added", .header = "jobs spent", .align = Align::kRight},
       {.key = "", .header = ranked.metric, .align = Align::kRight, .audience = Audience::kPeople},
       {.key = "mean", .header = "", .audience = Audience::kMachines},
       {.key = "ci95", .header = "", .audience = Audience::kMachines},
       {.key = "p", .header = "p", .align = Align::kRight}});
  int64_t spent = 0;
  for (const RankedRow& row : ranked.rows) {
    const auto before = before_.find(row.cell);
    const int64_t had = before == before_.end() ? 0 : before->second;
    const int64_t added = row.jobs.total() - had;
    if (added == 0 && row.rank != 1) continue;
    spent += added;
    std::vector<Cell> cells = {
        Cell(row.tied ? fmt::format("{}=", row.rank) : std::to_string(row.rank), row.rank)};
    for (const std::string& label : row.labels) cells.push_back(Cell::Text(label));
    const std::string mean = row.mean ? FormatMean(ranked.metric, *row.mean, row.ci) : "–";
    const auto raw = [](const std::optional<double>& value) {
      return Cell("", value ? NumberToJson(*value) : Json());
    };
    Cell p;
    if (row.behind && row.behind->p) p = Cell(FormatPValue(*row.behind->p), *row.behind->p);
    for (Cell& cell :
         std::vector<Cell>{Cell::Integer(row.cell), Cell::Integer(had), Cell::Integer(row.jobs.total()),
                           Cell::Integer(added), Cell(mean, nullptr), raw(row.mean), raw(row.ci), p})
      cells.push_back(std::move(cell));
    table.rows.push_back(std::move(cells));
  }
  PrintTable(table, format_, "no seeds were spent", context);
  if (format_.format == OutputFormat::kTable)
    *context.out.stream << fmt::format("{} job{} spent on {} of {} cells; gridsweep rank {}{} shows all\n",
                                       FormatCount(spent), spent == 1 ? "" : "s", table.rows.size(),
                                       FormatCount(ranked.cells), sweep_, flags_.Repeated());
}

absl::StatusOr<int> SeedsCommand::SpendLocally(Context& context, ProgressDisplay& display) {
  GS_ASSIGN_OR_RETURN(const auto cluster, LocalCluster::Start(local_.Spec(context.program_dir, flags_.db)));
  absl::StatusOr<int> code = kExitOk;
  {
    // Gone before the coordinator is stopped: a server waits a while for its clients to hang up.
    Client client(cluster->address());
    code = Spend(client, cluster.get(), context, display);
  }
  display.Clear();
  cluster->Stop(context, 1);
  if (code.ok() && *code == kExitInterrupted) {
    display.Say("interrupted; run the same command to go on");
  } else if (code.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(CheckpointsBeside(flags_.db), ignored);
  }
  return code;
}

absl::StatusOr<int> SeedsCommand::Run(Context& context) {
  if (!until_separated_ && to_ == 0)
    return InvalidArgument("say how many: gridsweep seeds {} --until-separated --max 10, or --to 5", sweep_);
  context.hold_signals();
  ProgressDisplay display(context.err, flags_.Repeated());
  std::string address = flags_.Address();
  if (address.empty()) {
    GS_ASSIGN_OR_RETURN(const std::optional<LiveCoordinator> live, FindLiveCoordinator(flags_.db));
    if (!live) {
      if (!std::filesystem::exists(flags_.db)) return NotFound("there is no database '{}'", flags_.db);
      return SpendLocally(context, display);
    }
  }
  GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kChange, context));
  return Spend(connection->client(), nullptr, context, display);
}

}  // namespace

std::unique_ptr<Command> MakeSeedsCommand() {
  return std::make_unique<SeedsCommand>();
}

}  // namespace gridsweep
