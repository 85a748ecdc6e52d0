#include "coordinator/security/roles.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

TEST(Roles, WorkersExchangeFilesAndEverybodyElseFetchesModels) {
  for (const char* method :
       {"/gridsweep.v1.WorkerService/PutArtifact", "/gridsweep.v1.WorkerService/GetArtifact"}) {
    for (const Role role : kAllRoles)
      EXPECT_EQ(IsAllowed(role, method), role == Role::kWorker) << method << RoleName(role);
  }
  for (const char* method :
       {"/gridsweep.v1.SweepService/GetModel", "/gridsweep.v1.SweepService/ListModels"}) {
    for (const Role role : kAllRoles)
      EXPECT_EQ(IsAllowed(role, method), role != Role::kWorker) << method << RoleName(role);
  }
}

TEST(Roles, WhatIsNotInTheTableIsDenied) {
  for (const Role role : kAllRoles) {
    EXPECT_FALSE(IsAllowed(role, "/gridsweep.v1.WorkerService/"));
    EXPECT_FALSE(IsAllowed(role, "/gridsweep.v1.WorkerService/GetModel"));
    EXPECT_FALSE(IsAllowed(role, "/other.Service/Sync"));
  }
}

}  // namespace
}  // namespace gridsweep
