// What a command may use of the outside world: its output, the terminal, the clock, interruption. Tests pass
// their own.
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "common/base/clock.h"
#include "common/results/table.h"

namespace gridsweep {

// One of the process's output streams.
struct Sink {
  std::ostream* stream = nullptr;
  bool is_terminal = false;
  Screen screen;  // unlimited and without colour unless it is a terminal
  // The screen as it is now: a terminal's window changes.
  Screen Now() const { return look ? look() : screen; }
  std::function<Screen()> look;
};

struct Context {
  Sink out;  // results
  Sink err;  // progress and messages
  const Clock* clock = nullptr;
  // From then on Ctrl-C, SIGTERM and SIGHUP no longer end the process but are counted. For a command that has something to
  // leave in order; called when it looks at the count, before it starts a thread.
  std::function<void()> hold_signals = [] {};
  // How often the user has asked to stop since then.
  std::function<int()> interruptions;
  // Waits, shorter if the user asks to stop.
  std::function<void(absl::Duration)> sleep;
  // Directory of the program, where gridsweep-coordinator and gridsweep-worker are.
  std::string program_dir;
};

// The process's own streams. Call once, from main. Colour and live redraw only on a terminal; NO_COLOR (https://no-color.org)
// and TERM=dumb are honoured.
Context ProcessContext();

}  // namespace gridsweep
