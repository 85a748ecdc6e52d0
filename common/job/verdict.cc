#include "common/job/verdict.h"

#include "common/base/status.h"

namespace gridsweep {
namespace {

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

}  // namespace

std::string DescribeFailure(AttemptState end, bool retryable, int times,
                            const std::vector<std::string>& workers) {
  if (end == AttemptState::kLost) {
    return workers.size() > 1
               ? fmt::format("poison: {} workers were lost while they trained it ({})", workers.size(),
                             Listed(workers))
               : fmt::format("its worker {} was lost {} times while it trained it", Listed(workers), times);
  }
  if (!retryable) return "it cannot be trained, so it was not tried again";
  return workers.size() > 1 ? fmt::format("poison: it failed {} times, on {}", times, Listed(workers))
                            : fmt::format("it failed {} times, each time on {}", times, Listed(workers));
}

}  // namespace gridsweep
