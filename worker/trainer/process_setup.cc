#include "worker/trainer/process_setup.h"

#include <malloc.h>

#include <cstdlib>
#include <initializer_list>

namespace gridsweep {

void PrepareProcess() {
  for (const char* variable : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
    setenv(variable, "1", /*overwrite=*/0);
  }
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
#ifdef __GLIBC__
  constexpr int kMiB = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 32 * kMiB);  // the most that glibc accepts
  mallopt(M_TRIM_THRESHOLD, 512 * kMiB);
  mallopt(M_TOP_PAD, 64 * kMiB);
#endif
}

}  // namespace gridsweep
