// The memory allocator of the program.
#pragma once

#include <string>

namespace gridsweep {

// "jemalloc 5.3.0", or "the C library's" in a build for a sanitizer, which brings its own.
std::string AllocatorName();

}  // namespace gridsweep
