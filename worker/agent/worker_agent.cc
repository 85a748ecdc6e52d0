#include "worker/agent/worker_agent.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/log.h"
#include "common/data/dataset.h"
#include "worker/agent/log_sparsely.h"

namespace gridsweep::agent {
namespace {

constexpr absl::Duration kLongestSleep = absl::Seconds(5);
// A longer pause between two turns of the loop means that this process did not run.
constexpr absl::Duration kLongestPause = absl::Seconds(15);

}  // namespace

WorkerAgent::WorkerAgent(WorkerAgentOptions options, WorkerInfo info, const Clock* clock)
    : options_(std::move(options)),
      clock_(clock),
      core_(options_.core, std::move(info), clock->Now().monotonic),
      trainers_(core_.info().devices.size()),
      nonsense_(core_.info().devices.size()),
      client_(options_.coordinator),
      samples_(options_.coordinator, options_.data_dirs) {
  if (!options_.checkpoints.empty()) {
    artifacts_ =
        std::make_unique<ArtifactClient>(options_.coordinator, CheckpointFolder(options_.checkpoints),
                                         options_.core.worker, options_.core.session);
  }
  loop_ = std::thread([this] { Loop(); });
  scanner_ = std::thread([this] { ScanDatasets(); });
}

WorkerAgent::~WorkerAgent() {
  Abort();
  loop_.join();
  artifacts_ = nullptr;
  {
    const std::lock_guard lock(mu_);
    stop_scanning_ = true;
  }
  scan_.notify_all();
  scanner_.join();
}

void WorkerAgent::Post(Event event) {
  {
    const std::lock_guard lock(mu_);
    events_.push_back(std::move(event));
  }
  posted_.notify_one();
}

void WorkerAgent::Drain() {
  Post([this](absl::Duration now) {
    core_.Drain(now);
    client_.Cancel();
  });
}

void WorkerAgent::Abort() {
  Post([this](absl::Duration) { aborted_ = true; });
}

absl::Status WorkerAgent::Wait() {
  std::unique_lock lock(mu_);
  finished_.wait(lock, [this] { return done_; });
  return result_;
}

void WorkerAgent::Loop() {
  LoopUntilEnded();
  StopTrainers();
  {
    const std::lock_guard lock(mu_);
    result_ = aborted_ ? absl::CancelledError("the worker was told to end at once") : *core_.ended();
    done_ = true;
    // Under the lock: whoever waits may destroy this object as soon as it is released.
    finished_.notify_all();
  }
}

void WorkerAgent::LoopUntilEnded() {
  absl::Duration last_turn = Now();
  while (!aborted_ && !core_.ended()) {
    const absl::Duration turn = Now();
    if (turn - last_turn > kLongestPause) core_.Pardon(turn);
    last_turn = turn;
    core_.Tick(turn);
    for (const Action& action : core_.TakeActions()) Perform(action);
    if (const std::optional<SyncRequest> request = core_.TakeSync(Now())) {
      client_.Sync(*request, [this](absl::StatusOr<SyncResponse> response) {
        Post([this, response = std::move(response)](absl::Duration now) {
          if (response.ok()) {
            core_.OnSyncResponse(now, *response);
          } else {
            core_.OnSyncError(now, response.status());
          }
        });
      });
    }
    std::deque<Event> events;
    {
      std::unique_lock lock(mu_);
      const absl::Duration wait =
          std::clamp(core_.NextWakeup(Now()) - Now(), absl::ZeroDuration(), kLongestSleep);
      posted_.wait_for(lock, absl::ToChronoMicroseconds(wait + absl::Microseconds(1)),
                       [this] { return !events_.empty(); });
      events.swap(events_);
    }
    for (const Event& event : events) event(Now());
  }
}

void WorkerAgent::Perform(const Action& action) {
  if (const auto* start = std::get_if<StartTrainer>(&action)) {
    StartTrainerProcess(start->device);
  } else if (const auto* write = std::get_if<WriteLine>(&action)) {
    if (trainers_[write->device]) trainers_[write->device]->Write(write->line);
  } else if (const auto* kill = std::get_if<KillTrainer>(&action)) {
    if (trainers_[kill->device]) trainers_[kill->device]->Kill();
  } else if (const auto* upload = std::get_if<UploadArtifact>(&action)) {
    artifacts_->Upload(*upload, [this](const absl::Status& status) {
      Post([this, status](absl::Duration now) { core_.OnUploaded(now, status); });
    });
  } else if (const auto* fetch = std::get_if<FetchArtifact>(&action)) {
    artifacts_->Fetch(fetch->sha256, [this, sha256 = fetch->sha256](const absl::Status& status) {
      Post([this, sha256, status](absl::Duration now) { core_.OnArtifact(now, sha256, status); });
    });
  } else if (const auto* drop = std::get_if<DropArtifact>(&action)) {
    artifacts_->Drop(drop->sha256);
  }
}

void WorkerAgent::StartTrainerProcess(size_t device) {
  const Device& what = core_.info().devices[device];
  std::vector<std::string> argv = {options_.trainer, "--device", what.name, "--slots",
                                   std::to_string(what.slots)};
  for (const std::string& dir : options_.data_dirs) argv.insert(argv.end(), {"--data-dir", dir});
  if (!options_.checkpoints.empty()) {
    argv.insert(argv.end(), {"--checkpoints", options_.checkpoints});
    if (options_.checkpoint_interval)
      argv.insert(argv.end(), {"--checkpoint-interval", fmt::format("{}", *options_.checkpoint_interval)});
  }
  auto process = TrainerProcess::Start(
      argv,
      {.on_line =
           [this, device](std::string_view line) {
             Post([this, device, line = std::string(line)](absl::Duration) { OnTrainerLine(device, line); });
           },
       .on_exit =
           [this, device](const TrainerExit& exit) {
             Post([this, device, exit](absl::Duration) { ReapTrainer(device, exit); });
           }});
  if (!process.ok()) {
    core_.OnTrainerExit(Now(), device, {Message(process.status()), ""});
    return;
  }
  trainers_[device] = *std::move(process);
}

void WorkerAgent::ReapTrainer(size_t device, const TrainerExit& exit) {
  trainers_[device].reset();
  core_.OnTrainerExit(Now(), device, exit);
}

void WorkerAgent::OnTrainerLine(size_t device, const std::string& line) {
  const absl::StatusOr<TrainerEvent> event = ParseTrainerEvent(line);
  if (!event.ok()) {
    const int64_t times = ++nonsense_[device];
    if (!IsLogged(times)) return;
    Log(LogLevel::kWarning, "trainer_nonsense",
        {{"device", core_.info().devices[device].name},
         {"times", times},
         {"error", Message(event.status())},
         {"line", line.substr(0, 200)}});
    return;
  }
  samples_.OnTrainerEvent(*event);
  core_.OnTrainerEvent(Now(), device, *event);
}

void WorkerAgent::StopTrainers() {
  for (const auto& trainer : trainers_) {
    if (trainer) trainer->CloseInput();
  }
  // Their exits are the only events still of interest; after an abort, or at the deadline, the destructors
  // kill.
  const absl::Duration deadline = Now() + options_.trainer_exit;
  const auto running = [this] {
    return std::any_of(trainers_.begin(), trainers_.end(),
                       [](const auto& trainer) { return trainer != nullptr; });
  };
  while (!aborted_ && running() && Now() < deadline) {
    std::deque<Event> events;
    {
      std::unique_lock lock(mu_);
      posted_.wait_for(lock, absl::ToChronoMicroseconds(deadline - Now()),
                       [this] { return !events_.empty(); });
      events.swap(events_);
    }
    for (const Event& event : events) event(Now());
  }
  for (auto& trainer : trainers_) trainer.reset();
}

void WorkerAgent::ScanDatasets() {
  std::unique_lock lock(mu_);
  while (!stop_scanning_) {
    lock.unlock();
    std::vector<std::string> names;
    for (const DatasetFiles& files : ListDatasets(options_.data_dirs)) names.push_back(files.name);
    Post([this, names = std::move(names)](absl::Duration) {
      core_.OnDatasets(names);
      if (artifacts_ != nullptr) artifacts_->Prune(core_.ReferencedFiles());
    });
    lock.lock();
    scan_.wait_for(lock, absl::ToChronoMicroseconds(options_.rescan), [this] { return stop_scanning_; });
  }
}

}  // namespace gridsweep::agent
