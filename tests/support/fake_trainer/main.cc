// A trainer without LibTorch: speaks docs/trainer-protocol.md and reports the numbers of numbers.h, whatever faults
// script.h makes it meet on the way.
//
//   fake-trainer --device cpu --slots 2 [--data-dir DIR]… [--checkpoints DIR [--checkpoint-interval SECONDS]]
//                                                             as a worker's child
//   fake-trainer --list-devices
//
// Data sets: any name is "found", with three classes and a digest that depends on the name, unless a --data-dir holds a
// file NAME-broken: then it cannot be read.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/json.h"
#include "tests/support/fake_trainer/checkpoints.h"
#include "tests/support/fake_trainer/numbers.h"
#include "tests/support/fake_trainer/script.h"

namespace gridsweep {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Attempts that have had the same rates so far, trained once for all of them.
struct Branch {
  std::vector<int64_t> attempts;
  int64_t epoch = 1;  // being trained
  bool hangs = false;
  steady_clock::time_point epoch_end;
};

// What one slot trains: of the branches only the first, the others wait for it to end.
using Slot = std::deque<Branch>;

void Emit(const Json& event) {
  const std::string line = event.dump() + "\n";
  std::cout.write(line.data(), static_cast<std::streamsize>(line.size())).flush();
}

class FakeTrainer {
 public:
  FakeTrainer(FaultScript script, std::string device, int slots, std::vector<std::string> data_dirs,
              std::string checkpoints, double checkpoint_interval)
      : script_(std::move(script)),
        device_(std::move(device)),
        slots_(slots),
        data_dirs_(std::move(data_dirs)),
        checkpoints_(std::move(checkpoints)),
        checkpoint_interval_(checkpoint_interval),
        last_checkpoint_(steady_clock::now()) {}

  int Run() {
    if (script_.settings().contains("start_exit")) {
      std::cerr << "fake trainer refuses to start\n";
      return script_.settings()["start_exit"];
    }
    if (!script_.settings().value("no_hello", false)) {
      Emit({{"type", "hello"},
            {"protocol", 3},
            {"version", "fake"},
            {"libtorch", "0.0-fake"},
            {"blas", "none"},
            {"device", device_},
            {"device_model", "fake"},
            {"memory_bytes", 1 << 30},
            {"slots", slots_},
            {"environment", "fake"}});
    }
    std::string input;
    for (;;) {
      pollfd in = {STDIN_FILENO, POLLIN, 0};
      const int timeout = jobs_.empty() ? -1 : script_.settings().contains("gate") ? 5 : WaitMilliseconds();
      if (poll(&in, 1, timeout) < 0) return 1;
      if (in.revents != 0) {
        char buffer[4096];
        const ssize_t count = read(STDIN_FILENO, buffer, sizeof(buffer));
        if (count <= 0) {
          script_.Record("eof");
          return 0;
        }
        input.append(buffer, static_cast<size_t>(count));
        for (size_t newline; (newline = input.find('\n')) != std::string::npos; input.erase(0, newline + 1)) {
          OnCommand(input.substr(0, newline));
        }
      }
      Advance();
    }
  }

 private:
  int WaitMilliseconds() const {
    auto wait = milliseconds(1000);
    for (const Slot& slot : busy_) {
      if (slot.front().hangs) continue;
      wait = std::min(wait, std::chrono::ceil<milliseconds>(slot.front().epoch_end - steady_clock::now()));
    }
    return static_cast<int>(std::max<int64_t>(0, wait.count()));
  }

  void OnCommand(const std::string& line) {
    script_.Record(line);
    const absl::StatusOr<Json> command = ParseJson(line);
    const std::string type = command.ok() && command->is_object() ? command->value("type", "") : "";
    if (type == "run" && command->contains("bundle")) {
      Start((*command)["bundle"]);
    } else if (type == "run") {
      Start(Json::array({*command}));
    } else if (type == "stop") {
      const int64_t attempt = (*command)["attempt"];
      const auto it = jobs_.find(attempt);
      if (it != jobs_.end() && it->second.ignores_stop) return;
      Forget(attempt);
      Emit({{"type", "stopped"}, {"attempt", attempt}});
    } else {
      Emit({{"type", "error"}, {"error", "unknown command: " + line}});
    }
  }

