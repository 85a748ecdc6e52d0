// Signals, taken synchronously: a handler can do almost nothing safely, a thread that waits for them can do
// anything.
#pragma once

#include <initializer_list>

namespace gridsweep {

// Blocks `signals` in this thread and every thread it starts later. Call first in main, before any other
// thread exists.
void BlockSignals(std::initializer_list<int> signals);

// Waits for one of the blocked `signals` and returns it.
int WaitForSignal(std::initializer_list<int> signals);

}  // namespace gridsweep
