#include "cli/local_coordinator.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "common/base/json.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(30);
constexpr absl::Duration kPublishTimeout = absl::Seconds(10);
constexpr int kLogLines = 5;

std::string ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Where to call one that listens on all addresses. It is on this machine, and its certificate is for localhost too.
std::string Callable(const std::string& address) {
  for (const std::string wildcard : {"0.0.0.0:", "[::]:"}) {
    if (address.starts_with(wildcard)) return "localhost:" + address.substr(wildcard.size());
  }
  return address;
}

// Whether a process holds the lock. An empty lock file means a clean stop, and is not touched: trying the
// lock could collide with a coordinator that is taking it.
bool IsHeld(const std::string& lock_path) {
  const int fd = open(lock_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);  // drops the lock, if we got it
  return held;
}

}  // namespace

absl::StatusOr<std::optional<LiveCoordinator>> FindLiveCoordinator(const std::string& db) {
  const std::string lock_path = db + ".lock";
  const absl::Time deadline = absl::Now() + kPublishTimeout;
  while (true) {
    const std::string text = ReadSmallFile(lock_path);
    if (text.empty() || !IsHeld(lock_path)) return std::nullopt;
    if (const absl::StatusOr<Json> holder = ParseJson(text); holder.ok()) {
      const absl::StatusOr<std::string> address = GetField<std::string>(*holder, "address");
      if (address.ok() && !address->empty())
        return LiveCoordinator{Callable(*address), GetField<bool>(*holder, "secure").value_or(false)};
    }
    if (absl::Now() > deadline) {
      return Unavailable("a coordinator holds '{}' but does not listen: see '{}'", db, lock_path);
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
}

absl::StatusOr<LocalCoordinator> StartCoordinator(const LocalCoordinatorSpec& spec) {
  ProcessSpec process_spec{
      .argv = {spec.program_dir + "/gridsweep-coordinator", "--db", spec.db, "--listen", spec.listen},
      .log_path = spec.log_path,
      .capture_stdout = true};
  if (!spec.http.empty()) process_spec.argv.insert(process_spec.argv.end(), {"--http", spec.http});
  if (!spec.share) process_spec.argv.push_back("--no-share");
  if (spec.read_only) {
    process_spec.argv.push_back("--read-only");
    process_spec.argv.insert(process_spec.argv.end(), {"--log-level", "warning"});
  }
  LocalCoordinator coordinator;
  GS_ASSIGN_OR_RETURN(coordinator.process, Process::Start(process_spec));
  const absl::StatusOr<std::string> line = coordinator.process->ReadLine(kStartTimeout);
  if (!line.ok()) {
    coordinator.process->WaitFor(absl::Seconds(1));
    const bool ended = coordinator.process->HasEnded();
    const std::string how = ended ? coordinator.process->EndDescription() : Message(line.status());
    return FailedPrecondition("the coordinator did not start: {}{}", how, LogTail(spec.log_path, kLogLines));
  }
  GS_ASSIGN_OR_RETURN(const Json announcement, ParseJson(*line));
  GS_ASSIGN_OR_RETURN(coordinator.address, GetField<std::string>(announcement, "address"));
  coordinator.live_url = GetField<std::string>(announcement, "live_view").value_or("");
  return coordinator;
}

}  // namespace gridsweep
