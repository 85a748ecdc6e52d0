// A trainer without LibTorch: speaks docs/trainer-protocol.md and reports numbers that are a pure function of
// the job, so that the ranked table of a sweep is one too, whatever faults it meets on the way.
//
//   fake-trainer --device cpu --slots 2 [--data-dir DIR]…     as a worker's child
//   fake-trainer --list-devices
//
// Data sets: any name is "found", with three classes and a digest that depends on the name.
//
// Controls: the environment variable GRIDSWEEP_FAKE_TRAINER holds a JSON object (all members optional):
//
//   {"epoch_ms": 0,         milliseconds an epoch takes
//    "gate": "DIR",         epoch K of a job with seed S ends only once DIR/open or DIR/seed-S-epoch-K exists
//    "state_dir": "DIR",    where rules with "times" count across processes: one file per rule and use
//    "log": "FILE",         every command line received and every end of input ("eof") is appended here, and
//                           "finished SEED" when a job succeeds
//    "devices": [{"name":"cuda:0","model":"M","memory_bytes":1}],   answer to --list-devices
//    "list_devices_exit": 3,   --list-devices fails with this exit status instead
//    "no_hello": true,      never says hello
//    "start_exit": 3,       exits with this status at start, stderr "fake trainer refuses to start"
//    "rules": [{"seed": 7, "model": "cnn", "epoch": 2, "times": 1, "do": "segv"}]}
//
// A rule fires when a job that matches its "seed", "model" and "scheduler" (absent: any) is about to report epoch "epoch"
// (default 1; 0 means at once when the job starts), at most "times" times over all processes (absent:
// always). "do" is one of
//   segv abort kill    the process dies by SIGSEGV, SIGABRT, SIGKILL
//   exit               exits with status 3 after a line on stderr
//   flood_exit         writes "mib" (default 100) MiB to stderr, then a last line "end of flood", and exits
//   with status 3 flood              writes "mib" MiB to stderr and carries on garbage            prints
//   lines that are not JSON, then carries on endless_line       prints bytes without a newline for ever hang
//   this job gives no sign of life any more (others do); it still answers stop ignore_stop        like hang,
//   and stop is not answered freeze             the whole process stops reading and writing; it ends when its
//   parent is gone fail               finished, failed, retryable       fail_for_good  … not retryable
//   diverge            finished, diverged
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/json.h"
#include "common/base/sha256.h"
#include "common/catalog/catalog.h"
#include "common/schedule/scheduler.h"