  // Takes an attempt that is over out of its branch.
  void Forget(int64_t attempt) {
    jobs_.erase(attempt);
    for (Slot& slot : busy_) {
      const bool was_first = !slot.empty() && std::erase(slot.front().attempts, attempt) > 0;
      for (Branch& branch : slot) std::erase(branch.attempts, attempt);
      std::erase_if(slot, [](const Branch& branch) { return branch.attempts.empty(); });
      // If that ended the first branch, the next one's turn begins.
      if (was_first && !slot.empty() && slot.front().epoch_end == steady_clock::time_point())
        Begin(slot.front());
    }
    std::erase_if(busy_, [](const Slot& slot) { return slot.empty(); });
  }

  bool IsBroken(const std::string& dataset) const {
    return std::any_of(data_dirs_.begin(), data_dirs_.end(), [&](const std::string& dir) {
      return access(fmt::format("{}/{}-broken", dir, dataset).c_str(), F_OK) == 0;
    });
  }

  void Begin(Branch& branch) const {
    branch.epoch_end = steady_clock::now() + milliseconds(script_.settings().value("epoch_ms", 0));
  }

  void Start(const Json& bundle) {
    std::vector<int64_t> started;
    std::map<int64_t, std::vector<std::string>> resume;
    for (const Json& item : bundle) {
      const int64_t attempt = item["attempt"];
      const Json& job = item["job"];
      const std::string dataset = job["dataset"];
      const std::string wanted = job.value("dataset_digest", "");
      if (!wanted.empty() && wanted != FakeDigest(dataset)) {
        Fail(attempt, "data set '" + dataset + "' has another digest than the sweep", false);
        continue;
      }
      if (IsBroken(dataset)) {
        Emit({{"type", "finished"},
              {"attempt", attempt},
              {"outcome", "failed"},
              {"error", "data set '" + dataset + "' cannot be read"},
              {"retryable", true},
              {"data_unusable", true}});
        continue;
      }
      jobs_[attempt] = MakeRunningJob(job);
      resume[attempt] = item.value("resume", std::vector<std::string>());
      started.push_back(attempt);
    }
    if (started.empty()) return;
    busy_.push_back({{.attempts = started, .epoch = 0, .hangs = false, .epoch_end = {}}});
    for (const int64_t attempt : started) {
      if (!InHangingBranch(attempt)) Apply(attempt, 0);
    }
    for (const int64_t attempt : started) {
      if (!jobs_.contains(attempt)) continue;
      if (InHangingBranch(attempt)) return;
      const std::vector<Json> epochs = GoOnFromFirst(attempt, resume[attempt]);
      Json event = StartedEvent(attempt, jobs_[attempt], device_, "fake");
      if (!epochs.empty()) event["resumed_epoch"] = epochs.size();
      Emit(event);
      for (const Json& epoch : epochs) Emit(epoch);
    }
    for (Slot& slot : busy_) {
      if (slot.front().epoch == 0 && !slot.front().hangs) slot = BranchesOf(slot.front().attempts);
      if (slot.front().epoch_end == steady_clock::time_point()) Begin(slot.front());
    }
  }

  // The epochs so far of the first checkpoint that serves; none: from scratch.
  std::vector<Json> GoOnFromFirst(int64_t attempt, const std::vector<std::string>& resume) {
    if (checkpoints_.empty()) return {};
    for (const std::string& checkpoint : resume) {
      absl::StatusOr<std::vector<Json>> epochs = GoOn(checkpoints_, checkpoint, attempt, jobs_.at(attempt));
      if (epochs.ok()) return *std::move(epochs);
      Emit({{"type", "checkpoint_unusable"},
            {"attempt", attempt},
            {"checkpoint", checkpoint},
            {"error", Message(epochs.status())}});
    }
    return {};
  }

