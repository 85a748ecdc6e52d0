#include "coordinator/service/analyst.h"

#include <algorithm>

#include "common/base/log.h"
#include "coordinator/service/results_answers.h"

namespace gridsweep {
namespace {

// Of the cells beyond, SQL can say all but how they stand against the leader.
constexpr int64_t kMostStandings = 1000;
// Of larger sweeps nothing is stored: reading all of their results at once takes memory that nobody has asked for. `gridsweep
// effects` and `rank` compute it when they are asked.
constexpr int64_t kMostAnalysedJobs = 100'000;
// A sweep that runs is analysed at most this often, and for at most a fiftieth of the time.
constexpr absl::Duration kLeastInterval = absl::Seconds(30);
constexpr int64_t kShareOfTime = 50;

int64_t ResultsOf(const SweepRecord& sweep) {
  return sweep.jobs.succeeded + sweep.jobs.diverged + sweep.jobs.failed;
}

bool HasEnded(const SweepRecord& sweep) {
  return sweep.state == SweepState::kFinished || sweep.state == SweepState::kCancelled;
}

// The `most` best, by mean.
std::vector<Standing> BestStandings(const std::vector<CellObjectives>& cells,
                                    const std::vector<Standing>& standings, Goal goal, int64_t most) {
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].values.empty()) continue;
    const double mean = MeanOf(cells[i].values);
    order.emplace_back(goal == Goal::kMax ? -mean : mean, i);
  }
  std::sort(order.begin(), order.end());
  if (std::ssize(order) > most) order.resize(static_cast<size_t>(most));
  std::vector<Standing> best;
  for (const auto& [cost, i] : order) best.push_back(standings[i]);
  return best;
}

}  // namespace

absl::StatusOr<SweepAnalysis> AnalyzeSweep(StoreReader& reader, SweepId id, int64_t most) {
  GS_ASSIGN_OR_RETURN(const SweepRecord sweep, reader.GetSweep(id));
  GS_ASSIGN_OR_RETURN(EffectsInput input, ReadEffectsInput(reader, sweep));
  SweepAnalysis analysis{.results = ResultsOf(sweep), .axes = input.axes, .effects = {}, .standings = {}};
  const std::vector<CellObjectives> objectives = ObjectivesOf(input.cells);
  analysis.standings =
      BestStandings(objectives, CompareWithLeader(objectives, input.measure), input.measure.goal, most);
  analysis.effects = AnalyzeEffects(std::move(input));
  return analysis;
}

void Analyst::Look(bool last) {
  if (const absl::Status looked = LookAtAll(last); !looked.ok())
    Log(LogLevel::kWarning, "not_analysed", {{"error", Message(looked)}});
}

absl::Status Analyst::LookAtAll(bool last) {
  if (!begun_) {
    GS_ASSIGN_OR_RETURN(const auto stored, reader_->AnalysedResults());
    for (const auto& [sweep, results] : stored) known_[sweep].results = results;
    begun_ = true;
  }
  GS_ASSIGN_OR_RETURN(const std::vector<SweepRecord> sweeps, reader_->ListSweeps());
  for (const SweepRecord& sweep : sweeps) {
    if (ResultsOf(sweep) == 0 || sweep.jobs.total() > kMostAnalysedJobs) continue;
    Known& known = known_[sweep.id];
    if (known.results == ResultsOf(sweep)) continue;
    if (!last && !HasEnded(sweep) && clock_->Now().wall < known.next) continue;
    GS_RETURN_IF_ERROR(Analyze(sweep, known));
  }
  return absl::OkStatus();
}

absl::Status Analyst::Analyze(const SweepRecord& sweep, Known& known) {
  const absl::Time begin = clock_->Now().wall;
  GS_ASSIGN_OR_RETURN(const SweepAnalysis analysis, AnalyzeSweep(*reader_, sweep.id, kMostStandings));
  const absl::Time now = clock_->Now().wall;
  known.next = now + std::max(kLeastInterval, kShareOfTime * (now - begin));
  GS_RETURN_IF_ERROR(loop_->Run([&](JobQueue&, const Instant& instant) {
    return store_->StoreAnalysis(sweep.id, analysis, instant.wall);
  }));
  known.results = analysis.results;
  return absl::OkStatus();
}

}  // namespace gridsweep
