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

inline constexpr char kDefaultDatabase[] = "gridsweep.db";

// The flags that name a coordinator; the same for every command that needs one. They exclude each other.
struct CoordinatorFlags {
  Endpoint endpoint;  // address: empty unless --coordinator was given
  std::string db = kDefaultDatabase;

  void Declare(CLI::App& app);
  // The coordinator to call: --coordinator; else, unless --db was given, that of GRIDSWEEP_COORDINATOR; empty if the
  // database says which.
  std::string Address() const;
  // What a suggested command needs in order to reach the same coordinator, with a space in front: " --db x.db". Empty
  // where it finds it by itself.
  std::string Repeated() const;

 private:
  const CLI::Option* db_option_ = nullptr;
};

// " --db FILE" for a suggested command; empty for the default.
std::string RepeatedDatabase(const std::string& db);

// Whether the command can do with a reader of its own when no coordinator runs.
enum class Purpose { kRead, kChange };

// Stops the reader again, if there is one.
class Connection {
 public:
  Connection(std::unique_ptr<Client> client, LocalCoordinator reader)
      : client_(std::move(client)), reader_(std::move(reader)) {}
  ~Connection();
  Client& client() { return *client_; }

 private:
  std::unique_ptr<Client> client_;
  LocalCoordinator reader_;
};

// Connects to flags.Address(), else to the live coordinator that holds --db, else (kRead, and the file exists)
// to a read-only coordinator started for this command. UNAVAILABLE, saying what to start, if there is nothing
// to connect to.
absl::StatusOr<std::unique_ptr<Connection>> Connect(const CoordinatorFlags& flags, Purpose purpose,
                                                    const Context& context);

}  // namespace gridsweep