  // Attempts that are about to begin, or to go on: together what has been the same so far and will be in the next epoch.
  Slot BranchesOf(const std::vector<int64_t>& attempts) const {
    Slot slot;
    for (const int64_t attempt : attempts) {
      const RunningJob& running = jobs_.at(attempt);
      const auto same = std::find_if(slot.begin(), slot.end(), [&](const Branch& branch) {
        const RunningJob& first = jobs_.at(branch.attempts.front());
        return first.path == running.path && first.lr == running.lr;
      });
      if (same != slot.end()) {
        same->attempts.push_back(attempt);
      } else {
        slot.push_back({.attempts = {attempt},
                        .epoch = static_cast<int64_t>(running.shared_by.size()) + 1,
                        .hangs = false,
                        .epoch_end = {}});
      }
    }
    return slot;
  }

  void WriteCheckpointIfDue(const Slot& branches, int64_t epoch) {
    const std::chrono::duration<double> since = steady_clock::now() - last_checkpoint_;
    if (checkpoints_.empty() || branches.empty() || since.count() < checkpoint_interval_) return;
    const WrittenFile file =
        WriteCheckpoint(checkpoints_, jobs_.at(branches.front().attempts.front()), epoch);
    for (const Branch& branch : branches) {
      for (const int64_t attempt : branch.attempts) {
        Emit({{"type", "checkpoint"},
              {"attempt", attempt},
              {"epoch", epoch},
              {"checkpoint", file.sha256},
              {"bytes", file.bytes}});
      }
    }
    last_checkpoint_ = steady_clock::now();
  }

  bool InHangingBranch(int64_t attempt) const {
    return std::any_of(busy_.begin(), busy_.end(), [&](const Slot& slot) {
      const std::vector<int64_t>& first = slot.front().attempts;
      return slot.front().hangs && std::find(first.begin(), first.end(), attempt) != first.end();
    });
  }

  bool IsDue(const Branch& branch) const {
    return !branch.hangs && branch.epoch > 0 && steady_clock::now() >= branch.epoch_end &&
           script_.IsOpen(jobs_.at(branch.attempts.front()).job["seed"], branch.epoch);
  }

  void Advance() {
    std::map<int64_t, int64_t> due;  // attempt → epoch
    for (const Slot& slot : busy_) {
      if (!IsDue(slot.front())) continue;
      for (const int64_t attempt : slot.front().attempts) due[attempt] = slot.front().epoch;
    }
    for (const auto& [attempt, epoch] : due) {
      if (!InHangingBranch(attempt)) Apply(attempt, epoch);
    }
    // What becomes due meanwhile waits for the next round.
    for (Slot& slot : busy_) {
      if (!slot.front().hangs && due.contains(slot.front().attempts.front())) EndEpoch(slot);
    }
    std::erase_if(busy_, [](const Slot& slot) { return slot.empty(); });
  }

  // Reports the first branch's epoch and divides it where learning rates part.
  void EndEpoch(Slot& slot) {
    Branch branch = std::move(slot.front());
    slot.pop_front();
    std::vector<int64_t> left;
    for (const int64_t attempt : branch.attempts) {
      RunningJob& running = jobs_.at(attempt);
      TakeEpoch(running, branch.attempts.size());
      const Json event = EpochEvent(attempt, running, branch.epoch, branch.attempts.size());
      Emit(event);
      if (branch.epoch >= running.job["training"].value("epochs", int64_t{1})) {
        if (!checkpoints_.empty()) {
          const WrittenFile file = WriteModel(checkpoints_, running, branch.epoch);
          Emit({{"type", "model"},
                {"attempt", attempt},
                {"epoch", branch.epoch},
                {"artifact", file.sha256},
                {"bytes", file.bytes}});
        }
        Emit(FinishedEvent(attempt, running));
        script_.Record(fmt::format("finished {}", running.job["seed"].get<int64_t>()));
        jobs_.erase(attempt);
        continue;
      }
      NextRate(running, event);
      left.push_back(attempt);
    }
    Slot parts = BranchesOf(left);
    WriteCheckpointIfDue(parts, branch.epoch);
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) slot.push_front(std::move(*part));
    if (!slot.empty()) Begin(slot.front());
  }

