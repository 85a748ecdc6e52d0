// Which matrix library LibTorch really runs on: Debian lets the machine choose, and the reference one is 25
// times slower.
#pragma once

#include <string>

namespace gridsweep {

struct Blas {
  std::string name;        // "OpenBLAS 0.3.21 (Zen)", "MKL", "BLIS", "reference BLAS", "unknown BLAS"
  bool reference = false;  // the slow one
};

// Decides from the list of files mapped into a process, in the format of /proc/self/maps.
Blas BlasFromMaps(const std::string& maps);
// That of this process, with the version where the library tells it.
Blas DetectBlas();
// The same for matrix libraries with threads of their own: one thread, whatever the environment says.
void UseOneBlasThread();

}  // namespace gridsweep
