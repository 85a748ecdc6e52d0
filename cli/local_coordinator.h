// A coordinator on this machine: the one that holds a database, or one of our own as a child process.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/process.h"
#include "common/base/status.h"

namespace gridsweep {

struct LiveCoordinator {
  std::string address;
  bool secure = false;  // it wants TLS and a token
};

// The live coordinator that holds `db`, from `db`.lock; nullopt if none does. Waits some
// seconds for one that has just started; UNAVAILABLE if it does not come to listen.
absl::StatusOr<std::optional<LiveCoordinator>> FindLiveCoordinator(const std::string& db);

struct LocalCoordinator {
  std::unique_ptr<Process> process;
  std::string address;
  std::string live_url;  // of the live view; empty without
};

struct LocalCoordinatorSpec {
  std::string program_dir;
  std::string db;
  std::string listen = "127.0.0.1:0";
  bool read_only = false;
  bool share = true;  // false: --no-share
  std::string http;   // address of the live view; empty: none
  std::string log_path;
};

// Starts gridsweep-coordinator and waits until it listens. On failure returns what it said, with the code
// NOT_FOUND if it is not installed and FAILED_PRECONDITION otherwise.
absl::StatusOr<LocalCoordinator> StartCoordinator(const LocalCoordinatorSpec& spec);

}  // namespace gridsweep
