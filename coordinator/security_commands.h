// `gridsweep-coordinator init`, `token`, `revoke`, `renew` and `certificate`: the subcommands that make and change what
// --security names.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/command_line.h"
#include "common/base/status.h"

namespace gridsweep {

class SecurityCommands {
 public:
  // Adds them to the program's flags.
  void Declare(CLI::App& app);
  // Whether one of them was named.
  bool Chosen() const;
  // Does what the one that was named says, and tells on standard output what there is now.
  absl::Status Run(absl::Time now) const;

 private:
  absl::Status Init(absl::Time now) const;

  CLI::App *init_ = nullptr, *token_ = nullptr, *revoke_ = nullptr, *renew_ = nullptr,
           *certificate_ = nullptr;
  std::string directory_;
  std::vector<std::string> hosts_;
  std::string role_;
  std::string out_;
  std::string id_;
  std::string name_;
};

}  // namespace gridsweep
