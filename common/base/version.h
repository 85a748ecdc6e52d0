// What this build is.
#pragma once

#include <string>

namespace gridsweep {

std::string Version();  // "0.1.0"
std::string Commit();   // 12 hex digits of the git commit, or "unknown"

}  // namespace gridsweep
