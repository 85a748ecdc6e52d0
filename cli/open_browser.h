// A page in the user's browser.
#pragma once

#include <string>

#include "common/base/status.h"

namespace gridsweep {

// Asks the desktop (xdg-open) to show `url`, and does not wait for it. NOT_FOUND if there is no desktop, or no such program.
absl::Status OpenBrowser(const std::string& url);

}  // namespace gridsweep
