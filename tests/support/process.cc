#include "tests/support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

constexpr int kLogLines = 25;

// Everything the child needs, made before fork(): afterwards it may not allocate.
struct Launch {
  std::vector<char*> argv;
  std::vector<char*> env;
  const char* work_dir;
  int out;
  int err;
  pid_t parent;
};

[[noreturn]] void BecomeChild(const Launch& launch) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != launch.parent) _exit(127);
  setpgid(0, 0);
  // Whatever the tests were started with, as by nohup or in the background.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(launch.out, STDOUT_FILENO);
  dup2(launch.err, STDERR_FILENO);
  if (launch.work_dir == nullptr || chdir(launch.work_dir) == 0) {
    execve(launch.argv[0], launch.argv.data(), launch.env.data());
  }
  const char* why = std::strerror(errno);
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, why, std::strlen(why));
  _exit(127);
}

int OpenLog(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

}  // namespace

TestProcess::TestProcess(Options options) : options_(std::move(options)) {
  std::vector<std::string> argv = options_.argv;
  std::map<std::string, std::string> variables = options_.env;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    variables.emplace(text.substr(0, text.find('=')), text.substr(text.find('=') + 1));
  }
  std::vector<std::string> env;
  for (const auto& [key, value] : variables) env.push_back(key + "=" + value);

  Launch launch;
  for (std::string& argument : argv) launch.argv.push_back(argument.data());
  launch.argv.push_back(nullptr);
  for (std::string& entry : env) launch.env.push_back(entry.data());
  launch.env.push_back(nullptr);
  launch.work_dir = options_.work_dir.empty() ? nullptr : options_.work_dir.c_str();
  launch.out = OpenLog(options_.log_dir + "/" + options_.name + ".out");
  launch.err = OpenLog(options_.log_dir + "/" + options_.name + ".err");
  launch.parent = getpid();
  pid_ = fork();
  if (pid_ == 0) BecomeChild(launch);
  setpgid(pid_, pid_);
  close(launch.out);
  close(launch.err);
  if (pid_ < 0) ADD_FAILURE() << "cannot start " << argv[0] << ": " << std::strerror(errno);
}

TestProcess::~TestProcess() {
  if (IsRunning()) Kill();
}

bool TestProcess::IsRunning() {
  if (status_ || pid_ < 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return false;
}

void TestProcess::Signal(int signal) {
  if (!IsRunning()) return;
  if (signal != SIGSTOP && signal != SIGCONT) signalled_ = true;
  kill(pid_, signal);
  // A stop reaches the other threads a moment later; what happens in that moment must not decide a test.
  siginfo_t stopped{};
  if (signal == SIGSTOP) waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT);
}

void TestProcess::Kill() {
  Signal(SIGKILL);
  Wait();
}

std::optional<int> TestProcess::Wait(std::chrono::steady_clock::duration limit) {
  EXPECT_TRUE(WaitUntil(
      options_.name + " to end", [this] { return !IsRunning(); }, [this] { return Describe(); }, limit));
  return status_;
}

std::string TestProcess::Out() const {
  return ReadFile(options_.log_dir + "/" + options_.name + ".out");
}

std::string TestProcess::Err() const {
  return ReadFile(options_.log_dir + "/" + options_.name + ".err");
}

std::string TestProcess::Describe() {
  std::string text = "\n--- " + options_.name + " (pid " + std::to_string(pid_) + ") ";
  if (IsRunning()) {
    text += "runs";
  } else if (!status_) {
    text += "never started";
  } else if (*status_ >= 0) {
    text += "exited with " + std::to_string(*status_);
  } else {
    text += std::string("was killed by ") + strsignal(-*status_);
  }
  if (const std::string out = Out(); !out.empty()) text += "\nstdout:\n" + LastLines(out, kLogLines);
  if (const std::string err = Err(); !err.empty()) text += "\nstderr:\n" + LastLines(err, kLogLines);
  return text;
}

namespace {

// State and parent of a process; state 0 if there is none.
struct ProcessStat {
  char state = 0;
  pid_t parent = 0;
};

ProcessStat ReadStat(const std::string& pid) {
  const std::string text = ReadFile("/proc/" + pid + "/stat");
  ProcessStat stat;
  // The name in parentheses may hold anything; the fields follow its last parenthesis.
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return stat;
  std::istringstream(text.substr(end + 1)) >> stat.state >> stat.parent;
  return stat;
}

}  // namespace

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const ProcessStat stat = ReadStat(name);
    if (stat.parent == parent && stat.state != 'Z') children.push_back(std::stoi(name));
  }
  return children;
}

bool IsAlive(pid_t pid) {
  const char state = ReadStat(std::to_string(pid)).state;
  return state != 0 && state != 'Z';
}

std::string LastLines(const std::string& text, int lines) {
  size_t start = text.size();
  for (; start > 0; --start) {
    if (text[start - 1] == '\n' && start < text.size() && --lines == 0) break;
  }
  return text.substr(start);
}

}  // namespace gridsweep
