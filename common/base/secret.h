// Secrets: compared without telling by the time, kept in files that only their owner reads.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {

// Takes the same time for all texts of one length.
bool EqualSecrets(std::string_view a, std::string_view b);

// The first line of a file, without the white space around it. FAILED_PRECONDITION if others than its owner may read the
// file, or nothing is in it; else the system's error.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

// A file of mode 0600, written beside its place, synced and moved there. ALREADY_EXISTS if it exists and is not to be
// replaced.
absl::Status WriteSecretFile(const std::string& path, std::string_view content, bool replace);

}  // namespace gridsweep
