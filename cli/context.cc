#include "cli/context.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/time/clock.h"
#include "common/base/signals.h"

namespace gridsweep {
namespace {

int Number(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  const int number = text == nullptr ? 0 : std::atoi(text);
  return number > 0 ? number : otherwise;
}

// Size from the terminal, else COLUMNS and LINES, else 80 by 24.
Screen TerminalScreen(int fd, bool color) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) size = {};
  return {.width = size.ws_col > 0 ? size.ws_col : Number("COLUMNS", 80),
          .height = size.ws_row > 0 ? size.ws_row : Number("LINES", 24),
          .color = color};
}

bool ColorWanted() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && (term == nullptr || std::string_view(term) != "dumb");
}

Sink MakeSink(std::ostream& stream, int fd) {
  Sink sink;
  sink.stream = &stream;
  sink.is_terminal = isatty(fd) == 1;
  if (sink.is_terminal) {
    sink.look = [fd, color = ColorWanted()] { return TerminalScreen(fd, color); };
    sink.screen = sink.look();
  }
  return sink;
}

}  // namespace

Context ProcessContext() {
  // A reader that goes away (`gridsweep rank 1 | head`) ends a write with an error, not the process with a
  // signal before it has stopped its children.
  std::signal(SIGPIPE, SIG_IGN);
  const auto signals = std::make_shared<std::optional<SignalCounter>>();
  Context context;
  context.out = MakeSink(std::cout, STDOUT_FILENO);
  context.err = MakeSink(std::cerr, STDERR_FILENO);
  context.clock = &SystemClock();
  context.hold_signals = [signals] { signals->emplace({SIGINT, SIGTERM, SIGHUP}); };
  context.interruptions = [signals] { return *signals ? (*signals)->Count() : 0; };
  context.sleep = [signals](absl::Duration duration) {
    if (*signals) return (*signals)->Sleep(duration);
    absl::SleepFor(duration);
  };
  std::error_code error;
  context.program_dir = std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
  return context;
}

}  // namespace gridsweep
