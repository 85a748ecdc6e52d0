// A curve in one line of text.
#pragma once

#include <string>
#include <vector>

namespace gridsweep {

// One character a value, "▁" for the least to "█" for the greatest, "×" for a value that is not finite; equal
// values are drawn in the middle. More values than `width` are joined into `width` groups, each shown by its
// last finite value.
std::string Sparkline(const std::vector<double>& values, int width);

}  // namespace gridsweep
