// Makes ZIP archives for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gridsweep {

// An archive with these members, in order; each second one deflated, the others stored.
std::string MakeZip(const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace gridsweep
