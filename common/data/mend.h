// What to do about a data set that is missing or broken.
#pragma once

#include <string>
#include <string_view>

namespace gridsweep {

inline constexpr std::string_view kEmnistPrefix = "emnist-";

// The command that brings the data set `name` into `folder`, or advice if no command does. `again`: in place of what
// is there.
std::string MendDataset(std::string_view name, const std::string& folder, bool again);

}  // namespace gridsweep