namespace gridsweep {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// One attempt. Its numbers are a pure function of the job without its scheduler and of the learning rates so far, so jobs
// have the same until their rates part, as with a real trainer.
struct RunningJob {
  Json job;
  Json prefix;                           // without scheduler and digest
  std::unique_ptr<Scheduler> scheduler;  // none if the job's document does not tell
  double lr = 0.001;
  std::string path;  // a hash of the rates so far
  bool ignores_stop = false;
};

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

void FloodStderr(int64_t mebibytes) {
  const std::string block = std::string(1023, 'x') + "\n";
  for (int64_t i = 0; i < mebibytes * 1024; ++i) std::cerr << block;
}

std::string Digest(const std::string& dataset) {
  return Sha256Hex("fake data set " + dataset);
}

// Uniform in [0, 1), a pure function of both.
double Hashed(const Json& what, const std::string& purpose) {
  const std::string hex = Sha256Hex(purpose + what.dump()).substr(0, 12);
  return static_cast<double>(std::stoull(hex, nullptr, 16)) / static_cast<double>(1ULL << 48);
}

// The schedule of a job whose document tells its scheduler and learning rate.
void FindScheduler(RunningJob& running) {
  const Json scheduler = running.job.value("scheduler", Json());
  const Json optimizer = running.job.value("optimizer", Json());
  if (!scheduler.is_object() || !optimizer.is_object()) return;
  const Json rate = optimizer.value("params", Json::object()).value("lr", Json());
  if (!rate.is_number()) return;
  std::map<std::string, ParamValue> params;
  const Json given = scheduler.value("params", Json::object());
  for (const auto& [name, value] : given.items()) params[name] = ParamValueFromJson(value).value();
  const Component component =
      Catalog::Builtin().Resolve(Axis::kScheduler, scheduler.value("name", "none"), params).value();
  running.lr = rate.get<double>();
  running.scheduler =
      Schedulers().Make(component, running.lr, running.job["training"].value("epochs", int64_t{1}));
}

// Accuracy rises and loss falls with the epoch towards values that belong to the cell, give or take a bit per
// seed and learning rate.
Json EpochEvent(int64_t attempt, const RunningJob& running, int64_t epoch, size_t shared_by) {
  Json cell = running.prefix;
  cell.erase("seed");
  const double ceiling = 0.55 + 0.4 * Hashed(cell, "ceiling") + 0.02 * Hashed(running.prefix, "seed") +
                         0.01 * Hashed(running.path, "path");
  const double accuracy = ceiling * static_cast<double>(epoch) / static_cast<double>(epoch + 1);
  const double noise = 0.01 * Hashed(running.prefix, "noise" + running.path);
  Json event = {{"type", "epoch"},
                {"attempt", attempt},
                {"epoch", epoch},
                {"train_loss", 2.5 * (1 - accuracy)},
                {"train_accuracy", accuracy + noise},
                {"test_loss", 2.6 * (1 - accuracy)},
                {"test_accuracy", accuracy - noise},
                {"lr", running.lr},
                {"seconds", 0.5},
                {"samples_per_second", 1000.0}};
  if (running.job["training"].value("validation", 0.0) > 0) {
    event["val_loss"] = 2.55 * (1 - accuracy);
    event["val_accuracy"] = accuracy;
  }
  if (shared_by > 1) event["shared_by"] = shared_by;
  return event;
}

Json FinishedEvent(int64_t attempt, const RunningJob& running) {
  const Json job = {running.prefix, running.path};
  Json confusion = Json::array();
  for (int row = 0; row < 3; ++row) {
    const int wrong = static_cast<int>(5 * Hashed(job, "row" + std::to_string(row)));
    for (int column = 0; column < 3; ++column) {
      confusion.push_back(column == row ? 10 - wrong : column == (row + 1) % 3 ? wrong : 0);
    }
  }
  Json predictions = Json::array();
  for (int index = 0; index < 4; ++index) {
    const double confidence = 0.5 + 0.5 * Hashed(job, "confidence" + std::to_string(index));
    predictions.push_back({index, index % 3, confidence > 0.75 ? index % 3 : (index + 1) % 3, confidence});
  }
  return {{"type", "finished"},
          {"attempt", attempt},
          {"outcome", "succeeded"},
          {"evaluation", {{"confusion", confusion}, {"predictions", predictions}}}};
}

class FakeTrainer {
 public:
  FakeTrainer(Json script, std::string device, int slots)
      : script_(std::move(script)), device_(std::move(device)), slots_(slots) {}

