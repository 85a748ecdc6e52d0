#include "cli/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>

#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr size_t kMaxCaptured = 64 << 10;

// Everything the child needs, made before fork(): between fork() and exec() of a process with threads only
// async-signal-safe calls are allowed. (posix_spawn cannot set the parent-death signal.)
struct ChildSetup {
  std::vector<char*> argv;
  int out_fd;
  int err_fd;
  int report_fd;  // gets errno if exec() fails; closed by a successful exec()
  pid_t parent;
};

[[noreturn]] void FailChild(const ChildSetup& setup) {
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(setup.report_fd, &error, sizeof(error));
  _exit(127);
}

[[noreturn]] void BecomeChild(const ChildSetup& setup) {
  setpgid(0, 0);
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) FailChild(setup);
  // The parent may have died before the line above.
  if (getppid() != setup.parent) _exit(127);
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(setup.out_fd, STDOUT_FILENO) < 0 ||
      dup2(setup.err_fd, STDERR_FILENO) < 0) {
    FailChild(setup);
  }
  execv(setup.argv[0], setup.argv.data());
  FailChild(setup);
}

// Closes on destruction.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

int PollMillis(absl::Time deadline) {
  return static_cast<int>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now()) + 1, 0, 60'000));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const ProcessSpec& spec) {
  const std::string& program = spec.argv.at(0);
  if (access(program.c_str(), X_OK) != 0) return ErrnoError(errno, fmt::format("cannot run '{}'", program));
  const std::string log_path = spec.log_path.empty() ? "/dev/null" : spec.log_path;
  Fd log(open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (log.get() < 0) return ErrnoError(errno, fmt::format("cannot write '{}'", log_path));
  int out_pipe[2] = {-1, -1};
  int report_pipe[2] = {-1, -1};
  if (pipe2(report_pipe, O_CLOEXEC) != 0 || (spec.capture_stdout && pipe2(out_pipe, O_CLOEXEC) != 0)) {
    return ErrnoError(errno, "cannot make a pipe");
  }
  Fd out_read(out_pipe[0]), out_write(out_pipe[1]), report_read(report_pipe[0]), report_write(report_pipe[1]);

  std::vector<std::string> arguments = spec.argv;
  ChildSetup setup{.argv = {},
                   .out_fd = spec.capture_stdout ? out_write.get() : log.get(),
                   .err_fd = log.get(),
                   .report_fd = report_write.get(),
                   .parent = getpid()};
  for (std::string& argument : arguments) setup.argv.push_back(argument.data());
  setup.argv.push_back(nullptr);

  const pid_t pid = fork();
  if (pid < 0) return ErrnoError(errno, fmt::format("cannot start '{}'", program));
  if (pid == 0) BecomeChild(setup);
  setpgid(pid, pid);  // also here, so that it holds when we return
  report_write.Reset();
  out_write.Reset();
  int error = 0;
  ssize_t got;
  do {
    got = read(report_read.get(), &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  if (got == sizeof(error)) {
    waitpid(pid, nullptr, 0);
    return ErrnoError(error, fmt::format("cannot run '{}'", program));
  }
  return std::unique_ptr<Process>(new Process(pid, out_read.Release()));
}

Process::~Process() {
  KillGroup();
  while (!HasEnded()) absl::SleepFor(absl::Milliseconds(1));
  if (stdout_fd_ >= 0) close(stdout_fd_);
}

bool Process::HasEnded() {
  if (wait_status_) return true;
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
    return false;
  // What it left behind goes too. IMPORTANT: before the child is reaped, because then its id, which names the group, may
  // belong to somebody else.
  kill(-pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  wait_status_ = status;
  return true;
}

bool Process::WaitFor(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!HasEnded() && absl::Now() < deadline) {
    const timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
    nanosleep(&pause, nullptr);
  }
  return HasEnded();
}

std::string Process::EndDescription() const {
  if (WIFSIGNALED(*wait_status_)) {
    const char* name = sigabbrev_np(WTERMSIG(*wait_status_));
    return fmt::format("killed by SIG{}", name == nullptr ? std::to_string(WTERMSIG(*wait_status_)) : name);
  }
  return fmt::format("exited with code {}", WEXITSTATUS(*wait_status_));
}

std::optional<int> Process::ExitCode() const {
  if (WIFSIGNALED(*wait_status_)) return std::nullopt;
  return WEXITSTATUS(*wait_status_);
}

void Process::Signal(int signal) {
  if (!HasEnded()) kill(pid_, signal);
}

void Process::KillGroup() {
  if (!HasEnded()) kill(-pid_, SIGKILL);
}

absl::StatusOr<bool> Process::Fill(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  pollfd poll_fd{.fd = stdout_fd_, .events = POLLIN, .revents = 0};
  int ready;
  do {
    ready = poll(&poll_fd, 1, PollMillis(deadline));
  } while ((ready < 0 && errno == EINTR) || (ready == 0 && absl::Now() < deadline));
  if (ready == 0) return absl::DeadlineExceededError("no answer");
  char chunk[4096];
  const ssize_t got = read(stdout_fd_, chunk, sizeof(chunk));
  if (got <= 0) return false;
  buffer_.append(chunk, static_cast<size_t>(got));
  return true;
}

absl::StatusOr<std::string> Process::ReadLine(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (true) {
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos || buffer_.size() > kMaxCaptured) {
      const std::string line = buffer_.substr(0, end);
      buffer_.erase(0, std::min(end, buffer_.size() - 1) + 1);
      return line;
    }
    GS_ASSIGN_OR_RETURN(const bool more, Fill(deadline - absl::Now()));
    if (!more) return Unavailable("the output ended");
  }
}

absl::StatusOr<std::string> Process::ReadAll(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  bool more = true;
  while (more && buffer_.size() < kMaxCaptured) {
    GS_ASSIGN_OR_RETURN(more, Fill(deadline - absl::Now()));
  }
  return std::exchange(buffer_, "");
}

std::string LogTail(const std::string& path, int lines) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  constexpr std::streamoff kTail = 16 << 10;
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - kTail));
  std::vector<std::string> all;
  for (std::string line; std::getline(file, line);) all.push_back(line);
  std::string tail;
  for (size_t i = all.size() - std::min(all.size(), static_cast<size_t>(lines)); i < all.size(); ++i) {
    tail += "\n  " + Printable(all[i]);
  }
  return tail;
}

}  // namespace gridsweep
