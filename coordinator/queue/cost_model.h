// What an epoch costs, learnt from those that were trained.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace gridsweep {

// Mean seconds an epoch by kind of work (see WorkClass) and kind of device. Old epochs fade, so that it follows a machine
// that becomes slower or faster. A value; not thread-safe.
class CostModel {
 public:
  // `epochs` trained epochs of `seconds` each on "cpu", "cuda:0", …; a GPU's number makes no difference. Seconds that are
  // not finite or negative are left out.
  void Add(const std::string& kind, const std::string& device, double seconds, int64_t epochs);

  // On that device, or if none was trained there or no device is named, the mean over those it was trained on. nullopt
  // while the kind is unknown.
  std::optional<double> EpochSeconds(const std::string& kind, const std::string& device = "") const;

 private:
  struct Mean {
    double seconds = 0;
    double weight = 0;  // epochs it stands for
  };
  std::map<std::string, std::map<std::string, Mean>> means_;  // by kind, then kind of device
};

}  // namespace gridsweep
