#include "cli/open_browser.h"

#include <spawn.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_split.h"

extern char** environ;

namespace gridsweep {
namespace {

bool HasDesktop() {
  return std::getenv("DISPLAY") != nullptr || std::getenv("WAYLAND_DISPLAY") != nullptr;
}

// The program's path; empty without it.
std::string FindInPath(const std::string& program) {
  const char* const path = std::getenv("PATH");
  for (const auto folder : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    const std::string candidate = std::string(folder) + "/" + program;
    if (!folder.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

}  // namespace

absl::Status OpenBrowser(const std::string& url) {
  if (!HasDesktop()) return NotFound("there is no desktop here");
  const std::string program = FindInPath("xdg-open");
  if (program.empty()) return NotFound("xdg-open is not installed");
  std::string name = "xdg-open";
  std::string argument = url;
  char* argv[] = {name.data(), argument.data(), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, program.c_str(), nullptr, nullptr, argv, environ) != 0)
    return Unavailable("cannot start '{}'", program);
  return absl::OkStatus();
}

}  // namespace gridsweep
