// Who may call what. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gridsweep {

enum class Role {
  kViewer,     // reads sweeps, jobs, models and workers
  kSubmitter,  // also submits and steers sweeps
  kWorker,     // syncs as a worker and exchanges its files, and nothing else
  kAdmin,      // everything but syncing as a worker
};
inline constexpr Role kAllRoles[] = {Role::kViewer, Role::kSubmitter, Role::kWorker, Role::kAdmin};
std::string_view RoleName(Role role);  // "viewer", …
std::optional<Role> ParseRole(std::string_view name);

// `method` as gRPC names it: "/gridsweep.v1.SweepService/Submit". A method that is not in the table is denied to every
// role.
bool IsAllowed(Role role, std::string_view method);

// Whether it may be called by anybody: the health check, which load balancers and service managers make without a token.
bool IsPublic(std::string_view method);

}  // namespace gridsweep
