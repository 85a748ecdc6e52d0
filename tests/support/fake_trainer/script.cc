#include "tests/support/fake_trainer/script.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

namespace gridsweep {
namespace {

void Flood(std::ostream& stream, int64_t mebibytes) {
  const std::string block = std::string(1023, 'x') + "\n";
  for (int64_t i = 0; i < mebibytes * 1024; ++i) stream << block;
  stream << std::flush;
}

}  // namespace

absl::StatusOr<FaultScript> FaultScript::FromEnvironment() {
  const char* text = std::getenv("GRIDSWEEP_FAKE_TRAINER");
  GS_ASSIGN_OR_RETURN(Json script, ParseJson(text != nullptr && *text != '\0' ? text : "{}"));
  return FaultScript(std::move(script));
}

void FaultScript::Record(const std::string& line) const {
  if (script_.contains("log")) {
    std::ofstream(script_["log"].get<std::string>(), std::ios::app) << line << std::endl;
  }
}

bool FaultScript::IsOpen(int64_t seed, int64_t epoch) const {
  if (!script_.contains("gate")) return true;
  const std::string dir = script_["gate"];
  return access((dir + "/open").c_str(), F_OK) == 0 ||
         access(fmt::format("{}/seed-{}-epoch-{}", dir, seed, epoch).c_str(), F_OK) == 0;
}

bool FaultScript::MayFire(const Json& rule, size_t index) const {
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

const Json* FaultScript::Next(const Json& job, int64_t epoch, size_t& index) const {
  if (!script_.contains("rules")) return nullptr;
  for (const Json& rules = script_["rules"]; index < rules.size();) {
    const size_t at = index++;
    const Json& rule = rules[at];
    if (rule.contains("seed") && rule["seed"] != job["seed"]) continue;
    if (rule.contains("model") && rule["model"] != job["model"]["name"]) continue;
    if (rule.contains("scheduler") && rule["scheduler"] != job["scheduler"]["name"]) continue;
    if (rule.value("epoch", int64_t{1}) == epoch && MayFire(rule, at)) return &rule;
  }
  return nullptr;
}

ProcessFault DoToProcess(const Json& rule) {
  using std::chrono::milliseconds;
  const std::string what = rule.at("do");
  if (what == "segv") raise(SIGSEGV);
  if (what == "abort") std::abort();
  if (what == "kill") raise(SIGKILL);
  if (what == "kill_worker") {
    const pid_t worker = getppid();
    kill(worker, SIGKILL);
    while (getppid() == worker) std::this_thread::sleep_for(milliseconds(1));
    std::exit(0);
  }
  if (what == "flood_stdout") {
    Flood(std::cout, rule.value("mib", int64_t{100}));
    return ProcessFault::kCarryOn;
  }
  if (what == "exit") {
    std::cerr << "fake trainer exits as told\n";
    std::exit(3);
  }
  if (what == "flood" || what == "flood_exit") {
    Flood(std::cerr, rule.value("mib", int64_t{100}));
    if (what == "flood") return ProcessFault::kCarryOn;
    std::cerr << "end of flood\n";
    std::exit(3);
  }
  if (what == "garbage") {
    std::cout << "this is not JSON\n{\"type\":\n[1,2]\n{\"type\":\"unheard of\",\"attempt\":1}\n\xff\xfe\n"
              << std::flush;
    return ProcessFault::kCarryOn;
  }
  if (what == "endless_line") {
    const std::string block(1 << 16, 'x');
    for (;;) std::cout << block;
  }
  if (what == "freeze") {
    for (const pid_t parent = getppid(); getppid() == parent;) std::this_thread::sleep_for(milliseconds(20));
    std::exit(0);
  }
  return ProcessFault::kNone;
}

}  // namespace gridsweep
