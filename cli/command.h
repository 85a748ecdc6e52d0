// A command of the program: its flags, and what it does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/context.h"
#include "common/base/command_line.h"
#include "common/base/status.h"

namespace gridsweep {

class Command {
 public:
  virtual ~Command() = default;

  virtual std::string name() const = 0;
  virtual std::string summary() const = 0;  // one line, for the list of commands
  // Declares flags and help in `app`, the command's own. Flags are bound to members, so the command must
  // outlive it.
  virtual void Declare(CLI::App& app) = 0;
  // Returns the exit code. An error is printed by the caller and decides the exit code (ExitCodeFor).
  virtual absl::StatusOr<int> Run(Context& context) = 0;
};

// UNAVAILABLE means that no coordinator answers, CANCELLED that the user has interrupted it; everything else is the user's, the
// file's or the machine's fault.
int ExitCodeFor(const absl::Status& status);

// Every command, in the order of the help text.
std::vector<std::unique_ptr<Command>> AllCommands();

// The whole program: parses `args` (without the program's name), runs the command, prints its error. Returns
// the exit code.
int RunProgram(const std::vector<std::string>& args, Context& context,
               std::vector<std::unique_ptr<Command>> commands);

}  // namespace gridsweep
