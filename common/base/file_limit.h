// How many files this process may have open.
#pragma once

#include <cstdint>
#include <optional>

namespace gridsweep {

// Raises the soft limit to the hard one, which an ordinary user may do: a connection costs a file, and many systems begin
// with 1024. Returns the limit there is now.
int64_t RaiseFileLimit();

// The soft limit.
int64_t FileLimit();

// Open now; nullopt where the system does not tell, as when there is no file left to ask it with.
std::optional<int64_t> CountOpenFiles();

}  // namespace gridsweep
