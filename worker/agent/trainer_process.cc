#include "worker/agent/trainer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "worker/agent/line_splitter.h"
#include "worker/agent/output_tail.h"

extern char** environ;

namespace gridsweep::agent {
namespace {

// Two ends of a pipe that no other child inherits.
struct Pipe {
  ~Pipe() {
    if (read >= 0) close(read);
    if (write >= 0) close(write);
  }
  int read = -1;
  int write = -1;
};

absl::Status Open(Pipe& pipe) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoError(errno, "cannot open a pipe to the trainer");
  pipe.read = ends[0];
  pipe.write = ends[1];
  return absl::OkStatus();
}

int Release(int& fd) {
  return std::exchange(fd, -1);
}

void SetNonBlocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// Ours, and what a trainer must be started with because it cannot set it itself: glibc (2.35 and later) backs its memory
// with huge pages, which a CNN's step is 4 % faster in (docs/performance.md). Whoever sets the variable knows better.
std::vector<std::string> TrainerEnvironment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  if (std::getenv("GLIBC_TUNABLES") == nullptr)
    variables.emplace_back("GLIBC_TUNABLES=glibc.malloc.hugetlb=1");
  return variables;
}

// As exec wants them; valid as long as `strings` is.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& argv, int in, int out, int err) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // We block and ignore signals for ourselves; the child starts with the defaults.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const std::vector<std::string> environment = TrainerEnvironment();
  pid_t pid = -1;
  const int error = posix_spawn(&pid, argv[0].c_str(), &files, &attributes, Pointers(argv).data(),
                                Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return ErrnoError(error, fmt::format("cannot start the trainer '{}'", argv[0]));
  return pid;
}

// Failure does not matter: it only changes who is killed first.
void PreferAsOutOfMemoryVictim(pid_t pid) {
  std::ofstream(fmt::format("/proc/{}/oom_score_adj", pid)) << 500;
}

}  // namespace

std::string DescribeExit(int wait_status) {
  if (WIFEXITED(wait_status)) return fmt::format("exit status {}", WEXITSTATUS(wait_status));
  if (!WIFSIGNALED(wait_status)) return fmt::format("wait status {}", wait_status);
  const int signal = WTERMSIG(wait_status);
  const char* name = sigabbrev_np(signal);
  const std::string text =
      name ? fmt::format("killed by SIG{}", name) : fmt::format("killed by signal {}", signal);
  return signal == SIGKILL ? text + " (out of memory?)" : text;
}

struct TrainerProcess::Streams {
  LineSplitter lines{kMaxLineBytes};
  OutputTail tail;
  std::array<char, 64 << 10> buffer;
};

absl::StatusOr<std::unique_ptr<TrainerProcess>> TrainerProcess::Start(const std::vector<std::string>& argv,
                                                                      Callbacks callbacks) {
  Pipe in, out, err;
  GS_RETURN_IF_ERROR(Open(in));
  GS_RETURN_IF_ERROR(Open(out));
  GS_RETURN_IF_ERROR(Open(err));
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return ErrnoError(errno, "cannot create an event descriptor");
  absl::StatusOr<pid_t> pid = Spawn(argv, in.read, out.write, err.write);
  if (!pid.ok()) {
    close(wake);
    return pid.status();
  }
  // By number: Debian 12's glibc has the wrapper, older ones that people bring along do not.
  const int pid_fd = static_cast<int>(syscall(SYS_pidfd_open, *pid, 0));
  if (pid_fd < 0) {
    const int error = errno;
    kill(-*pid, SIGKILL);
    waitpid(*pid, nullptr, 0);
    close(wake);
    return ErrnoError(error, "cannot watch the trainer (Linux 5.3 or newer is needed)");
  }
  PreferAsOutOfMemoryVictim(*pid);
  for (const int fd : {in.write, out.read, err.read}) SetNonBlocking(fd);
  return std::unique_ptr<TrainerProcess>(new TrainerProcess(
      *pid, pid_fd, Release(in.write), Release(out.read), Release(err.read), wake, std::move(callbacks)));
}

TrainerProcess::TrainerProcess(pid_t pid, int pid_fd, int in, int out, int err, int wake, Callbacks callbacks)
    : pid_(pid),
      pid_fd_(pid_fd),
      wake_(wake),
      callbacks_(std::move(callbacks)),
      in_(in),
      out_(out),
      err_(err),
      streams_(std::make_unique<Streams>()),
      thread_([this] { Run(); }) {}

