#include "cli/export/event_file.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

// The check value of CRC-32C is 0xe3069283 (RFC 3720); masked as TFRecord does it.
TEST(MaskedCrc32c, AgreesWithThePublishedCheckValue) {
  constexpr uint32_t kCheck = 0xe3069283;
  EXPECT_EQ(MaskedCrc32c("123456789"), ((kCheck >> 15) | (kCheck << 17)) + 0xa282ead8);
}

TEST(EventFile, AFileThatCannotBeWrittenIsAnError) {
  TempDir dir;
  EventFile file(dir / "no-such-folder/events", 1.0);
  EXPECT_FALSE(file.Close().ok());
}

}  // namespace
}  // namespace gridsweep
