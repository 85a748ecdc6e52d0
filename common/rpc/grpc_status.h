// absl::Status ⇄ grpc::Status: the canonical codes are the same.
#pragma once

#include <grpcpp/support/status.h>

#include "common/base/status.h"

namespace gridsweep {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace gridsweep
