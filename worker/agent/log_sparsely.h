// What a program of somebody else can make happen as often as it likes must not fill the disk with our log.
#pragma once

#include <cstdint>

namespace gridsweep {

// Whether the `times`-th event of its kind goes into the log: the first eight, then each that doubles the number.
constexpr bool IsLogged(int64_t times) {
  return times <= 8 || (times & (times - 1)) == 0;
}

}  // namespace gridsweep
