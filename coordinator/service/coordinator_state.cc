#include "coordinator/service/coordinator_state.h"

#include <chrono>
#include <future>
#include <memory>
#include <unordered_map>
#include <utility>

namespace gridsweep {
namespace {

// What the writer knows.
struct View {
  std::vector<LiveWorker> workers;
  int64_t leases = 0;
};

// As CommitLoop::Run, but not for ever: a disk that hangs must not take along those who watch it.
absl::StatusOr<View> AskWriter(CommitLoop& loop, absl::Duration patience) {
  struct Question {
    View view;
    std::promise<absl::Status> answered;
  };
  const auto question = std::make_shared<Question>();
  std::future<absl::Status> answer = question->answered.get_future();
  loop.Post(
      [question](JobQueue& queue, const Instant& now) {
        question->view = {queue.Workers(now), static_cast<int64_t>(queue.Leases().size())};
        return absl::OkStatus();
      },
      [question](const absl::Status& status) { question->answered.set_value(status); });
  if (answer.wait_for(absl::ToChronoMilliseconds(patience)) != std::future_status::ready)
    return Unavailable("the writer has not answered for {}", absl::FormatDuration(patience));
  GS_RETURN_IF_ERROR(answer.get());
  return std::move(question->view);
}

}  // namespace

std::string WorkerState(const WorkerStatusRecord& record, const LiveWorker* live) {
  if (live == nullptr) return record.left ? "left" : "lost";
  if (!live->quarantine.empty()) return "quarantined";
  return live->running > 0 ? "working" : "idle";
}

absl::Status CheckWriter(CommitLoop* loop, absl::Duration patience) {
  return loop == nullptr ? absl::OkStatus() : AskWriter(*loop, patience).status();
}

absl::StatusOr<CoordinatorState> TakeState(CommitLoop* loop, StoreReader& reader, absl::Duration patience) {
  CoordinatorState state;
  GS_ASSIGN_OR_RETURN(state.sweeps, reader.ListSweeps());
  GS_ASSIGN_OR_RETURN(state.sizes, reader.Sizes());
  if (loop == nullptr) return state;
  state.waiting_requests = static_cast<int64_t>(loop->waiting());
  const absl::StatusOr<View> view = AskWriter(*loop, patience);
  if (!view.ok()) return state;
  std::unordered_map<WorkerId, const LiveWorker*> live;
  for (const LiveWorker& worker : view->workers) live[worker.id] = &worker;
  CoordinatorState::Live now{.leases = view->leases};
  GS_ASSIGN_OR_RETURN(const std::vector<WorkerStatusRecord> workers, reader.ListWorkers());
  for (const WorkerStatusRecord& worker : workers) {
    const auto found = live.find(worker.id);
    ++now.workers[WorkerState(worker, found == live.end() ? nullptr : found->second)];
  }
  state.live = std::move(now);
  return state;
}

}  // namespace gridsweep
