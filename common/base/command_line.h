// The one place that includes the flag parser. Every program exits 2 on a bad flag, 0 on --help and
// --version.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace gridsweep {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailedJobs = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNoCoordinator = 3;
inline constexpr int kExitInterrupted = 130;

// Parses argv into `app`'s bound variables. Returns the exit code if the program should end now (bad flag:
// message on stderr; --help or --version: text on stdout), nullopt to carry on.
inline std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, const_cast<char**>(argv));
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
}

}  // namespace gridsweep
