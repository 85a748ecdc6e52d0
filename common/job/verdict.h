// Why a job failed for good, in words for its user. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/job/retry_policy.h"

namespace gridsweep {

// `end`: how its last attempt ended, kFailed or kLost; `times`: attempts that ended so; `workers`: the names of those that
// they ran on, each once. A job that brings several workers down is poison: it is the job, and not a sick machine.
std::string DescribeFailure(AttemptState end, bool retryable, int times,
                            const std::vector<std::string>& workers);

}  // namespace gridsweep
