#include "common/base/random.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace gridsweep {
namespace {

void FillRandom(void* out, size_t size) {
  auto* bytes = static_cast<unsigned char*>(out);
  while (size > 0) {
    const ssize_t got = getrandom(bytes, size, 0);
    if (got < 0) continue;  // EINTR; getrandom(…, 0) has no other failure for a valid buffer
    bytes += got;
    size -= static_cast<size_t>(got);
  }
}

}  // namespace

std::string RandomHex(int bytes) {
  std::vector<unsigned char> random(static_cast<size_t>(bytes));
  FillRandom(random.data(), random.size());
  std::string hex;
  hex.reserve(2 * random.size());
  for (const unsigned char byte : random) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return hex;
}

double RandomUnit() {
  uint64_t bits = 0;
  FillRandom(&bits, sizeof(bits));
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

}  // namespace gridsweep
