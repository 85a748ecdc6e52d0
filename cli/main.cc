#include <exception>
#include <iostream>

#include "cli/command.h"
#include "common/rpc/library_log.h"

int main(int argc, char** argv) {
  try {
    gridsweep::RouteLibraryLogs();
    gridsweep::Context context = gridsweep::ProcessContext();
    const std::vector<std::string> args(argv + 1, argv + argc);
    return gridsweep::RunProgram(args, context, gridsweep::AllCommands());
  } catch (const std::exception& error) {
    std::cerr << "gridsweep: " << error.what() << std::endl;
    return gridsweep::kExitUsage;
  }
}