TrainerProcess::~TrainerProcess() {
  Kill();
  thread_.join();
  close(pid_fd_);
  close(wake_);
}

void TrainerProcess::Write(std::string_view text) {
  {
    const std::lock_guard lock(mu_);
    input_ += text;
  }
  Wake();
}

void TrainerProcess::CloseInput() {
  {
    const std::lock_guard lock(mu_);
    close_input_ = true;
  }
  Wake();
}

void TrainerProcess::Kill() {
  const std::lock_guard lock(mu_);
  if (!reaped_) kill(-pid_, SIGKILL);
}

void TrainerProcess::Wake() {
  const uint64_t one = 1;
  // A full counter wakes as well.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
}

void TrainerProcess::CloseFd(int& fd) {
  if (fd >= 0) close(Release(fd));
}

void TrainerProcess::Run() {
  // Writing to a child that is gone must be an error here, not the end of this process.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (bool alive = true; alive;) {
    FlushInput();
    pollfd fds[] = {{pid_fd_, POLLIN, 0},
                    {wake_, POLLIN, 0},
                    {out_, POLLIN, 0},
                    {err_, POLLIN, 0},
                    {unwritten_.empty() ? -1 : in_, POLLOUT, 0}};
    if (poll(fds, std::size(fds), -1) < 0 && errno != EINTR) break;
    uint64_t ignored;
    [[maybe_unused]] const ssize_t cleared = read(wake_, &ignored, sizeof(ignored));
    // The order matters: output that was there before the exit must be read before the exit is told.
    alive = fds[0].revents == 0;
    if (!alive || fds[2].revents != 0) DrainOutput();
    if (!alive || fds[3].revents != 0) DrainErrors();
  }
  Reap();
}

void TrainerProcess::FlushInput() {
  bool close_when_empty;
  {
    const std::lock_guard lock(mu_);
    unwritten_ += std::exchange(input_, {});
    close_when_empty = close_input_;
  }
  while (in_ >= 0 && !unwritten_.empty()) {
    const ssize_t written = write(in_, unwritten_.data(), unwritten_.size());
    if (written > 0) {
      unwritten_.erase(0, static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      CloseFd(in_);  // the child closed its stdin; its exit follows
    }
  }
  if (in_ < 0) unwritten_.clear();
  if (close_when_empty) CloseFd(in_);
}

// Reads what is there, but not for ever: a child that floods one stream must not starve the other.
void TrainerProcess::DrainOutput() {
  for (int rounds = 0; out_ >= 0 && rounds < 64; ++rounds) {
    const ssize_t count = read(out_, streams_->buffer.data(), streams_->buffer.size());
    if (count > 0) {
      const std::string_view bytes(streams_->buffer.data(), static_cast<size_t>(count));
      if (!streams_->lines.Feed(bytes, callbacks_.on_line) && killed_by_us_.empty()) {
        killed_by_us_ =
            fmt::format("killed by the worker: it wrote a line longer than {} MiB", kMaxLineBytes >> 20);
        Kill();
      }
    } else if (count == 0) {
      CloseFd(out_);
    } else if (errno != EINTR) {
      return;
    }
  }
}

void TrainerProcess::DrainErrors() {
  for (int rounds = 0; err_ >= 0 && rounds < 64; ++rounds) {
    const ssize_t count = read(err_, streams_->buffer.data(), streams_->buffer.size());
    if (count > 0) {
      streams_->tail.Append({streams_->buffer.data(), static_cast<size_t>(count)});
    } else if (count == 0) {
      CloseFd(err_);
    } else if (errno != EINTR) {
      return;
    }
  }
}

void TrainerProcess::Reap() {
  int wait_status = 0;
  {
    const std::lock_guard lock(mu_);
    // Whatever the child left behind in its group goes with it.
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, &wait_status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
  }
  for (int* fd : {&in_, &out_, &err_}) CloseFd(*fd);
  callbacks_.on_exit({killed_by_us_.empty() ? DescribeExit(wait_status) : killed_by_us_,
                      streams_->tail.Text(),
                      WIFEXITED(wait_status) ? std::optional(WEXITSTATUS(wait_status)) : std::nullopt});
}

}  // namespace gridsweep::agent
