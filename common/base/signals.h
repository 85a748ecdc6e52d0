// Signals, taken synchronously: a handler can do almost nothing safely, a thread that waits for them can do
// anything.
#pragma once

#include <absl/time/time.h>

#include <csignal>
#include <initializer_list>

namespace gridsweep {

// Blocks `signals` in this thread and every thread it starts later. Call first in main, before any other
// thread exists.
void BlockSignals(std::initializer_list<int> signals);

// Waits for one of the blocked `signals` and returns it.
int WaitForSignal(std::initializer_list<int> signals);

// Blocks, likewise, those of `signals` that the caller of this program did not ask it to ignore (`nohup` does
// so with SIGHUP), and counts them for a program that looks at the number now and then.
class SignalCounter {
 public:
  explicit SignalCounter(std::initializer_list<int> signals);

  // How many came so far; several of one kind between two looks are one.
  int Count();

  // Waits for `duration` or until the next signal.
  void Sleep(absl::Duration duration);

 private:
  sigset_t set_;
  int count_ = 0;
};

}  // namespace gridsweep
