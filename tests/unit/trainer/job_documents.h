// Job documents for tests.
#pragma once

#include <string>

#include "common/job/job_spec.h"
#include "worker/trainer/components/registry.h"

namespace gridsweep {

inline Json ComponentJson(const std::string& name, Json params = Json::object()) {
  return {{"name", name}, {"params", std::move(params)}};
}

// A small MLP on the data set "tiny", one epoch.
inline Json JobJson() {
  return {{"activation", ComponentJson("relu")},
          {"dataset", "tiny"},
          {"dataset_digest", ""},
          {"model", ComponentJson("mlp", {{"hidden", {8, 6}}})},
          {"objective", {{"epoch", "best"}, {"goal", "max"}, {"metric", "test_accuracy"}}},
          {"optimizer", ComponentJson("adam")},
          {"regularization", Json::array()},
          {"scheduler", ComponentJson("none")},
          {"seed", 1},
          {"training", {{"batch_size", 16}, {"epochs", 1}, {"samples", 0}, {"validation", 0.2}}}};
}

// `json` resolved; throws if it is not a job.
inline JobSpec ResolvedJob(const Json& json, const Registry& registry) {
  return JobSpecFromJson(json, registry.MakeCatalog()).value();
}

}  // namespace gridsweep
