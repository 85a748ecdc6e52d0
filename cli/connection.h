// How a command reaches a coordinator.
#pragma once

#include <memory>
#include <string>

#include "cli/client.h"
#include "cli/context.h"
#include "cli/local_coordinator.h"
#include "common/base/command_line.h"
#include "common/base/status.h"

namespace gridsweep {

// The flags that name a coordinator; the same for every command that needs one.
struct CoordinatorFlags {
  std::string address;
  std::string db = "gridsweep.db";

  void Declare(CLI::App& app);
};

// Whether the command can do with a reader of its own when no coordinator runs.
enum class Purpose { kRead, kChange };

// Stops the reader again, if there is one.
class Connection {
 public:
  Connection(const std::string& address, LocalCoordinator reader)
      : client_(std::make_unique<Client>(address)), reader_(std::move(reader)) {}
  ~Connection();
  Client& client() { return *client_; }

 private:
  std::unique_ptr<Client> client_;
  LocalCoordinator reader_;
};

// Connects to --coordinator, else to the live coordinator that holds --db, else (kRead, and the file exists)
// to a read-only coordinator started for this command. UNAVAILABLE, saying what to start, if there is nothing
// to connect to.
absl::StatusOr<std::unique_ptr<Connection>> Connect(const CoordinatorFlags& flags, Purpose purpose,
                                                    const Context& context);

}  // namespace gridsweep
