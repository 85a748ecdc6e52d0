#include "coordinator/queue/work_forecast.h"

#include <limits>
#include <set>

namespace gridsweep {

absl::Status WorkForecast::Load() {
  costs_ = {};
  kinds_.clear();
  GS_ASSIGN_OR_RETURN(const std::vector<EpochCost> costs, store_->EpochCosts());
  for (const EpochCost& cost : costs) {
    GS_ASSIGN_OR_RETURN(const std::string kind, KindOf(cost.sweep, cost.work));
    costs_.Add(kind, cost.device, cost.seconds, cost.epochs, cost.first);
  }
  return absl::OkStatus();
}

absl::Status WorkForecast::Add(const OpenAttempt& attempt, const std::string& device,
                               const EpochMetrics& epoch) {
  GS_ASSIGN_OR_RETURN(const std::string kind, KindOf(attempt.sweep, attempt.work));
  costs_.Add(kind, device, epoch.seconds, 1.0 / static_cast<double>(epoch.shared_by), epoch.epoch == 1);
  return absl::OkStatus();
}

double WorkForecast::BundleSeconds(const WorkClass& work) const {
  const std::optional<double> seconds = costs_.EpochSeconds(work.kind);
  const double epochs = share_ ? work.group_epochs : static_cast<double>(work.epochs);
  return seconds ? *seconds * epochs : std::numeric_limits<double>::infinity();
}

absl::StatusOr<std::string> WorkForecast::KindOf(SweepId sweep, int64_t work) {
  const std::pair key(sweep, work);
  if (const auto found = kinds_.find(key); found != kinds_.end()) return found->second;
  GS_ASSIGN_OR_RETURN(const std::vector<WorkClass> classes, store_->WorkClasses());
  for (const WorkClass& one : classes) kinds_[{one.sweep, one.work}] = one.kind;
  const auto found = kinds_.find(key);
  return found == kinds_.end() ? std::string() : found->second;
}

absl::StatusOr<std::optional<std::vector<BusySlot>>> WorkForecast::RunningWork(SweepId sweep,
                                                                               const LeaseTable& leases) {
  std::map<int64_t, std::vector<const Lease*>> slots;  // by bundle; alone by attempt, negative
  for (const auto& [id, lease] : leases.all()) {
    slots[lease.job.attempt.bundle > 0 ? lease.job.attempt.bundle : -id.value].push_back(&lease);
  }
  std::vector<BusySlot> busy;
  for (const auto& [bundle, members] : slots) {
    std::vector<RunningShare> shares;
    for (const Lease* lease : members) {
      const OpenAttempt& attempt = lease->job.attempt;
      const double done =
          lease->epoch > 0 ? static_cast<double>(lease->epoch) - 1 + lease->epoch_fraction : 0;
      shares.push_back({attempt.added_epochs, static_cast<double>(attempt.epochs), done});
    }
    const Lease& any = *members.front();
    GS_ASSIGN_OR_RETURN(const std::string kind, KindOf(any.job.attempt.sweep, any.job.attempt.work));
    const std::optional<double> seconds = costs_.EpochSeconds(kind, any.device);
    if (!seconds) return std::optional<std::vector<BusySlot>>();
    busy.push_back({*seconds * EpochsLeft(shares), any.job.attempt.sweep == sweep});
  }
  return std::optional(std::move(busy));
}

absl::StatusOr<std::optional<double>> WorkForecast::SecondsLeft(SweepId sweep, const LeaseTable& leases,
                                                                int64_t slots) {
  const std::optional<double> unknown;
  GS_ASSIGN_OR_RETURN(const auto busy, RunningWork(sweep, leases));
  if (!busy) return unknown;
  GS_ASSIGN_OR_RETURN(const std::vector<WorkClass> classes, store_->WorkClasses());
  GS_ASSIGN_OR_RETURN(const std::set<SweepId> active, store_->ActiveSweeps());
  std::vector<WaitingWork> waiting;
  for (const WorkClass& work : classes) {
    if (work.pending == 0 || work.sweep > sweep) continue;
    if (!active.contains(work.sweep)) {
      if (work.sweep == sweep) return unknown;  // paused: it waits for its user
      continue;
    }
    const std::optional<double> seconds = costs_.EpochSeconds(work.kind);
    if (!seconds) return unknown;
    waiting.push_back(ExpectedWork(work, *seconds, share_, work.sweep == sweep));
  }
  if (slots == 0) return unknown;
  return std::optional(EstimateFinish(*busy, slots, std::move(waiting)));
}

}  // namespace gridsweep
