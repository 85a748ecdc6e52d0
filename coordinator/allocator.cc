#include "coordinator/allocator.h"

#ifdef GRIDSWEEP_JEMALLOC
#include <jemalloc/jemalloc.h>

// Read by jemalloc when the process begins. What one thread allocates another frees, so arenas are few, and memory that is
// free for a second goes back to the system.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0";
}
#endif

namespace gridsweep {

std::string AllocatorName() {
#ifdef GRIDSWEEP_JEMALLOC
  const char* version = nullptr;
  size_t size = sizeof version;
  if (mallctl("version", &version, &size, nullptr, 0) != 0) return "jemalloc";
  const std::string text = version;
  return "jemalloc " + text.substr(0, text.find('-'));
#else
  return "the C library's";
#endif
}

}  // namespace gridsweep
