#include "common/base/signals.h"

#include <csignal>

namespace gridsweep {
namespace {

sigset_t SetOf(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

void BlockSignals(std::initializer_list<int> signals) {
  const sigset_t set = SetOf(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int WaitForSignal(std::initializer_list<int> signals) {
  const sigset_t set = SetOf(signals);
  int received = 0;
  while (sigwait(&set, &received) != 0) {
  }
  return received;
}

SignalCounter::SignalCounter(std::initializer_list<int> signals) {
  sigemptyset(&set_);
  for (const int signal : signals) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    // Blocked, an ignored signal would be kept and counted after all.
    if (action.sa_handler != SIG_IGN) sigaddset(&set_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

int SignalCounter::Count() {
  const timespec none{};
  while (sigtimedwait(&set_, nullptr, &none) > 0) ++count_;
  return count_;
}

void SignalCounter::Sleep(absl::Duration duration) {
  const timespec time = absl::ToTimespec(duration);
  if (sigtimedwait(&set_, nullptr, &time) > 0) ++count_;
}

}  // namespace gridsweep
