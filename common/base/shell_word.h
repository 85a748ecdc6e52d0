// Text that a user can paste into a shell.
#pragma once

#include <string>
#include <string_view>

namespace gridsweep {

// `word` as a POSIX shell reads it back: as it is where that is safe, else in single quotes.
std::string ShellWord(std::string_view word);

}  // namespace gridsweep
