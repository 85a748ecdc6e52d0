// What must be arranged before the first tensor is made.
#pragma once

namespace gridsweep {

// Call first in main. Sets, unless the user did: one OpenMP and BLAS thread (for libraries that are loaded
// later and for child processes), the cuBLAS workspace that makes it deterministic. Keeps freed memory in the
// process: by default glibc gives large blocks back to the kernel and faults them in again in every training
// step, a third of an MLP's time.
void PrepareProcess();

}  // namespace gridsweep
