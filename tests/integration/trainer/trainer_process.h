// A running gridsweep-trainer, spoken to through its pipes.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "common/base/json.h"

namespace gridsweep {

// What a program printed and how it ended.
struct ProgramResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

class TrainerProcess {
 public:
  // Starts the trainer of this build with `args`. Its stderr goes to a file.
  explicit TrainerProcess(std::vector<std::string> args) {
    std::signal(SIGPIPE, SIG_IGN);
    int in[2], out[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    args.insert(args.begin(), GRIDSWEEP_BIN_DIR "/gridsweep-trainer");
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    err_ = std::tmpfile();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      dup2(fileno(err_), STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }

  ~TrainerProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    CloseInput();
    CloseOutput();
    std::fclose(err_);
  }
  TrainerProcess(const TrainerProcess&) = delete;
  TrainerProcess& operator=(const TrainerProcess&) = delete;

  void Send(const std::string& line) {
    const std::string text = line + "\n";
    ASSERT_EQ(write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // `resume`: checkpoints to go on from, best first.
  void SendRun(int64_t attempt, const Json& job, const std::vector<std::string>& resume = {}) {
    Json command = {{"type", "run"}, {"attempt", attempt}, {"job", job}};
    if (!resume.empty()) command["resume"] = resume;
    Send(command.dump());
  }

  // Attempts first, first + 1, … in one slot. `resume`: empty, or for each job.
  void SendBundle(int64_t first, const std::vector<Json>& jobs,
                  const std::vector<std::vector<std::string>>& resume = {}) {
    Json bundle = Json::array();
    for (size_t i = 0; i < jobs.size(); ++i) {
      bundle.push_back({{"attempt", first++}, {"job", jobs[i]}});
      if (!resume.empty()) bundle.back()["resume"] = resume[i];
    }
    Send(Json({{"type", "run"}, {"bundle", std::move(bundle)}}).dump());
  }

  // The next event, progress left out. An object {"type":"end"} at the end of the output; a failure if nothing comes for
  // two minutes.
  Json Next() {
    for (;;) {
      const std::string line = NextLine();
      if (line.empty()) return {{"type", "end"}};
      Json event = Json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (event.is_discarded()) {
        ADD_FAILURE() << "not JSON: " << line;
        return {{"type", "end"}};
      }
      if (event["type"] != "progress") return event;
    }
  }

  // Events up to the one that ends `attempt`, which is the last; those of other attempts are kept for later calls.
  std::vector<Json> Finish(int64_t attempt) {
    std::vector<Json> events;
    const auto take = [&](const Json& event) {
      events.push_back(event);
      return event["type"] == "finished" || event["type"] == "stopped" || event["type"] == "end";
    };
    for (auto it = others_.begin(); it != others_.end();) {
      if ((*it)["attempt"] != attempt) {
        ++it;
        continue;
      }
      const bool last = take(*it);
      it = others_.erase(it);
      if (last) return events;
    }
    for (;;) {
      Json event = Next();
      if (event["type"] != "end" && event.contains("attempt") && event["attempt"] != attempt) {
        others_.push_back(std::move(event));
      } else if (take(event)) {
        return events;
      }
    }
  }

  void CloseInput() {
    if (in_ >= 0) close(std::exchange(in_, -1));
  }
  void CloseOutput() {
    if (out_ >= 0) close(std::exchange(out_, -1));
  }

  // Reads what is left, waits for the end and returns how it was.
  ProgramResult Wait() {
    ProgramResult result;
    while (out_ >= 0) {
      const std::string line = NextLine();
      if (line.empty()) break;
      result.out += line + "\n";
    }
    int status = 0;
    EXPECT_EQ(waitpid(std::exchange(pid_, -1), &status, 0) > 0, true);
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::rewind(err_);
    for (int c = 0; (c = std::fgetc(err_)) != EOF;) result.err += static_cast<char>(c);
    return result;
  }

 private:
  std::string NextLine() {
    for (;;) {
      const size_t end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (!line.empty()) return line;
        continue;
      }
      pollfd poller = {out_, POLLIN, 0};
      if (poll(&poller, 1, 120'000) <= 0) {
        ADD_FAILURE() << "the trainer said nothing for two minutes";
        return "";
      }
      char bytes[65536];
      const ssize_t got = read(out_, bytes, sizeof(bytes));
      if (got <= 0) return std::exchange(buffer_, "");
      buffer_.append(bytes, static_cast<size_t>(got));
    }
  }

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  FILE* err_ = nullptr;
  std::string buffer_;
  std::vector<Json> others_;
};

inline ProgramResult RunTrainer(const std::vector<std::string>& args) {
  TrainerProcess process(args);
  process.CloseInput();
  return process.Wait();
}

}  // namespace gridsweep