  int Run() {
    if (script_.contains("start_exit")) {
      std::cerr << "fake trainer refuses to start\n";
      return script_["start_exit"];
    }
    if (!script_.value("no_hello", false)) {
      Emit({{"type", "hello"},
            {"protocol", 2},
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
      const int timeout = jobs_.empty() ? -1 : script_.contains("gate") ? 5 : WaitMilliseconds();
      if (poll(&in, 1, timeout) < 0) return 1;
      if (in.revents != 0) {
        char buffer[4096];
        const ssize_t count = read(STDIN_FILENO, buffer, sizeof(buffer));
        if (count <= 0) {
          Record("eof");
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
  void Record(const std::string& line) const {
    if (script_.contains("log")) {
      std::ofstream(script_["log"].get<std::string>(), std::ios::app) << line << std::endl;
    }
  }

  int WaitMilliseconds() const {
    auto wait = milliseconds(1000);
    for (const Slot& slot : busy_) {
      if (slot.front().hangs) continue;
      wait = std::min(wait, std::chrono::ceil<milliseconds>(slot.front().epoch_end - steady_clock::now()));
    }
    return static_cast<int>(std::max<int64_t>(0, wait.count()));
  }

  void OnCommand(const std::string& line) {
    Record(line);
    const absl::StatusOr<Json> command = ParseJson(line);
    const std::string type = command.ok() && command->is_object() ? command->value("type", "") : "";
    if (type == "run" && command->contains("bundle")) {
      Start((*command)["bundle"]);
    } else if (type == "run") {
      Start(Json::array({Json{{"attempt", (*command)["attempt"]}, {"job", (*command)["job"]}}}));
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

  void Begin(Branch& branch) const {
    branch.epoch_end = steady_clock::now() + milliseconds(script_.value("epoch_ms", 0));
  }

  void Start(const Json& bundle) {
    std::vector<int64_t> started;
    for (const Json& item : bundle) {
      const int64_t attempt = item["attempt"];
      const Json& job = item["job"];
      const std::string dataset = job["dataset"];
      const std::string wanted = job.value("dataset_digest", "");
      if (!wanted.empty() && wanted != Digest(dataset)) {
        Fail(attempt, "data set '" + dataset + "' has another digest than the sweep", false);
        continue;
      }
      RunningJob& running = jobs_[attempt];
      running.job = running.prefix = job;
      running.prefix.erase("scheduler");
      running.prefix.erase("dataset_digest");
      FindScheduler(running);
      started.push_back(attempt);
    }
    if (started.empty()) return;
    busy_.push_back({{.attempts = started, .epoch = 0, .hangs = false, .epoch_end = {}}});
    for (const int64_t attempt : started) {
      if (!InHangingBranch(attempt)) Apply(attempt, 0);
    }
    for (const int64_t attempt : started) {
      if (!jobs_.contains(attempt)) continue;
      const std::string dataset = jobs_[attempt].job["dataset"];
      if (InHangingBranch(attempt)) return;
      Emit({{"type", "started"},
            {"attempt", attempt},
            {"dataset",
             {{"name", dataset},
              {"digest", Digest(dataset)},
              {"class_names", {"a", "b", "c"}},
              {"train_size", 60},
              {"test_size", 30}}},
            {"device", device_},
            {"environment", "fake"}});
    }
    for (Slot& slot : busy_) {
      if (slot.front().epoch > 0) continue;
      slot.front().epoch = 1;
      Begin(slot.front());
    }
  }

  bool InHangingBranch(int64_t attempt) const {
    return std::any_of(busy_.begin(), busy_.end(), [&](const Slot& slot) {
      const std::vector<int64_t>& first = slot.front().attempts;
      return slot.front().hangs && std::find(first.begin(), first.end(), attempt) != first.end();
    });
  }

  bool IsOpen(const Branch& branch) const {
    if (!script_.contains("gate")) return true;
    const std::string dir = script_["gate"];
    const int64_t seed = jobs_.at(branch.attempts.front()).job["seed"];
    return access((dir + "/open").c_str(), F_OK) == 0 ||
           access(fmt::format("{}/seed-{}-epoch-{}", dir, seed, branch.epoch).c_str(), F_OK) == 0;
  }

  bool IsDue(const Branch& branch) const {
    return !branch.hangs && branch.epoch > 0 && steady_clock::now() >= branch.epoch_end && IsOpen(branch);
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
    std::vector<std::pair<double, Branch>> parts;
    for (const int64_t attempt : branch.attempts) {
      RunningJob& running = jobs_.at(attempt);
      running.path = Sha256Hex(fmt::format("{} {}", running.path, running.lr));
      const Json event = EpochEvent(attempt, running, branch.epoch, branch.attempts.size());
      Emit(event);
      if (branch.epoch >= running.job["training"].value("epochs", int64_t{1})) {
        Emit(FinishedEvent(attempt, running));
        Record(fmt::format("finished {}", running.job["seed"].get<int64_t>()));
        jobs_.erase(attempt);
        continue;
      }
      if (running.scheduler != nullptr) {
        EpochMetrics done;
        done.epoch = branch.epoch;
        done.test_loss = event["test_loss"];
        if (event.contains("val_loss")) done.val_loss = event["val_loss"].get<double>();
        running.lr = running.scheduler->Next(done);
      }
      const auto same = std::find_if(parts.begin(), parts.end(),
                                     [&](const auto& part) { return part.first == running.lr; });
      if (same != parts.end()) {
        same->second.attempts.push_back(attempt);
      } else {
        parts.emplace_back(
            running.lr,
            Branch{.attempts = {attempt}, .epoch = branch.epoch + 1, .hangs = false, .epoch_end = {}});
      }
    }
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) slot.push_front(std::move(part->second));
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

  // Uses up one of the rule's "times". Atomic over all processes.
  bool MayFire(const Json& rule, size_t index) const {
    if (!rule.contains("times")) return true;
    const std::string dir = script_.at("state_dir");
    for (int64_t use = 0; use < rule["times"].get<int64_t>(); ++use) {
      const std::string mark = fmt::format("{}/rule-{}-use-{}", dir, index, use);
      const int fd = open(mark.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
      if (fd >= 0) {
        close(fd);
        return true;
      }
    }
    return false;
  }

  // Applies the rules that fire now, until one ends the job or its progress.
  void Apply(int64_t attempt, int64_t epoch) {
    const Json rules = script_.value("rules", Json::array());
    for (size_t index = 0; index < rules.size(); ++index) {
      const Json& rule = rules[index];
      const Json& job = jobs_.at(attempt).job;
      if (rule.contains("seed") && rule["seed"] != job["seed"]) continue;
      if (rule.contains("model") && rule["model"] != job["model"]["name"]) continue;
      if (rule.contains("scheduler") && rule["scheduler"] != job["scheduler"]["name"]) continue;
      if (rule.value("epoch", int64_t{1}) != epoch || !MayFire(rule, index)) continue;
      if (!Do(rule, attempt)) return;
    }
  }

  // Returns false if the job is over or makes no progress any more.
  bool Do(const Json& rule, int64_t attempt) {
    const std::string what = rule.at("do");
    if (what == "segv") raise(SIGSEGV);
    if (what == "abort") std::abort();
    if (what == "kill") raise(SIGKILL);
    if (what == "exit") {
      std::cerr << "fake trainer exits as told\n";
      std::exit(3);
    }
    if (what == "flood" || what == "flood_exit") {
      FloodStderr(rule.value("mib", int64_t{100}));
      if (what == "flood") return true;
      std::cerr << "end of flood\n";
      std::exit(3);
    }
    if (what == "garbage") {
      std::cout << "this is not JSON\n{\"type\":\n[1,2]\n{\"type\":\"unheard of\",\"attempt\":1}\n\xff\xfe\n"
                << std::flush;
      return true;
    }
    if (what == "endless_line") {
      const std::string block(1 << 16, 'x');
      for (;;) std::cout << block;
    }
    if (what == "hang" || what == "ignore_stop") {
      for (Slot& slot : busy_) {
        std::vector<int64_t>& first = slot.front().attempts;
        if (std::find(first.begin(), first.end(), attempt) != first.end()) slot.front().hangs = true;
      }
      jobs_.at(attempt).ignores_stop = what == "ignore_stop";
      return false;
    }
    if (what == "freeze") {
      for (const pid_t parent = getppid(); getppid() == parent;)
        std::this_thread::sleep_for(milliseconds(20));
      std::exit(0);
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

  const Json script_;
  const std::string device_;
  const int slots_;
  std::map<int64_t, RunningJob> jobs_;
  std::vector<Slot> busy_;  // no slot without a branch, no branch without an attempt
};

int Main(const std::vector<std::string>& arguments) {
  const char* text = std::getenv("GRIDSWEEP_FAKE_TRAINER");
  const absl::StatusOr<Json> script = ParseJson(text != nullptr && *text != '\0' ? text : "{}");
  if (!script.ok()) {
    std::cerr << "fake trainer: GRIDSWEEP_FAKE_TRAINER: " << Message(script.status()) << "\n";
    return 2;
  }
  std::string device = "cpu";
  int slots = 1;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--list-devices") {
      if (script->contains("list_devices_exit")) return (*script)["list_devices_exit"];
      const Json cpu = {{{"name", "cpu"}, {"model", "fake"}, {"memory_bytes", 1 << 30}}};
      for (const Json& each : script->value("devices", cpu)) std::cout << each.dump() << "\n";
      return 0;
    }
    if (i + 1 == arguments.size()) break;
    if (arguments[i] == "--device") device = arguments[i + 1];
    if (arguments[i] == "--slots") slots = std::stoi(arguments[i + 1]);
  }
  return FakeTrainer(*script, device, slots).Run();
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  return gridsweep::Main({argv + 1, argv + argc});
}
