#include "coordinator/security/roles.h"

#include <algorithm>
#include <iterator>

namespace gridsweep {
namespace {

struct Rule {
  std::string_view method;
  bool viewer, submitter, worker, admin;
};

constexpr std::string_view kSweeps = "/gridsweep.v1.SweepService/", kWorkers = "/gridsweep.v1.WorkerService/";

constexpr Rule kSweepRules[] = {
    {"Submit", false, true, false, true},    {"ControlSweep", false, true, false, true},
    {"ListSweeps", true, true, false, true}, {"GetSweep", true, true, false, true},
    {"Rank", true, true, false, true},       {"ListJobs", true, true, false, true},
    {"GetJob", true, true, false, true},     {"ListWorkers", true, true, false, true},
    {"Query", true, true, false, true},      {"GetServerInfo", true, true, false, true},
    {"Backup", false, false, false, true},   {"Diagnose", false, false, false, true},
    {"GetEffects", true, true, false, true}, {"GetReport", true, true, false, true},
    {"AddSeeds", false, true, false, true},  {"ListModels", true, true, false, true},
    {"GetModel", true, true, false, true},
};
constexpr Rule kWorkerRules[] = {
    {"Sync", false, false, true, false},
    {"PutArtifact", false, false, true, false},
    {"GetArtifact", false, false, true, false},
    {"OfferSampleImages", false, false, true, false},
};

template <size_t n>
bool Permits(const Rule (&rules)[n], std::string_view name, Role role) {
  const auto rule =
      std::find_if(std::begin(rules), std::end(rules), [&](const Rule& r) { return r.method == name; });
  if (rule == std::end(rules)) return false;
  switch (role) {
    case Role::kViewer:
      return rule->viewer;
    case Role::kSubmitter:
      return rule->submitter;
    case Role::kWorker:
      return rule->worker;
    case Role::kAdmin:
      return rule->admin;
  }
  return false;
}

}  // namespace

std::string_view RoleName(Role role) {
  constexpr std::string_view kNames[] = {"viewer", "submitter", "worker", "admin"};
  return kNames[static_cast<int>(role)];
}

std::optional<Role> ParseRole(std::string_view name) {
  for (const Role role : kAllRoles) {
    if (RoleName(role) == name) return role;
  }
  return std::nullopt;
}

bool IsAllowed(Role role, std::string_view method) {
  if (method.starts_with(kSweeps)) return Permits(kSweepRules, method.substr(kSweeps.size()), role);
  if (method.starts_with(kWorkers)) return Permits(kWorkerRules, method.substr(kWorkers.size()), role);
  return false;
}

bool IsPublic(std::string_view method) {
  return method == "/grpc.health.v1.Health/Check" || method == "/grpc.health.v1.Health/Watch";
}

}  // namespace gridsweep