  void Fail(int64_t attempt, const std::string& error, bool retryable) {
    Emit({{"type", "finished"},
          {"attempt", attempt},
          {"outcome", "failed"},
          {"error", error},
          {"retryable", retryable}});
    Forget(attempt);
  }

  // Applies the rules that fire now, until one ends the job or its progress.
  void Apply(int64_t attempt, int64_t epoch) {
    size_t index = 0;
    while (const Json* rule = script_.Next(jobs_.at(attempt).job, epoch, index)) {
      if (!Do(*rule, attempt)) return;
    }
  }

  // Returns false if the job is over or makes no progress any more.
  bool Do(const Json& rule, int64_t attempt) {
    const std::string what = rule.at("do");
    if (DoToProcess(rule) == ProcessFault::kCarryOn) return true;
    if (what == "hang" || what == "ignore_stop") {
      for (Slot& slot : busy_) {
        std::vector<int64_t>& first = slot.front().attempts;
        if (std::find(first.begin(), first.end(), attempt) != first.end()) slot.front().hangs = true;
      }
      jobs_.at(attempt).ignores_stop = what == "ignore_stop";
      return false;
    }
    if (what == "fail" || what == "fail_for_good") {
      Fail(attempt, "the fake trainer was told to fail", what == "fail");
      return false;
    }
    if (what == "diverge") {
      Emit({{"type", "finished"},
            {"attempt", attempt},
            {"outcome", "diverged"},
            {"error", "train_loss is nan"}});
      Forget(attempt);
      return false;
    }
    std::cerr << "fake trainer: unknown rule " << rule.dump() << "\n";
    std::exit(2);
  }

  const FaultScript script_;
  const std::string device_;
  const int slots_;
  const std::vector<std::string> data_dirs_;
  const std::string checkpoints_;  // folder; empty: none
  const double checkpoint_interval_;
  steady_clock::time_point last_checkpoint_;
  std::map<int64_t, RunningJob> jobs_;
  std::vector<Slot> busy_;  // no slot without a branch, no branch without an attempt
};

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<FaultScript> script = FaultScript::FromEnvironment();
  if (!script.ok()) {
    std::cerr << "fake trainer: GRIDSWEEP_FAKE_TRAINER: " << Message(script.status()) << "\n";
    return 2;
  }
  std::string device = "cpu";
  int slots = 1;
  std::vector<std::string> data_dirs;
  std::string checkpoints;
  double checkpoint_interval = 30;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--list-devices") {
      if (script->settings().contains("list_devices_exit")) return script->settings()["list_devices_exit"];
      const Json cpu = {{{"name", "cpu"}, {"model", "fake"}, {"memory_bytes", 1 << 30}}};
      for (const Json& each : script->settings().value("devices", cpu)) std::cout << each.dump() << "\n";
      return 0;
    }
    if (i + 1 == arguments.size()) break;
    if (arguments[i] == "--device") device = arguments[i + 1];
    if (arguments[i] == "--data-dir") data_dirs.push_back(arguments[i + 1]);
    if (arguments[i] == "--checkpoints") checkpoints = arguments[i + 1];
    if (arguments[i] == "--checkpoint-interval") checkpoint_interval = std::stod(arguments[i + 1]);
    if (arguments[i] == "--slots") slots = std::stoi(arguments[i + 1]);
  }
  checkpoint_interval = script->settings().value("checkpoint_interval", checkpoint_interval);
  return FakeTrainer(*script, device, slots, data_dirs, checkpoints, checkpoint_interval).Run();
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  return gridsweep::Main({argv + 1, argv + argc});
}
